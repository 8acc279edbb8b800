"""When a holding must be gone. Pure calendar arithmetic; the clock on the wall is the caller's.

A period counts from an instant in calendar units: 31 January and one month is the last day of February. Of several deadlines the
strictest wins and says which clock it came from. Source: GDPR 5(1)(e); Regulation 1182/71 article 3 for calendar months.
"""

import calendar
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TypeVar

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


_Day = TypeVar("_Day", date, datetime)


def add_period(at: _Day, *periods: str) -> _Day:
    """The day or instant one or more periods of ISO 8601 calendar units later.

    Several periods are one: 31 January, one month and two months more is 30 April. Hours and less are time that passes: over a
    change of the clocks 72 hours are 72 hours. Raises Problem for a text that is no period, and for hours added to a day.
    """
    parts = [_units(period) for period in periods]
    moved = _add_months(at, sum(months for months, _, _ in parts)) + timedelta(days=sum(days for _, days, _ in parts))
    seconds = sum(seconds for _, _, seconds in parts)
    if not seconds:
        return moved
    if not isinstance(moved, datetime):
        raise _no_period(" ".join(periods), "a period in days or longer")
    return (moved.astimezone(UTC) + timedelta(seconds=seconds)).astimezone(moved.tzinfo)


def _units(period: str) -> tuple[int, int, int]:
    """A period as months, days and seconds."""
    date_part, _, time_part = period.removeprefix("P").partition("T")
    found, timed = _PART.findall(date_part), _PART.findall(time_part)
    if not period.startswith("P") or not (found or timed) or "".join(n + u for n, u in found) != date_part:
        raise _no_period(period, "an ISO 8601 duration such as P24M")
    units = {unit: int(number) for number, unit in found}
    hours = {unit: int(number) for number, unit in timed}
    return (
        units.get("Y", 0) * 12 + units.get("M", 0),
        units.get("W", 0) * 7 + units.get("D", 0),
        hours.get("H", 0) * 3600 + hours.get("M", 0) * 60 + hours.get("S", 0),
    )


def _no_period(period: str, expected: str) -> Problem:
    return Problem("clock.bad-period", f"{period!r} is no period", expected=expected)


def _add_months(at: _Day, months: int) -> _Day:
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
