"""When a holding must be gone. Pure calendar arithmetic; the clock on the wall is the caller's.

A period counts from an instant in calendar units: 31 January and one month is the last day of February. Of several deadlines the
strictest wins and says which clock it came from. Source: GDPR 5(1)(e); Regulation 1182/71 article 3 for calendar months.
"""

import calendar
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from lofte.kernel.problems import Problem
from lofte.rules.model import Clock, ClockKind

_PART = re.compile(r"(\d+)([YMWDHS])")


@dataclass(frozen=True, slots=True)
class Life:
    """What clocks need to know of one holding: since when, last interest by kind of signal, end of the relation, withdrawal.

    ``relation_open`` means that the relation it serves still lasts; ``relation_ended`` is when it ended, None if it never was.
    """

    since: datetime
    signals: Mapping[str, datetime]
    relation_open: bool = False
    relation_ended: datetime | None = None
    withdrawn: datetime | None = None


@dataclass(frozen=True, slots=True)
class Due:
    """The instant from which the holding must no longer exist, and the id of the clock that says so."""

    at: datetime
    clock: str


def add_period(at: datetime, period: str) -> datetime:
    """The instant a period of ISO 8601 calendar units later. Raises Problem for a text that is no period."""
    date_part, _, time_part = period.removeprefix("P").partition("T")
    found = _PART.findall(date_part)
    timed = _PART.findall(time_part)
    if not period.startswith("P") or not (found or timed) or "".join(n + u for n, u in found) != date_part:
        raise Problem("clock.bad-period", f"{period!r} is no period", expected="an ISO 8601 duration such as P24M")
    units = {unit: int(number) for number, unit in found}
    moved = _add_months(at, units.get("Y", 0) * 12 + units.get("M", 0))
    hours = {unit: int(number) for number, unit in timed}
    return moved + timedelta(
        weeks=units.get("W", 0), days=units.get("D", 0),
        hours=hours.get("H", 0), minutes=hours.get("M", 0), seconds=hours.get("S", 0),
    )  # fmt: skip


def _add_months(at: datetime, months: int) -> datetime:
    total = at.year * 12 + at.month - 1 + months
    year, month = total // 12, total % 12 + 1
    last = calendar.monthrange(year, month)[1]
    return at.replace(year=year, month=month, day=min(at.day, last))


def due(clock_id: str, clock: Clock, life: Life) -> Due | None:
    """When this clock strikes for a holding, None while it does not run."""
    start = _start(clock, life)
    if start is None:
        return None
    return Due(add_period(start, clock.period) if clock.period else start, clock_id)


def _start(clock: Clock, life: Life) -> datetime | None:
    match clock.kind:
        case ClockKind.INACTIVITY:
            return max([life.since, *(at for kind, at in life.signals.items() if kind in clock.signals)])
        case ClockKind.END_OF_RELATION:
            # A relation that never was leaves nothing to wait for: the time counts from when the data came.
            return None if life.relation_open else life.relation_ended or life.since
        case ClockKind.FIXED_AGE:
            return life.since
        case ClockKind.WITHDRAWAL:
            return life.withdrawn


def strictest(found: Iterable[Due | None]) -> Due | None:
    """The earliest of several deadlines."""
    return min((each for each in found if each), key=lambda each: each.at, default=None)
