"""The register: declared fields for declared purposes, sealed, found by blind index, read for a purpose and never unseen."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from django.db import connections

from lofte.core import clock
from lofte.core.models import BlindIndex, Person
from lofte.features.consent import verbs as consent
from lofte.features.register import reads, verbs
from lofte.features.register.models import Holding, Signal
from lofte.kernel.problems import Problem

pytestmark = [pytest.mark.django_db(databases=["default", "keys"])]
ADDRESS = "kari.nordmann@example.no"


def hold(person, values, purpose):
    return verbs.hold(person, values, purpose, source="staff:1", market="NO", locale="nb")


def test_what_is_held_is_sealed_in_the_table(somebody):
    somebody(ADDRESS)

    with connections["default"].cursor() as cursor:
        cursor.execute("SELECT * FROM register_holding")
        content = repr([[bytes(c) if isinstance(c, memoryview) else c for c in row] for row in cursor.fetchall()])
    assert "kari" not in content.lower()
    assert "nordmann" not in content.lower()


@pytest.mark.parametrize(
    "written", ["kari.nordmann@example.no", " Kari.Nordmann@EXAMPLE.no ", "KARI.NORDMANN@example.no."]
)
def test_a_person_is_found_however_the_address_is_written(somebody, written):
    person = somebody(ADDRESS)

    assert reads.person_of("email", written) == person


@pytest.mark.parametrize(
    "other", ["kari.nordmann+news@example.no", "kari.nordmann@example.com", "ari.nordmann@example.no", "", "x"]
)
def test_another_address_finds_nobody(somebody, other):
    somebody(ADDRESS)

    assert reads.person_of("email", other) is None


def test_people_are_not_found_by_fields_that_are_not_indexed(somebody):
    somebody()

    with pytest.raises(Problem, match=r"register\.undeclared"):
        reads.person_of("name", "Kari Nordmann")


def test_an_address_belongs_to_one_person(somebody):
    somebody(ADDRESS)

    with pytest.raises(Problem, match=r"register\.taken"):
        somebody("KARI.nordmann@example.no")


def test_a_phone_may_be_shared_and_then_points_at_nobody(somebody):
    one, two = somebody("one@example.no"), somebody("two@example.no")
    hold(one, {"phone": "21 00 00 00"}, "customer")
    assert reads.person_of("phone", "+47 21 00 00 00") == one
    hold(two, {"phone": "+4721000000"}, "customer")

    assert reads.person_of("phone", "0047 21000000") is None


@pytest.mark.parametrize(
    ("values", "purpose"),
    [
        ({"email": ADDRESS, "dialogue": "x"}, "newsletter"),
        ({"shoe-size": "43"}, "customer"),
        ({"email": ADDRESS}, "profiling"),
        ({"email": ADDRESS}, "statistics"),
    ],
)
def test_what_is_not_declared_is_not_held_and_nothing_of_the_rest_either(published, values, purpose):
    person = verbs.welcome()

    with pytest.raises(Problem, match=r"register\.undeclared"):
        hold(person, values, purpose)
    assert not Holding.everyone.exists()
    assert not BlindIndex.objects.exists()


@pytest.mark.parametrize(
    ("field", "value"), [("email", "kari"), ("email", "a b@c.no"), ("phone", "call me"), ("name", "a\x07b")]
)
def test_a_value_that_is_none_is_refused_without_being_repeated(published, field, value):
    with pytest.raises(Problem, match=r"register\.bad-value") as refused:
        hold(verbs.welcome(), {field: value}, "customer")
    assert value not in str(refused.value)


def test_a_new_value_replaces_the_old_one_and_its_index(somebody):
    person = somebody(ADDRESS)
    hold(person, {"email": "new@example.no"}, "customer")

    assert reads.person_of("email", ADDRESS) is None
    assert reads.person_of("email", "new@example.no") == person
    assert Holding.objects.of(person).filter(field="email").count() == 1


def test_an_address_held_for_two_purposes_stays_findable_until_both_are_gone(somebody):
    person = somebody(ADDRESS)
    hold(person, {"email": ADDRESS}, "answers")
    one, two = Holding.objects.of(person).filter(field="email").values_list("id", flat=True)

    verbs.drop(person, [one])
    assert reads.person_of("email", ADDRESS) == person
    verbs.drop(person, [two])
    assert reads.person_of("email", ADDRESS) is None


def test_each_letter_and_call_is_its_own_holding(somebody):
    person = somebody()
    for text in ("Ringte", "Skrev", "Møttes"):
        hold(person, {"dialogue": text}, "customer")

    assert {each.value for each in reads.holdings_of(person, "customer", by="staff:1", fields=["dialogue"])} == {
        "Ringte",
        "Skrev",
        "Møttes",
    }


def test_a_read_names_its_purpose_and_leaves_a_look(somebody):
    person = somebody()
    reads.holdings_of(person, "customer", by="staff:7")

    look = reads.looks_of(person)[0]
    assert (look.by, look.purpose, look.allowed) == ("staff:7", "customer", True)
    assert look.fields == ["company", "email", "name"]


def test_a_purpose_sees_only_what_is_held_for_it(somebody):
    person = somebody()
    hold(person, {"dialogue": "Spurte om pris"}, "answers")

    assert {each.field for each in reads.holdings_of(person, "answers", by="staff:7")} == {"dialogue"}


@pytest.mark.parametrize(
    ("purpose", "reason"),
    [("profiling", "undeclared-purpose"), ("statistics", "undeclared-purpose"), ("newsletter", "no-consent")],
)
def test_a_purpose_that_may_not_is_refused_and_the_attempt_is_kept(somebody, purpose, reason):
    person = somebody()

    with pytest.raises(Problem, match=reason):
        reads.holdings_of(person, purpose, by="staff:7")
    assert [(look.allowed, look.reason) for look in reads.looks_of(person)] == [(False, reason)]


def test_a_field_the_purpose_does_not_declare_is_refused_even_where_a_row_says_otherwise(somebody):
    person = somebody()
    Holding.objects.of(person).filter(field="company").update(purpose="answers")

    with pytest.raises(Problem, match="undeclared-field"):
        reads.holdings_of(person, "answers", by="staff:7")


def test_after_withdrawal_the_purpose_reads_nothing_more(subscriber):
    person = subscriber()
    assert reads.value_of(person, "email", "newsletter", by="outreach")
    consent.withdraw(person, "newsletter", method="portal")

    with pytest.raises(Problem, match="no-consent"):
        reads.value_of(person, "email", "newsletter", by="outreach")


def test_the_end_of_a_relation_starts_its_clock(somebody):
    with clock.at(datetime(2027, 5, 31, tzinfo=UTC)):
        person = somebody()
        assert all(each.due is None for each in reads.holdings_of(person, "customer", by="staff:1"))
        relation = reads.relations_of(person)[0]
    with clock.at(datetime(2028, 2, 29, tzinfo=UTC)):
        verbs.end_relation(person, relation.id)
        verbs.end_relation(person, relation.id)
        due = {each.due for each in reads.holdings_of(person, "customer", by="staff:1")}

    assert due == {datetime(2029, 2, 28, tzinfo=UTC)}


def test_interest_moves_the_clock_and_only_forwards(subscriber):
    start = datetime(2026, 3, 1, tzinfo=UTC)
    with clock.at(start):
        person = subscriber()
    with clock.at(start + timedelta(days=100)):
        verbs.record_signal(person, "mail_click")
    with clock.at(start + timedelta(days=50)):
        verbs.record_signal(person, "mail_click")

    assert Signal.objects.of(person).get(kind="mail_click").at == start + timedelta(days=100)
    assert {row.due_at for row in Holding.objects.of(person)} == {datetime(2028, 6, 9, tzinfo=UTC)}


def test_interest_that_no_clock_counts_is_refused(somebody):
    with pytest.raises(Problem, match=r"register\.undeclared"):
        verbs.record_signal(somebody(), "horoscope")


def test_an_unknown_relation_is_refused(published):
    with pytest.raises(Problem, match=r"register\.undeclared"):
        verbs.begin_relation(verbs.welcome(), "friend", market="NO", locale="nb")


def test_a_deadline_written_past_the_verbs_is_seen_as_drift(subscriber):
    person = subscriber()
    assert reads.drifted(person) == []
    Holding.objects.of(person).update(due_at=clock.now() + timedelta(days=9999))

    assert len(reads.drifted(person)) == 3


def test_when_the_policy_drops_a_purpose_its_data_falls_due(somebody, republish):
    person = somebody()
    republish(lambda policy: [policy["purposes"].pop("customer"), policy["relations"].pop("customer")])
    verbs.refresh_due(person)

    assert {row.clock for row in Holding.objects.of(person)} == {"undeclared"}


def test_rows_are_reached_only_through_their_person(somebody):
    somebody()

    with pytest.raises(Problem, match=r"register\.no-person"):
        Holding.objects.count()
    with pytest.raises(Problem, match=r"register\.no-person"):
        Holding.objects.filter(field="email")
    with pytest.raises(TypeError):
        Holding.objects.of("not a person")
    with pytest.raises(TypeError):
        Holding.objects.create(field="email")


def test_saving_a_row_names_its_person_in_the_statement(somebody, django_assert_num_queries):
    row = Holding.objects.of(somebody()).first()

    with django_assert_num_queries(1) as seen:
        row.save(update_fields=["market"])
    where = seen.captured_queries[0]["sql"].partition("WHERE")[2]
    assert "person_id" in where
    assert '"id"' in where


def test_a_row_moved_to_another_person_in_memory_changes_nothing(somebody):
    row = Holding.objects.of(somebody()).first()
    row.person_id, row.market = uuid4(), "SE"

    with pytest.raises(Exception, match="did not affect any rows"):
        row.save(update_fields=["market"])


def test_a_person_id_says_nothing_about_when(published):
    assert {verbs.welcome().version for _ in range(3)} == {4}
    assert Person.objects.count() == 3
