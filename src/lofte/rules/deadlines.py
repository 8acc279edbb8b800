"""When the law wants an answer: requests, appeals, complaints and breaches, by market.

Periods come from the law packs; the arithmetic is here. A day is a day in the controller's zone, and the law that counts is the
one in force when the request came. Worked cases: tests/rules/cases/deadlines.yaml.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from lofte.rules.clocks import add_period
from lofte.rules.holidays import rolled
from lofte.rules.packs import LawPack, LawValue, find_value, value_at
from lofte.rules.ruling import Note, notes_of

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Wait:
    """Something asked of the person; ``answered`` is None while it is open."""

    asked: datetime
    answered: datetime | None = None


@dataclass(frozen=True, slots=True)
class Received:
    """A request as it came. Identity, fee and clarifications move the day only where the law says so (GB)."""

    at: datetime
    right: str = "access"
    identity: Wait | None = None
    fee: Wait | None = None
    clarifications: Sequence[Wait] = ()


@dataclass(frozen=True, slots=True)
class Deadline:
    """The last days of a duty, each inclusive.

    ``aim_by`` is the last day under the strictest reading and never later than ``due``; ``notice_by`` the last day to tell the
    person of an extension and its reasons; ``may_be`` a later day that a reading not confirmed would give. ``stopped_since``
    says that the clock stands until the person answers; the days then are those of an answer today.
    """

    due: date
    aim_by: date
    notice_by: date | None
    extended_due: date | None
    zone: str
    citation: str
    may_be: date | None = None
    stopped_since: date | None = None
    notes: tuple[Note, ...] = ()


@dataclass(frozen=True, slots=True)
class BreachNotice:
    """Who must be told of a breach by when. ``instant`` is set where the law counts hours."""

    to: str
    day: date
    instant: datetime | None
    citation: str
    notes: tuple[Note, ...] = ()


def rights_deadline(pack: LawPack, request: Received, at: datetime, zone: str = "") -> Deadline:
    """When a rights request must be answered. ``at`` is now: an open clarification counts through today.

    Sources: GDPR 12(3); Regulation 1182/71 article 3; UK GDPR 12A (relevant time, pause); C.R.S. 6-1-1306(2).
    Raises Problem when the market had no such rule on the day of receipt.
    """
    where = ZoneInfo(zone or pack.zone)
    rule = value_at(pack, "rights_deadline", _day(request.at, where))
    start, stopped = _start(rule, request, at, where)
    paused, standing = _paused(rule, request, start, at, where)
    stops = [since for since in (stopped, standing) if since]
    return _counted(pack, rule, start, where.key, paused, min(stops, default=None))


def appeal_deadline(pack: LawPack, received: datetime, zone: str = "") -> Deadline | None:
    """When an appeal against a refusal must be answered; None where the law knows no appeal to the controller.

    Source: C.R.S. 6-1-1306(3).
    """
    where = ZoneInfo(zone or pack.zone)
    rule = find_value(pack, "appeal_deadline", _day(received, where))
    return _counted(pack, rule, _day(received, where), where.key) if rule else None


def acknowledge_by(pack: LawPack, received: datetime, zone: str = "") -> Deadline | None:
    """When a complaint to the controller must be acknowledged; None where no statute says. The day of receipt is day one.

    Source: DPA 2018 s.164A.
    """
    where = ZoneInfo(zone or pack.zone)
    rule = find_value(pack, "complaints", _day(received, where))
    if rule is None or "acknowledge" not in rule.value:
        return None
    due = add_period(_day(received, where), rule.value["acknowledge"]["add"]) - _DAY
    return Deadline(due, due, None, None, where.key, rule.citation, notes=notes_of([rule]))


def breach_notices(
    pack: LawPack, aware: datetime, residents: int | None = None, zone: str = ""
) -> tuple[BreachNotice, ...]:
    """Who must be told of a personal-data breach, and by when.

    ``aware`` is when the controller knew of it (GDPR) or determined it (Colorado). An unknown number of residents counts as
    above every threshold. Sources: GDPR 33(1); C.R.S. 6-1-716(2).
    """
    where = ZoneInfo(zone or pack.zone)
    rule = value_at(pack, "breach", _day(aware, where))
    notes = notes_of([rule])
    if "add" in rule.value:
        instant = add_period(aware.astimezone(where), rule.value["add"])
        return (BreachNotice("authority", instant.date(), instant, rule.citation, notes),)
    by = add_period(_day(aware, where), rule.value["residents"]["add"])
    told = _told_of_breach(rule.value, residents)
    return tuple(BreachNotice(to, by, None, rule.citation, notes) for to in told)


def _told_of_breach(rule: Mapping[str, Any], residents: int | None) -> list[str]:
    told = ["residents"]
    if residents is None or residents >= rule["attorney_general_from_residents"]:
        told.append("attorney_general")
    if residents is None or residents > rule["consumer_bureaus_above_residents"]:
        told.append("consumer_bureaus")
    return told


def _day(at: datetime, zone: ZoneInfo) -> date:
    if at.tzinfo is None:
        raise ValueError("an instant needs a zone")
    return at.astimezone(zone).date()


def _start(rule: LawValue, request: Received, at: datetime, zone: ZoneInfo) -> tuple[date, date | None]:
    """The day the period is added to, and since when it has not begun."""
    if rule.value["anchor"] != "relevant_time":
        return _day(request.at, zone), None
    waits = [wait for wait in (request.identity, request.fee) if wait]
    begun = max([request.at, *(wait.answered or at for wait in waits)])
    stopped = min((_day(wait.asked, zone) for wait in waits if wait.answered is None), default=None)
    return _day(begun, zone), stopped


def _paused(rule: LawValue, request: Received, start: date, at: datetime, zone: ZoneInfo) -> tuple[int, date | None]:
    """How many days do not count, and since when the clock stands. Both ends of a pause are days that do not count.

    A day inside two pauses is one day; the day of the relevant time is not counted anyway; asking after the last day
    revives nothing. Source: UK GDPR 12A; counting whole days is our choice, law-pack case D13.
    """
    if request.right not in rule.value.get("pause_for_clarification", ()):
        return 0, None
    off: set[date] = set()
    standing = None
    for wait in sorted(request.clarifications, key=lambda each: each.asked):
        first, last = _day(wait.asked, zone), _day(wait.answered or at, zone)
        if first > add_period(start, rule.value["add"]) + len(off) * _DAY:
            break
        off |= {first + n * _DAY for n in range((last - first).days + 1) if first + n * _DAY > start}
        standing = standing or (first if wait.answered is None else None)
    return len(off), standing


def _counted(
    pack: LawPack, rule: LawValue, start: date, zone: str, paused: int = 0, stopped: date | None = None
) -> Deadline:
    value = rule.value

    def end(*periods: str, early: int = 0, roll: str = value["roll"]) -> date:
        plain = add_period(start, *periods) + (paused - early) * _DAY
        return plain if roll == "none" else rolled(pack.country, start, plain)

    due = end(value["add"])
    extend = value.get("extend")
    later = end(value["add"], roll=value["may_roll"]) if "may_roll" in value else due
    notes = notes_of([rule])
    if later != due:
        notes += (Note("may_be_later", {"day": later}),)
    if stopped:
        notes += (Note("clock_stands", {"day": stopped}),)
    # A month that begins with the relevant day ends a day earlier than one counted from the day after it.
    aim_by = end(value["add"], early=1) if value.get("begins_with_anchor") else due
    return Deadline(
        due=due, aim_by=aim_by, zone=zone, citation=rule.citation, stopped_since=stopped, notes=notes,
        # Where the law gives no own day for the notice, it is due while the first period runs.
        notice_by=end(value.get("extend_notice_within", value["add"])) if extend else None,
        extended_due=end(value["add"], extend) if extend else None,
        may_be=later if later != due else None,
    )  # fmt: skip
