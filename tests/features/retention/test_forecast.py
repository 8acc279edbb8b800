"""What goes by a day, who stays and why, on real and on supposed days. Looking ahead writes nothing."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from lofte.core import clock
from lofte.features.register import verbs as keep
from lofte.features.retention import holds, reads, verbs
from lofte.features.rights import restriction

pytestmark = [pytest.mark.django_db(databases=["default", "keys"], transaction=True)]
START = datetime(2026, 1, 31, 12, tzinfo=UTC)
PRIMARY = "bokføringsloven LOV-2004-11-19-73 13, items 1-4"
UNTIL = datetime(2028, 3, 1, 23, tzinfo=UTC)


@pytest.fixture
def house(asking, somebody, subscriber, log):
    """Two who go, one who is held, one restricted, one who was a customer and keeps the accounting fields."""
    with clock.at(START):
        people = {name: subscriber(f"{name}@example.no", name.title()) for name in ("anna", "bo", "held", "still")}
        people["left"] = somebody("left@example.no", "Left Behind")
        keep.hold(people["left"], {"name": "Left Behind"}, "accounting", source="import", market="NO", locale="nb")
        keep.end_relation(people["left"], keep.begin_relation(people["left"], "customer", market="NO", locale="nb"))
        holds.place(
            people["held"], "claims", "GDPR 17(3)(e)", by="staff:1", reviewer="lead", until=UNTIL + timedelta(days=90)
        )
        restriction.restrict(people["still"], "person")
    return people


def test_the_forecast_counts_who_goes_who_is_held_and_why(house):
    seen = reads.forecast(UNTIL)

    assert (seen.whole, seen.people, seen.held, seen.registered) == (2, 3, 2, 5)
    assert {(each.rule, each.law, each.people, each.spared) for each in seen.kept} == {
        ("hold", "GDPR 17(3)(e)", 1, True),
        ("restriction", "GDPR 18(1)", 1, True),
        ("floor", PRIMARY, 1, False),
    }
    assert [(each.day, each.whole) for each in seen.days] == [(date(2027, 1, 31), 0), (date(2028, 1, 31), 2)]
    assert seen.days[1].by_clock == {"inactivity": 2}


def test_the_forecast_of_an_empty_house_is_empty(published):
    seen = reads.forecast(UNTIL)

    assert (seen.people, seen.whole, seen.held, seen.days, seen.kept, seen.stopped) == (0, 0, 0, (), (), "")


def test_the_forecast_says_that_the_brake_would_stop_it(asking, subscriber):
    with clock.at(START):
        for number in range(4):
            subscriber(f"p{number}@example.no", f"P {number}")

    assert reads.forecast(UNTIL).stopped == "people"


def test_looking_ahead_writes_nothing(house):
    with CaptureQueriesContext(connection) as seen:
        reads.forecast(UNTIL)
        reads.why(house["held"])

    written = [each["sql"] for each in seen if not each["sql"].lstrip().startswith("SELECT")]
    assert written == []


def test_what_was_foretold_is_what_the_sweep_takes(house):
    seen = reads.forecast(UNTIL)
    swept = verbs.sweep(UNTIL)

    assert (swept.erased, swept.people) == (seen.whole, seen.people)


def test_the_reasons_of_a_customer_who_is_one_still(somebody):
    with clock.at(START):
        person = somebody()

    assert {(each.rule, each.due) for each in reads.why(person)} == {("relation", None)}
