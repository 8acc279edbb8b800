"""A request in words, for the console: the line of a list, the facts beside it, its history. Decides nothing."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from lofte.core import roles
from lofte.core.publication import current
from lofte.features.rights import assignment, requests
from lofte.features.rights.cases import Case, Event
from lofte.kernel.problems import Problem
from lofte.rules.catalogue import room_words, say
from lofte.rules.values import country
from lofte.web import calendar

URGENT_DAYS = 7


class DeskNames:
    """Whose desks there are, in words: people by the name of their account with their role, roles by theirs."""

    def __init__(self, locale: str) -> None:
        self.locale = locale
        self._names: dict[str, str] | None = None

    def all(self) -> list[tuple[str, str]]:
        if self._names is None:
            self._names = {each.key: self._named(each) for each in assignment.desks()}
        return list(self._names.items())

    def of(self, key: str) -> str:
        """Empty for nobody's; somebody who may no longer work with requests is named as having left."""
        if not key:
            return ""
        return dict(self.all()).get(key) or say(self.locale, "requests.desk.left")

    def _named(self, desk: assignment.Desk) -> str:
        held = ", ".join(roles.name(each, self.locale) for each in desk.roles)
        return say(self.locale, "requests.desk.person", name=desk.name, role=held) if desk.name else say(
            self.locale, "requests.desk.role", role=held
        )  # fmt: skip


def line(locale: str, case: Case, now: datetime, desks: DeskNames | None = None) -> dict[str, Any]:
    """One row of the list: nothing in it is about the person."""
    terms = case.deadline
    return {
        "id": case.id, "reference": case.reference, "right": say(locale, f"requests.right.{case.right}"),
        "state": case.state, "state_name": say(locale, f"requests.state.{case.state}"), "is_open": case.is_open,
        "channel": say(locale, f"requests.channel.{case.channel}"), "market": case.market,
        "country": country(locale, current().policy.markets[case.market].country), "received": received_on(case),
        "closed_at": case.closed_at, "outcome": outcome(locale, case), "due": terms.due,
        "left": calendar.left(locale, terms.due, now), "urgency": urgency(case, now),
        "is_extended": case.extended_at is not None, "by_law": terms.by_law, "stands": terms.stopped_since,
        "waits": waits(locale, case), "desk": desks.of(case.assignee) if desks else "", "untold": bool(case.untold),
    }  # fmt: skip


def urgency(case: Case, now: datetime) -> str:
    """``broken`` past the last day, ``unproved`` near it, ``kept`` otherwise: the words of the board's shapes."""
    days = (case.deadline.due - now.astimezone(ZoneInfo(case.deadline.zone)).date()).days
    if days < 0:
        return "broken"
    return "unproved" if days <= URGENT_DAYS else "kept"


def waits(locale: str, case: Case) -> str:
    names = waiting_names(locale, case)
    return say(locale, "requests.waits.for", names=names) if names else ""


def waiting_names(locale: str, case: Case) -> str:
    """Whom it waits for, by name: connected systems as the policy calls them."""
    if not case.waiting_for or not case.is_open:
        return ""
    systems = current().policy.systems
    known = room_words(locale, "requests")
    names = [
        known[f"waits.{each}"] if f"waits.{each}" in known else (systems[each].name if each in systems else each)
        for each in case.waiting_for
    ]
    return ", ".join(names[:-1]) + known["waits.and"] + names[-1] if len(names) > 1 else names[0]


def outcome(locale: str, case: Case) -> str:
    """How it ended: a word of its own, or the reason of the refusal; nothing where the state says it all."""
    if case.outcome == case.state:
        return ""
    words = room_words(locale, "requests")
    keys = (f"outcome.{case.outcome}", f"refusal.{case.outcome}.name")
    return next((words[key] for key in keys if key in words), "")


def facts(locale: str, case: Case) -> dict[str, Any]:
    """What stands beside a request: every day the law knows, and where it says so."""
    terms = case.deadline
    return {
        "aim_by": terms.aim_by if case.is_open and terms.aim_by != terms.due else None,
        "may_be": terms.may_be if case.is_open else None,
        "notice_by": terms.notice_by if case.is_open else None,
        "extended_due": terms.extended_due if requests.may_extend(case) else None,
        "acknowledge_by": terms.acknowledge_by if not case.has("acknowledged") else None,
        "citation": terms.citation, "law": case.law, "notes": [note.said(locale) for note in terms.notes],
        "purpose": purpose_name(locale, case.purpose),
    }  # fmt: skip


def purpose_name(locale: str, purpose: str) -> str:
    try:
        return current().word(locale, "purposes", purpose, "name") if purpose else ""
    except Problem:
        return purpose


def received_on(case: Case) -> date:
    return case.received_at.astimezone(ZoneInfo(case.deadline.zone)).date()


def history(
    locale: str, case: Case, words: Mapping[UUID, str], actor: str, desks: DeskNames
) -> list[dict[str, Any]]:  # fmt: skip
    """The latest on top. ``letter`` is the step whose letter can be printed."""
    printable = {each.id for each in case.history if each.kind in ("told", "untold") and each.about is None}
    return [
        {
            "what": say(locale, f"requests.step.{event.kind}"), "who": _who(locale, event, actor), "at": event.at,
            "why": _why(locale, event, desks), "words": words.get(event.id, ""), "kind": event.kind,
            "letter": event.id if event.id in printable and event.id in words else None,
        }
        for event in reversed(case.history)
    ]  # fmt: skip


def _who(locale: str, event: Event, actor: str) -> str:
    if event.kind == "received" and event.by.startswith("staff"):
        return say(locale, "requests.by.person")  # it came from them; who wrote it down is in the actions
    if event.by == actor:
        return say(locale, "requests.by.you")
    stem = event.by.partition(":")[0]
    return say(locale, f"requests.by.{stem if stem in ('person', 'system') else 'staff'}")


def _why(locale: str, event: Event, desks: DeskNames) -> str:
    if event.kind == "assigned":
        return say(locale, "requests.desk.nobody") if event.reason == "nobody" else desks.of(event.reason)
    if event.kind == "untold":
        return room_words(locale, "requests").get(f"untold.{event.reason}", "")
    table = {"identified": "how.{}", "extended": "extension.{}.name", "refused": "refusal.{}.name"}.get(event.kind)
    key = table.format(event.reason) if table and event.reason else f"way.{event.reason}"
    return room_words(locale, "requests").get(key, "")
