"""Public holidays and working days, against an independent calendar."""

from datetime import date, timedelta

import holidays as independent
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lofte.kernel.problems import Problem
from lofte.rules.holidays import easter, is_working_day, public_holidays, rolled, weekdays_after, working_day_from

STATES = ["FI", "GB", "NO", "SE"]
# Eves that offices take off and the statutes on holidays do not name: a period ends on them, which is earlier and so safer.
EVES = {"Midsummer Eve", "Christmas Eve"}
DAYS = st.dates(date(2018, 5, 25), date(2099, 12, 31))


def _independent(country: str, year: int) -> set[date]:
    options = {"SE": {"include_sundays": False}, "GB": {"subdiv": "ENG"}}.get(country, {})
    found = independent.country_holidays(country, years=year, language="en_US", **options)
    return {day for day, name in found.items() if name not in EVES}


@pytest.mark.parametrize("country", STATES)
def test_every_holiday_is_one_in_an_independent_calendar_and_the_other_way_round(country: str) -> None:
    differences = {
        year: set(public_holidays(country, year)) ^ _independent(country, year)
        for year in range(2012, 2101)
        if set(public_holidays(country, year)) != _independent(country, year)
    }

    assert differences == {}


@pytest.mark.parametrize(
    "year, day",
    [(1818, "1818-03-22"), (1943, "1943-04-25"), (2024, "2024-03-31"), (2026, "2026-04-05"), (2038, "2038-04-25")],
)
def test_easter_falls_where_the_church_says(year: int, day: str) -> None:
    assert easter(year) == date.fromisoformat(day)


def test_england_gets_a_weekday_for_a_holiday_on_a_weekend_and_sweden_does_not() -> None:
    assert public_holidays("GB", 2021)[date(2021, 12, 27)] == "Christmas Day"
    assert public_holidays("GB", 2021)[date(2021, 12, 28)] == "Boxing Day"
    assert public_holidays("GB", 2022)[date(2022, 12, 27)] == "Christmas Day"
    assert is_working_day("SE", date(2026, 6, 8))


@pytest.mark.parametrize("country, year", [("DK", 2026), ("SE", 2004), ("GB", 2011), ("checked_on", 2026)])
def test_a_calendar_nobody_wrote_is_a_problem_and_not_a_year_without_holidays(country: str, year: int) -> None:
    with pytest.raises(Problem, match=r"law\.no-calendar"):
        public_holidays(country, year)


@given(st.sampled_from(STATES), DAYS)
def test_the_next_working_day_is_the_first_one_and_is_near(country: str, day: date) -> None:
    found = working_day_from(country, day)

    assert is_working_day(country, found)
    assert timedelta() <= found - day <= timedelta(days=5)
    assert not any(is_working_day(country, day + timedelta(days=n)) for n in range((found - day).days))


@given(st.sampled_from(STATES), DAYS, st.integers(2, 120))
def test_a_period_of_two_days_or_more_ends_on_a_working_day_and_holds_two(
    country: str, start: date, length: int
) -> None:
    end = start + timedelta(days=length)
    last = rolled(country, start, end)
    inside = [start + timedelta(days=n) for n in range(1, (last - start).days + 1)]

    assert last >= end
    assert is_working_day(country, last)
    assert sum(is_working_day(country, day) for day in inside) >= 2


def test_a_short_period_over_easter_holds_two_working_days() -> None:
    maundy_thursday = date(2026, 4, 2)

    assert rolled("SE", maundy_thursday, date(2026, 4, 6)) == date(2026, 4, 8)
    assert rolled("SE", maundy_thursday, date(2026, 4, 3)) == date(2026, 4, 7)


@given(st.sampled_from(STATES), DAYS, st.integers(0, 60))
def test_a_longer_period_never_ends_earlier(country: str, start: date, length: int) -> None:
    shorter, longer = (rolled(country, start, start + timedelta(days=n)) for n in (length, length + 1))

    assert shorter <= longer


@given(DAYS, st.integers(0, 30))
def test_weekdays_are_counted_monday_to_friday(day: date, count: int) -> None:
    end = weekdays_after(day, count)
    counted = [n for n in range(1, (end - day).days + 1) if (day + timedelta(days=n)).weekday() < 5]

    assert len(counted) == count
    assert count == 0 or end.weekday() < 5
