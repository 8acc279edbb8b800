"""Public holidays and working days of a State, computed from what its statutes name.

For periods under Regulation (EEC, Euratom) 1182/71: article 2 makes the holidays of the State count, article 3 moves the
last day. Data in packs/holidays.yaml; an independent calendar is the oracle in the tests. Pure; anyone may call it.
"""

import calendar
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from functools import cache
from typing import Any

from lofte.kernel.problems import Problem
from lofte.rules.packs import shared

_DAY = timedelta(days=1)
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_SATURDAY = 5


def easter(year: int) -> date:
    """Easter Sunday of the Gregorian calendar. Source: the anonymous algorithm in Nature, 20 April 1876."""
    a, (b, c) = year % 19, divmod(year, 100)
    d, e = divmod(b, 4)
    h = (19 * a + b - d - (b - (b + 8) // 25 + 1) // 3 + 15) % 30
    i, k = divmod(c, 4)
    moon = (32 + 2 * e + 2 * i - h - k) % 7
    m = (a + 11 * h + 22 * moon) // 451
    month, day = divmod(h + moon - 7 * m + 114, 31)
    return date(year, month, day + 1)


@cache
def public_holidays(country: str, year: int) -> Mapping[date, str]:
    """The public holidays of a State by day, substitute days included. GB means England and Wales.

    Raises Problem for a State without a calendar and for years before the calendar's statutes.
    """
    calendar_of = shared("holidays").get(country)
    if not isinstance(calendar_of, Mapping) or year < calendar_of["from"]:
        detail = f"there is no calendar of public holidays for {country} in {year}"
        raise Problem("law.no-calendar", detail, expected="a State and year in packs/holidays.yaml")
    found: dict[date, str] = {}
    for row in calendar_of["days"]:
        for day in _days_of(row, year):
            found.setdefault(day, row["name"])
    return found | (_substitutes(found) if calendar_of["substitute"] else {})


def is_working_day(country: str, day: date) -> bool:
    return day.weekday() < _SATURDAY and day not in public_holidays(country, day.year)


def working_day_from(country: str, day: date) -> date:
    """This day if it is a working day, otherwise the next one."""
    while not is_working_day(country, day):
        day += _DAY
    return day


def rolled(country: str, start: date, end: date) -> date:
    """The last day of a period that began with an event on ``start`` and by plain counting ends on ``end``.

    It moves to the next working day, and a period of two days or more holds at least two of them.
    Source: Regulation (EEC, Euratom) 1182/71 article 3(1), (4), (5).
    """
    last = working_day_from(country, end)
    while end - start >= 2 * _DAY and not _holds_two(country, start, last):
        last = working_day_from(country, last + _DAY)
    return last


def weekdays_after(day: date, count: int) -> date:
    """The day that many weekdays later, Monday to Friday; no holiday is skipped, which ends earlier and so safer."""
    while count > 0:
        day += _DAY
        count -= day.weekday() < _SATURDAY
    return day


def _holds_two(country: str, start: date, last: date) -> bool:
    working = 0
    day = start + _DAY
    while day <= last and working < 2:
        working += is_working_day(country, day)
        day += _DAY
    return working >= 2


def _days_of(row: Mapping[str, Any], year: int) -> Iterator[date]:
    named: Sequence[date] = row.get("only", ())
    yield from (day for day in named if day.year == year)
    day = _ruled(row, year)
    if day is not None and day not in row.get("not", ()):
        yield day


def _ruled(row: Mapping[str, Any], year: int) -> date | None:
    if "fixed" in row:
        return _month_day(row["fixed"], year)
    if "easter" in row:
        return easter(year) + timedelta(days=row["easter"])
    if "on_or_after" in row:
        first = _month_day(row["on_or_after"], year)
        return first + (_WEEKDAYS.index(row["weekday"]) - first.weekday()) % 7 * _DAY
    if "last_of" in row:
        last = date(year, row["last_of"], calendar.monthrange(year, row["last_of"])[1])
        return last - (last.weekday() - _WEEKDAYS.index(row["weekday"])) % 7 * _DAY
    return None


def _month_day(text: str, year: int) -> date:
    return date.fromisoformat(f"{year}-{text}")


def _substitutes(found: Mapping[date, str]) -> dict[date, str]:
    """The next free weekday for each holiday on a weekend, as the 1971 Act gives it."""
    extra: dict[date, str] = {}
    for day in sorted(found):
        if day.weekday() >= _SATURDAY:
            free = day
            while free.weekday() >= _SATURDAY or free in found or free in extra:
                free += _DAY
            extra[free] = found[day]
    return extra
