"""A sweep by odd clocks: leap days, ends of months, zones, and a clock that jumps."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from lofte.core import clock
from lofte.core.models import Person
from lofte.features.register import reads as register
from lofte.features.register import verbs as keep
from lofte.features.retention import loop, verbs
from lofte.features.rights import together
from lofte.features.rights.models import Erasure

pytestmark = [pytest.mark.django_db(databases=["default", "keys"], transaction=True)]
MINUTE = timedelta(minutes=1)


@pytest.mark.parametrize(
    ("since", "last"),
    [
        (datetime(2024, 2, 29, 12, tzinfo=UTC), datetime(2026, 2, 28, 12, tzinfo=UTC)),
        (datetime(2026, 2, 28, 12, tzinfo=UTC), datetime(2028, 2, 28, 12, tzinfo=UTC)),
        (datetime(2026, 8, 31, 12, tzinfo=UTC), datetime(2028, 8, 31, 12, tzinfo=UTC)),
        (datetime(2025, 12, 31, 23, 59, tzinfo=UTC), datetime(2027, 12, 31, 23, 59, tzinfo=UTC)),
    ],
)
def test_24_months_end_on_the_same_day_or_the_last_of_a_shorter_month(subscriber, log, since, last):
    with clock.at(since):
        subscriber()

    assert verbs.sweep(last - MINUTE).people == 0
    assert verbs.sweep(last).erased == 1


def test_a_year_after_the_end_of_a_relation_on_a_leap_day_is_the_last_of_february(somebody, log):
    with clock.at(datetime(2024, 1, 10, tzinfo=UTC)):
        person = somebody()
    with clock.at(datetime(2024, 2, 29, 8, tzinfo=UTC)):
        keep.end_relation(person, register.relations_of(person)[0].id)

    assert verbs.sweep(datetime(2025, 2, 28, 7, 59, tzinfo=UTC)).people == 0
    assert verbs.sweep(datetime(2025, 2, 28, 8, tzinfo=UTC)).erased == 1


def test_an_instant_is_the_same_in_every_zone(subscriber, log):
    with clock.at(datetime(2024, 3, 31, 23, 30, tzinfo=timezone(-timedelta(hours=7)))):  # the first of April here
        subscriber()

    tokyo = timezone(timedelta(hours=9))
    assert verbs.sweep(datetime(2026, 4, 1, 15, 29, tzinfo=tokyo)).people == 0
    assert verbs.sweep(datetime(2026, 4, 1, 15, 30, tzinfo=tokyo)).erased == 1


def test_a_clock_set_back_in_the_middle_erases_nobody_twice_and_ends_when_the_time_has_come_again(subscriber, log):
    now = datetime(2026, 6, 1, 12, tzinfo=UTC)
    with clock.at(now - timedelta(days=800)):
        people = [subscriber(f"p{n}@example.no") for n in range(3)]
    with clock.at(now):
        together.begin(people, "sweep")  # and the process dies before the search
    assert not Person.objects.exists()

    with clock.at(now - timedelta(hours=2)):
        assert loop.walk(clock.now()).people == 0
        together.resume(clock.now())
    with clock.at(now + MINUTE):
        together.resume(clock.now())

    assert set(Erasure.objects.values_list("state", flat=True)) == {"done"}
    assert len([n for n in range(log.size()) if log.opened(n).kind == "erasure"]) == 3


def test_a_clock_that_jumped_ahead_and_back_leaves_whoever_is_not_due(subscriber, log):
    now = datetime(2026, 6, 1, 12, tzinfo=UTC)
    with clock.at(now):
        person = subscriber()
        verbs.sweep(now)
    with clock.at(now + timedelta(days=600)):  # not far enough for any clock to strike
        assert verbs.sweep(clock.now()).people == 0
        assert verbs.recompute() == 1
    with clock.at(now):
        assert verbs.sweep(now).people == 0

    assert Person.objects.filter(pk=person).exists()


def test_whoever_shows_interest_while_the_sweep_is_under_way_stays(subscriber, log, monkeypatch):
    """The plan is older than the batch: each batch asks again what is due."""
    start = datetime(2024, 1, 1, tzinfo=UTC)
    with clock.at(start):
        people = [subscriber(f"p{n}@example.no") for n in range(4)]
    now = start + timedelta(days=800)
    monkeypatch.setattr(loop, "_PEOPLE", 2)
    sweep_some = loop._sweep_some

    def interest_between(some, *rest):
        sweep_some(some, *rest)
        for each in set(people) - set(some):
            if Person.objects.filter(pk=each).exists():
                keep.record_signal(each, "mail_click")

    monkeypatch.setattr(loop, "_sweep_some", interest_between)
    with clock.at(now):
        assert loop.walk(now).erased == 2
    assert Person.objects.count() == 2
