"""When a holding must be gone: calendar months as people count them, and the strictest of several clocks."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lofte.kernel.problems import Problem
from lofte.rules.clocks import Due, Life, add_period, due, strictest
from lofte.rules.model import Clock


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


# Hypothesis wants its bounds without a zone.
INSTANTS = st.datetimes(datetime(1990, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001

# Worked by hand on a calendar.
CALENDAR = [
    ("2026-01-31", "P1M", "2026-02-28"),
    ("2028-01-31", "P1M", "2028-02-29"),
    ("2026-02-28", "P1M", "2026-03-28"),
    ("2028-02-29", "P1Y", "2029-02-28"),
    ("2028-02-29", "P4Y", "2032-02-29"),
    ("2024-02-29", "P24M", "2026-02-28"),
    ("2026-12-31", "P2M", "2027-02-28"),
    ("2026-08-31", "P1M", "2026-09-30"),
    ("2026-11-22", "P24M", "2028-11-22"),
    ("2026-12-01", "P1Y1M1D", "2028-01-02"),
    ("2026-01-01", "P2W", "2026-01-15"),
    ("2026-12-31", "P1D", "2027-01-01"),
    ("1999-12-31", "P1Y2M", "2001-02-28"),
]


@pytest.mark.parametrize(("start", "period", "end"), CALENDAR)
def test_periods_are_calendar_periods(start, period, end):
    assert add_period(at(start), period) == at(end)


def test_the_hour_stays_and_hours_can_be_counted_too():
    assert add_period(at("2026-01-31T23:59:59"), "P1M") == at("2026-02-28T23:59:59")
    assert add_period(at("2026-01-01"), "PT48H") == at("2026-01-03")


def test_several_periods_are_one_and_a_day_can_be_counted_from_as_well():
    assert add_period(date(2026, 1, 31), "P1M", "P2M") == date(2026, 4, 30)
    assert add_period(add_period(date(2026, 1, 31), "P1M"), "P2M") == date(2026, 4, 28)
    with pytest.raises(Problem, match=r"clock\.bad-period"):
        add_period(date(2026, 1, 31), "PT72H")


def test_hours_pass_over_a_change_of_the_clocks_and_days_do_not_notice_it():
    noon = datetime(2026, 3, 28, 12, tzinfo=ZoneInfo("Europe/Stockholm"))

    assert add_period(noon, "PT72H").isoformat() == "2026-03-31T13:00:00+02:00"
    assert add_period(noon, "P3D").isoformat() == "2026-03-31T12:00:00+02:00"


@pytest.mark.parametrize("period", ["", "P", "24M", "P24", "PM", "P1M2", "P-1M", "P1.5M", "PX"])
def test_what_is_no_period_is_refused(period):
    with pytest.raises(Problem, match=r"clock\.bad-period"):
        add_period(at("2026-01-01"), period)


@given(INSTANTS, st.integers(0, 600))
def test_months_never_shorten_a_period_by_more_than_the_end_of_a_month(start, months):
    end = add_period(start, f"P{months}M")

    assert (end.year * 12 + end.month) - (start.year * 12 + start.month) == months
    assert start.day - 3 <= end.day <= start.day


@given(INSTANTS, st.integers(0, 300))
def test_a_longer_period_never_ends_earlier(start, months):
    assert add_period(start, f"P{months}M") <= add_period(start, f"P{months + 1}M")


INACTIVITY = Clock(kind="inactivity", period="P24M", signals=["mail_click"])
RELATION = Clock(kind="end_of_relation", period="P1Y")
AGE = Clock(kind="fixed_age", period="P7Y")
WITHDRAWAL = Clock(kind="withdrawal")
SINCE = at("2026-01-01")


def test_inactivity_counts_from_the_last_interest_the_clock_names():
    life = Life(SINCE, {"mail_click": at("2026-06-01"), "portal_visit": at("2027-01-01")})

    assert due("c", INACTIVITY, life) == Due(at("2028-06-01"), "c")


def test_inactivity_counts_from_the_beginning_while_nobody_showed_interest():
    assert due("c", INACTIVITY, Life(SINCE, {"mail_click": at("2025-01-01")})) == Due(at("2028-01-01"), "c")


def test_a_relation_that_lasts_runs_no_clock_and_one_that_ended_does():
    assert due("c", RELATION, Life(SINCE, {}, relation_open=True)) is None
    assert due("c", RELATION, Life(SINCE, {}, relation_ended=at("2027-05-31"))) == Due(at("2028-05-31"), "c")
    assert due("c", RELATION, Life(SINCE, {}, relation_open=True, relation_ended=at("2027-05-31"))) is None


def test_without_any_relation_the_time_counts_from_when_the_data_came():
    assert due("c", RELATION, Life(SINCE, {})) == Due(at("2027-01-01"), "c")


def test_a_fixed_age_takes_no_notice_of_interest():
    assert due("c", AGE, Life(SINCE, {"mail_click": at("2030-01-01")})) == Due(at("2033-01-01"), "c")


def test_withdrawal_is_at_once_and_does_not_run_before():
    assert due("c", WITHDRAWAL, Life(SINCE, {})) is None
    assert due("c", WITHDRAWAL, Life(SINCE, {}, withdrawn=at("2026-03-03"))) == Due(at("2026-03-03"), "c")


def test_the_strictest_clock_wins_and_says_its_name():
    assert strictest([Due(at("2028-01-01"), "a"), None, Due(at("2027-01-01"), "b")]) == Due(at("2027-01-01"), "b")
    assert strictest([None]) is None
    assert add_period(SINCE, "P1D") - SINCE == timedelta(days=1)
