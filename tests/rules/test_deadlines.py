"""Deadlines as arithmetic: never earlier than the period, always on a day somebody works, whatever the zone and season."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lofte.kernel.problems import Problem
from lofte.rules.catalogue import LOCALES
from lofte.rules.clocks import add_period
from lofte.rules.deadlines import (
    Received,
    Wait,
    acknowledge_by,
    appeal_deadline,
    breach_notices,
    rights_deadline,
)
from lofte.rules.holidays import is_working_day
from lofte.rules.packs import law_pack, laws, value_at

DAYS = st.dates(date(2023, 7, 1), date(2090, 12, 31))
ROLLING = st.sampled_from(["FI", "GB", "SE"])


def at(day: date, law: str = "SE", hour: int = 12) -> datetime:
    return datetime.combine(day, time(hour), ZoneInfo(law_pack(law).zone))


def due(law: str, day: date, **facts: object) -> date:
    return rights_deadline(law_pack(law), Received(at(day, law), **facts), at(day, law)).due  # type: ignore[arg-type]  # facts by name


@given(st.sampled_from(laws()), DAYS)
def test_no_deadline_ends_before_its_plain_period(law: str, day: date) -> None:
    found = rights_deadline(law_pack(law), Received(at(day, law)), at(day, law))
    period = value_at(law_pack(law), "rights_deadline", day).value

    assert found.due >= add_period(day, period["add"])
    assert found.extended_due is not None
    assert found.extended_due >= add_period(day, period["add"], period["extend"])
    assert day < found.aim_by <= found.due == found.notice_by < found.extended_due


@given(ROLLING, DAYS)
def test_a_rolled_deadline_falls_on_a_working_day_within_a_week_of_the_plain_one(law: str, day: date) -> None:
    found = rights_deadline(law_pack(law), Received(at(day, law)), at(day, law))

    assert all(
        is_working_day(law_pack(law).country, each) for each in (found.due, found.extended_due, found.aim_by) if each
    )
    assert found.due - add_period(day, "P1M") <= timedelta(days=5)


@given(st.sampled_from(laws()), DAYS)
def test_a_later_receipt_never_falls_due_earlier(law: str, day: date) -> None:
    assert due(law, day) <= due(law, day + timedelta(days=1))


@given(DAYS)
def test_norway_is_not_moved_and_says_when_it_might_be(day: date) -> None:
    found = rights_deadline(law_pack("NO"), Received(at(day, "NO")), at(day, "NO"))

    assert found.due == add_period(day, "P1M")
    assert (found.may_be is None) is is_working_day("NO", found.due)
    assert ("may_be_later" in [note.key for note in found.notes]) is (found.may_be is not None)


def test_the_day_of_receipt_is_the_controllers_day() -> None:
    late = datetime(
        2026, 3, 1, 23, 30, tzinfo=UTC
    )  # already 2 March in Stockholm and Helsinki, still 1 March in London

    assert rights_deadline(law_pack("SE"), Received(late), late).due == date(2026, 4, 2)
    assert rights_deadline(law_pack("GB"), Received(late), late).due == date(2026, 4, 1)
    assert rights_deadline(law_pack("SE"), Received(late), late, "Europe/London").due == date(2026, 4, 1)


def test_an_instant_without_a_zone_has_no_day() -> None:
    with pytest.raises(ValueError, match="zone"):
        rights_deadline(law_pack("SE"), Received(datetime(2026, 3, 1)), datetime(2026, 3, 1))  # noqa: DTZ001  # the point of it


def test_a_request_before_the_law_is_a_problem() -> None:
    with pytest.raises(Problem, match=r"law\.value-expired"):
        due("US-CO", date(2023, 6, 30))


def test_the_law_in_force_on_the_day_of_receipt_decides() -> None:
    old = rights_deadline(law_pack("GB"), Received(at(date(2026, 2, 4), "GB")), at(date(2026, 11, 22), "GB"))
    new = rights_deadline(law_pack("GB"), Received(at(date(2026, 2, 5), "GB")), at(date(2026, 11, 22), "GB"))

    assert (old.citation, new.citation) == ("UK GDPR 12(3)", "UK GDPR 12A (DUAA s.76), 4A (Sch 11 para 3)")


RECEIVED = date(2026, 3, 2)


def wait(first: str, last: str | None) -> Wait:
    return Wait(at(date.fromisoformat(first), "GB"), at(date.fromisoformat(last), "GB") if last else None)


def gb(*clarifications: Wait, right: str = "access", today: str = "2026-03-20", **more: object) -> object:
    request = Received(at(RECEIVED, "GB"), right, clarifications=clarifications, **more)  # type: ignore[arg-type]  # by name
    return rights_deadline(law_pack("GB"), request, at(date.fromisoformat(today), "GB"))


def test_only_an_access_request_in_the_united_kingdom_stops_for_a_clarification() -> None:
    asked = wait("2026-03-10", "2026-03-19")

    assert gb(asked).due == date(2026, 4, 13)
    assert gb(asked, right="erasure").due == date(2026, 4, 2)
    assert due("SE", RECEIVED, clarifications=[asked]) == due("SE", RECEIVED)


def test_days_inside_two_pauses_are_counted_once_and_the_day_of_receipt_not_at_all() -> None:
    assert gb(wait("2026-03-10", "2026-03-16"), wait("2026-03-14", "2026-03-19")).due == date(2026, 4, 13)
    assert gb(wait("2026-03-02", "2026-03-02")).due == gb().due


def test_while_the_person_has_not_answered_the_clock_stands_and_says_since_when() -> None:
    standing = gb(wait("2026-03-10", None), today="2026-03-19")

    assert (standing.due, standing.stopped_since) == (date(2026, 4, 13), date(2026, 3, 10))
    assert "clock_stands" in [note.key for note in standing.notes]
    assert all(note.said(locale) for note in standing.notes for locale in LOCALES)


def test_asking_after_the_last_day_revives_nothing() -> None:
    assert gb(wait("2026-04-20", "2026-05-20"), today="2026-06-01").due == gb().due


def test_the_month_begins_with_identity_and_fee_where_they_were_asked_for() -> None:
    assert gb(identity=wait("2026-03-03", "2026-03-12")).due == date(2026, 4, 13)
    assert gb(identity=wait("2026-03-03", "2026-03-12"), fee=wait("2026-03-03", "2026-03-16")).due == date(2026, 4, 16)
    assert due("SE", RECEIVED, identity=wait("2026-03-03", "2026-03-12")) == due("SE", RECEIVED)


def test_identity_not_yet_shown_means_a_clock_that_has_not_begun() -> None:
    found = gb(identity=wait("2026-03-03", None), today="2026-03-16")

    assert (found.due, found.stopped_since) == (date(2026, 4, 16), date(2026, 3, 3))


@given(DAYS.filter(lambda day: day >= date(2026, 2, 5)), st.integers(1, 20), st.integers(0, 40))
def test_a_pause_never_brings_the_day_nearer_and_never_adds_more_than_itself(
    day: date, after: int, length: int
) -> None:
    asked = day + timedelta(days=after)
    paused = Wait(at(asked, "GB"), at(asked + timedelta(days=length), "GB"))

    plain, longer = due("GB", day), due("GB", day, clarifications=[paused])

    assert plain <= longer
    assert add_period(day, "P1M") + timedelta(days=length + 1) <= longer
    assert longer - add_period(day, "P1M") <= timedelta(days=length + 6)


@given(st.sampled_from(["SE", "NO", "FI", "GB"]), st.datetimes(datetime(2020, 1, 1), datetime(2040, 1, 1)))  # noqa: DTZ001
def test_seventy_two_hours_are_hours_that_pass_whatever_the_clocks_do(law: str, naive: datetime) -> None:
    aware = naive.replace(tzinfo=ZoneInfo(law_pack(law).zone))
    (notice,) = breach_notices(law_pack(law), aware)

    assert notice.instant is not None
    assert notice.instant.astimezone(UTC) - aware.astimezone(UTC) == timedelta(hours=72)
    assert notice.day == notice.instant.date()


def test_both_changes_of_the_clock() -> None:
    stockholm = ZoneInfo("Europe/Stockholm")
    spring = datetime(2026, 3, 28, 12, tzinfo=stockholm)
    autumn = datetime(2026, 10, 24, 12, tzinfo=stockholm)

    assert breach_notices(law_pack("SE"), spring)[0].instant == datetime(2026, 3, 31, 13, tzinfo=stockholm)
    assert breach_notices(law_pack("SE"), autumn)[0].instant == datetime(2026, 10, 27, 11, tzinfo=stockholm)


@pytest.mark.parametrize(
    "residents, told",
    [
        (499, ["residents"]),
        (500, ["residents", "attorney_general"]),
        (1000, ["residents", "attorney_general"]),
        (1001, ["residents", "attorney_general", "consumer_bureaus"]),
        (None, ["residents", "attorney_general", "consumer_bureaus"]),
    ],
)
def test_colorado_counts_residents_and_an_unknown_number_tells_everybody(
    residents: int | None, told: list[str]
) -> None:
    assert [each.to for each in breach_notices(law_pack("US-CO"), at(date(2026, 6, 1)), residents)] == told


def test_only_the_united_kingdom_asks_for_an_acknowledgement_and_only_colorado_hears_appeals() -> None:
    day = at(date(2026, 11, 22))

    assert [law for law in laws() if acknowledge_by(law_pack(law), day)] == ["GB"]
    assert [law for law in laws() if appeal_deadline(law_pack(law), day)] == ["US-CO"]
