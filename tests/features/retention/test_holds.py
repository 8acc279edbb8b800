"""Holds and floors: a law keeps some fields longer, no other field, and no longer than it asks."""

from datetime import UTC, datetime, timedelta

import pytest

from lofte.core import clock, ports
from lofte.core.models import Action, Outbox, Person
from lofte.features.register import due
from lofte.features.register import verbs as keep
from lofte.features.register.models import Holding
from lofte.features.retention import holds, reads, verbs
from lofte.features.retention.models import Hold
from lofte.features.rights import verbs as rights
from lofte.kernel.problems import Problem

pytestmark = [pytest.mark.django_db(databases=["default", "keys"], transaction=True)]
START = datetime(2026, 1, 31, 12, tzinfo=UTC)
LATER = START + timedelta(days=800)
CLAIM = {"by": "staff:1", "reviewer": "lead"}


def placed(person, **more):
    given = {"until": LATER + timedelta(days=200), "fields": ["email"], **CLAIM} | more
    return holds.place(person, "claims", "GDPR 17(3)(e), case 12/2026", **given)


def test_a_hold_keeps_the_fields_it_names_past_their_clock_and_no_others(subscriber, log):
    with clock.at(START):
        person = subscriber()
        placed(person)

    verbs.sweep(LATER)

    assert {each.field for each in Holding.objects.of(person)} == {"email"}
    assert Holding.objects.of(person).get().clock == due.HOLD
    assert verbs.sweep(LATER + timedelta(days=201)).erased == 1


def test_a_hold_says_why_and_by_which_law(subscriber):
    with clock.at(START):
        person = subscriber()
        placed(person, purposes=["newsletter"])
        found = {each.field: each for each in reads.why(person)}

    assert (found["email"].rule, found["email"].law) == ("hold", "GDPR 17(3)(e), case 12/2026")
    assert (found["email"].clock, found["email"].end) == ("inactivity", datetime(2028, 1, 31, 12, tzinfo=UTC))
    assert (found["name"].rule, found["name"].law) == ("inactivity", "GDPR 5(1)(e)")


def test_a_released_hold_lets_the_clocks_go_on(subscriber, log):
    with clock.at(START):
        person = subscriber()
        hold = placed(person, fields=[])
    assert verbs.sweep(LATER).erased == 0

    holds.release(hold, "staff:7")

    assert verbs.sweep(LATER).erased == 1
    assert not Hold.objects.exists()


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"statute": "because"}, "hold.no-statute"),
        ({"citation": "  "}, "hold.no-statute"),
        ({"citation": "for ola@example.no"}, "hold.no-statute"),
        ({"until": None}, "hold.no-end"),
        ({"until": None, "review_at": START + timedelta(days=800)}, "hold.no-end"),
        ({"until": START - timedelta(days=1)}, "hold.past"),
        ({"until": None, "review_at": START}, "hold.past"),
        ({"reviewer": "somebody"}, "hold.no-reviewer"),
        ({"fields": ["shoe-size"]}, "hold.undeclared"),
        ({"purposes": ["statistics"]}, "hold.undeclared"),
        ({"person": None}, "hold.too-wide"),
        ({"person": None, "purposes": ["customer"], "market": "DK"}, "hold.undeclared"),
    ],
)
def test_a_hold_without_statute_end_or_bound_is_refused(subscriber, wrong, code):
    with clock.at(START):
        person = subscriber()
        given = {"person": person, "statute": "claims", "citation": "GDPR 17(3)(e)", "until": LATER} | wrong

        with pytest.raises(Problem) as refused:
            holds.place(given.pop("person"), given.pop("statute"), given.pop("citation"), **{**CLAIM, **given})

    assert refused.value.code == code
    assert not Hold.objects.exists()


def test_a_hold_written_past_the_verbs_without_a_law_keeps_nothing_and_is_reported(subscriber, log):
    with clock.at(START):
        person = subscriber()
        Hold.objects.create(
            person_id=person, statute="whim", citation="", until=LATER, reviewer="lead", placed_by="staff:1"
        )

    assert [each.person_id for each in holds.lawless()] == [person]
    assert verbs.sweep(LATER).erased == 1


def test_a_hold_past_its_end_keeps_nothing_and_is_taken_away(subscriber, log):
    with clock.at(START):
        placed(subscriber(), until=LATER, fields=[])

    assert holds.past_end(LATER) != []
    assert holds.end_passed(LATER) == 1
    assert holds.standing() == []
    assert verbs.sweep(LATER).erased == 1


def test_a_hold_nobody_looked_at_is_reported_until_somebody_does(subscriber):
    with clock.at(START):
        hold = placed(subscriber(), until=None, review_at=START + timedelta(days=30))
    with clock.at(START + timedelta(days=31)):
        assert [each.pk for each in holds.past_review(clock.now())] == [hold]

        holds.review(hold, START + timedelta(days=200), "staff:7")

        assert holds.past_review(clock.now()) == []


def test_a_hold_on_everybody_of_a_market_reaches_them_by_the_next_run(subscriber, log):
    with clock.at(START):
        person = subscriber()
        verbs.sweep(clock.now())
        holds.place(
            None,
            "decision",
            "Borgarting 26-1234",
            purposes=["newsletter"],
            market="NO",
            until=LATER + timedelta(days=9),
            **CLAIM,
        )
        verbs.sweep(clock.now())

    assert set(Holding.objects.of(person).values_list("clock", flat=True)) == {due.HOLD}
    assert verbs.sweep(LATER).erased == 0
    assert verbs.sweep(LATER + timedelta(days=10)).erased == 1


def test_whoever_asks_to_be_erased_goes_but_for_what_a_hold_keeps_and_that_goes_with_the_hold(subscriber, log):
    with clock.at(START):
        person = subscriber()
        hold = placed(person)
        done = rights.erase(person)

        assert done.is_complete
        assert {each.field for each in Holding.objects.of(person)} == {"email"}
        assert Hold.objects.get().pk == hold
        assert ports.retention().held_fields(person, START) == {("*", "email")}

        holds.release(hold, "staff:7")
        assert verbs.sweep(clock.now()).erased == 1

    assert not Person.objects.exists()
    assert not Hold.objects.exists()


def test_each_step_of_a_hold_is_evidence_and_names_nobody(subscriber):
    with clock.at(START):
        hold = placed(subscriber())
        holds.release(hold, "staff:7")

    assert list(Action.objects.filter(action__startswith="hold.").order_by("at").values_list("action", "actor")) == [
        ("hold.placed", "staff:1"), ("hold.released", "staff:7"),
    ]  # fmt: skip
    assert {each.kind for each in Outbox.objects.filter(kind__startswith="hold.")} == {"hold.placed", "hold.released"}
    assert "staff:" not in str([each.fact for each in Outbox.objects.all()])


# --- floors ---------------------------------------------------------------------------------------------------------


def voucher(person, market="NO", locale="nb"):
    values = {"name": "Kari Nordmann", "company": "Nordmann og datter"}
    keep.hold(person, values, "accounting", source="import", market=market, locale=locale)


@pytest.mark.parametrize(
    ("market", "last", "law"),
    [
        ("NO", datetime(2031, 12, 31, 23, tzinfo=UTC), "bokføringsloven"),
        ("SE", datetime(2033, 12, 31, 23, tzinfo=UTC), "BFL"),
        ("FI", datetime(2032, 12, 31, 22, tzinfo=UTC), "KPL"),
    ],
)
def test_a_record_goes_the_day_after_its_statute_and_not_by_its_clock(asking, somebody, market, last, law):
    with clock.at(START):
        person = somebody()
        voucher(person, market)

    found = {each.field: each for each in reads.why(person) if each.purpose == "accounting"}

    assert found.keys() == {"name", "company"}
    assert {each.due for each in found.values()} == {last}
    assert all(each.rule == "floor" and law in each.law for each in found.values())


def test_a_customer_who_left_is_gone_after_a_year_but_for_the_accounting_fields(asking, somebody, log):
    with clock.at(START):
        person = somebody()
        voucher(person)
        keep.end_relation(person, keep.begin_relation(person, "customer", market="NO", locale="nb"))

    verbs.sweep(START + timedelta(days=366))

    assert {(each.purpose, each.field) for each in Holding.objects.of(person)} == {
        ("accounting", "name"),
        ("accounting", "company"),
    }
    assert verbs.sweep(datetime(2031, 12, 31, 12, tzinfo=UTC)).erased == 0
    assert verbs.sweep(datetime(2031, 12, 31, 23, tzinfo=UTC)).erased == 1


def test_a_financial_year_that_ends_in_summer_moves_the_floor(published, republish, somebody):
    def broken_year(policy):
        policy["controllers"]["us"]["fiscal_year_end"] = "06-30"
        policy["purposes"]["accounting"]["record"] = "voucher"

    republish(broken_year)
    with clock.at(START):
        person = somebody()
        voucher(person)

    assert {each.due for each in reads.why(person) if each.rule == "floor"} == {datetime(2031, 6, 30, 22, tzinfo=UTC)}


def test_no_clock_takes_somebody_who_waits_for_an_answer(subscriber, log):
    from lofte.features.rights import requests

    with clock.at(START + timedelta(days=720)):
        person = subscriber()
        Holding.objects.of(person).update(since=START)
        asked = requests.receive(
            person,
            "access",
            by="person",
            channel="portal",
            market="NO",
            locale="nb",
            at=clock.now(),
            words="What do you have?",
        )
        requests.identify(asked, person, "staff:1")
    with clock.at(LATER):
        assert verbs.sweep(LATER).erased == 0
        assert {each.rule for each in reads.why(person)} == {"request"}
        requests.refuse(asked, "unfounded", "No.", "staff:1")
        assert verbs.sweep(LATER).erased == 1
