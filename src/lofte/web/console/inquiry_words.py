"""An inquiry in words, for the console: the line of the inbox, the facts beside it, what has been written. Decides nothing."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from lofte.core import roles
from lofte.core.publication import current
from lofte.features.outreach.inquiries import desks, kinds
from lofte.features.outreach.inquiries.reads import Event, Line, Opened
from lofte.features.register.attachments import Attached
from lofte.kernel.problems import Problem
from lofte.rules.catalogue import room_words, say
from lofte.rules.values import country
from lofte.web import calendar
from lofte.web.pages import Edition, kept_for

_URGENT_DAYS = 7


class DeskNames:
    """Whose desks there are, in words: people by the name of their account with their role, roles by theirs."""

    def __init__(self, locale: str) -> None:
        self.locale = locale
        self._names: dict[str, str] | None = None

    def all(self) -> list[tuple[str, str]]:
        if self._names is None:
            self._names = {each.key: self._named(each) for each in desks.desks()}
        return list(self._names.items())

    def of(self, key: str) -> str:
        """Empty for nobody's; somebody who may no longer work with inquiries is named as having left."""
        return (dict(self.all()).get(key) or say(self.locale, "inquiries.desk.left")) if key else ""

    def _named(self, desk: desks.Desk) -> str:
        held = ", ".join(roles.name(each, self.locale) for each in desk.roles)
        if desk.name:
            return say(self.locale, "inquiries.desk.person", name=desk.name, role=held)
        return say(self.locale, "inquiries.desk.role", role=held)


def line(locale: str, seen: Line, now: datetime, names: DeskNames) -> dict[str, Any]:
    """One row of the inbox: nothing in it is about the person."""
    return {
        "id": seen.id, "reference": seen.reference, "kind": say(locale, f"inquiries.kind.{seen.kind}"), "state": seen.state,
        "state_name": say(locale, f"inquiries.state.{seen.state}"), "is_closed": seen.is_closed,
        "outcome": say(locale, f"inquiries.outcome.{seen.outcome}") if seen.outcome else "",
        "country": country_of(locale, seen.market), "received": seen.received_at, "latest": seen.latest_at,
        "due": seen.due_on, "urgency": urgency(seen, now), "left": calendar.left(locale, seen.due_on, now) if seen.due_on else "",
        "desk": names.of(seen.assignee), "turn": seen.turn, "by_law": True, "is_extended": False, "stands": None,
    }  # fmt: skip


def urgency(seen: Line, now: datetime) -> str:
    """``broken`` past the last day, ``unproved`` near it, ``kept`` otherwise: the words of the board's shapes."""
    if seen.due_on is None:
        return ""
    days = (seen.due_on - kinds.today(seen.market, now)).days
    return "broken" if days < 0 else "unproved" if days <= _URGENT_DAYS else "kept"


def country_of(locale: str, market: str) -> str:
    declared = current().policy.markets.get(market)
    return country(locale, declared.country) if declared else market


def facts(locale: str, seen: Line) -> dict[str, Any]:
    """What stands beside an inquiry: where it came from, what for, how long it is kept."""
    declared = current().policy.purposes.get(seen.purpose)
    return {
        "form": _form_name(locale, seen.form), "purpose": purpose_name(locale, seen.purpose),
        "kept": kept_for(Edition(seen.market, locale, current()), declared.clock) if declared else "",
        "language": say(locale, f"inquiries.language.{seen.locale}"),
    }  # fmt: skip


def _form_name(locale: str, form: str) -> str:
    try:
        return current().word(locale, "forms", form, "name")
    except Problem:
        return form


def purpose_name(locale: str, purpose: str) -> str:
    try:
        return current().word(locale, "purposes", purpose, "name")
    except Problem:
        return purpose


def thread(
    locale: str, events: Sequence[Event], opened: Opened | None, files: Sequence[Attached], me: str, names: DeskNames
) -> list[dict[str, Any]]:
    """What has been written and done, the latest on top."""
    words: Mapping[UUID, str] = opened.words if opened else {}
    return [
        {
            "what": _what(locale, event), "who": _who(locale, event, me), "at": event.at, "why": _why(locale, event, names),
            "words": words.get(event.id, ""), "is_gone": bool(event.dialogue and opened and event.id not in words),
            "mine": event.kind == "received", "is_note": event.kind == "noted",
            "mail": say(locale, f"inquiries.mail_state.{event.mail}") if event.mail else "",
            "is_lost": event.mail in ("failed", "suppressed"),
            "sender": opened.senders.get(event.id, "") if opened else "",
            "files": [each for each in files if each.dialogue == event.dialogue] if event.dialogue else [],
        }
        for event in reversed(events)
    ]  # fmt: skip


def _what(locale: str, event: Event) -> str:
    words = room_words(locale, "inquiries")
    return words.get(f"step.{event.kind}-{event.reason}") or words[f"step.{event.kind}"]


def _who(locale: str, event: Event, me: str) -> str:
    if event.by == me:
        return say(locale, "inquiries.by.you")
    stem = event.by.partition(":")[0]
    return say(locale, f"inquiries.by.{stem if stem in ('person', 'system') else 'staff'}")


def _why(locale: str, event: Event, names: DeskNames) -> str:
    match event.kind:
        case "assigned":
            return say(locale, "inquiries.desk.nobody") if event.reason == "nobody" else names.of(event.reason)
        case "closed":
            return say(locale, f"inquiries.outcome.{event.reason}")
        case "handed_over":
            return say(locale, f"requests.right.{event.reason}")
        case "files_refused":
            return event.reason
        case "moved":
            old, _, new = event.reason.partition(">")
            return say(locale, "inquiries.moved_from", old=_place(locale, old), new=_place(locale, new))
    return ""


def _place(locale: str, reason: str) -> str:
    kind, _, market = reason.partition("/")
    return f"{say(locale, f'inquiries.kind.{kind}')}, {country_of(locale, market)}"
