"""People in organisations, and what was said with them: sealed, for declared purposes, gone with what they hang on."""

from datetime import timedelta

import pytest
from django.db import connections

from lofte.core import clock, holdings, ports
from lofte.features.register import organisations, reads, verbs
from lofte.features.register.models import Dialogue, ErasedMark, Holding, Look, Organisation, Placement, Signal
from lofte.features.rights import verbs as rights
from lofte.kernel.problems import Problem

pytestmark = [pytest.mark.django_db(databases=["default", "keys"])]
MORE = {"source": "staff:1", "market": "NO", "locale": "nb"}


@pytest.fixture
def with_titles(republish):
    """The small policy with what a customer relation adds."""

    def widen(policy):
        policy["fields"] |= {each: {"kind": "text", "category": "work"} for each in ("title", "role")}
        policy["purposes"]["customer"]["fields"] += ["title", "role"]
        policy["clocks"]["inactivity"]["signals"].append("reply")

    return republish(widen)


@pytest.fixture
def kari(published, somebody, with_titles):
    return somebody()


def place(person, company, purpose="customer", **values):
    return verbs.place(person, {"company": company, **values}, purpose, **MORE)


def note(person, text="Ringte om fakturaen", **changed):
    how = {
        "medium": "phone", "direction": "in", "at": clock.now() - timedelta(days=1), "by": "staff:7", "market": "NO",
        "locale": "nb",
    }  # fmt: skip
    return verbs.note(person, text, "customer", **(how | changed))


def test_a_person_has_a_place_with_title_and_role(kari):
    place(kari, "Fjord AS", title="Daglig leder", role="decides")

    seen = reads.file_of(kari, "customer", by="staff:1")
    assert [(each.company, each.title, each.role) for each in seen.places] == [("Fjord AS", "Daglig leder", "decides")]
    assert organisations.name_of(seen.places[0].organisation) == "Fjord AS"


def test_a_second_organisation_stands_beside_the_first(kari):
    place(kari, "Fjord AS", title="Daglig leder")
    place(kari, "Fjell ASA", title="Styreleder")

    seen = reads.file_of(kari, "customer", by="staff:1")
    assert {(each.company, each.title) for each in seen.places} == {
        ("Fjord AS", "Daglig leder"),
        ("Fjell ASA", "Styreleder"),
    }


def test_the_same_organisation_again_renews_title_and_role(kari):
    first = place(kari, "Fjord AS", title="Regnskapsfører")
    again = place(kari, " FJORD  as ", title="Daglig leder")

    assert first == again
    assert [each.title for each in reads.file_of(kari, "customer", by="staff:1").places] == ["Daglig leder"]
    assert Holding.objects.of(kari).filter(field="title").count() == 1


def test_a_company_given_on_a_form_becomes_the_place_it_names(kari):
    place(kari, "Nordmann og Datter")
    verbs.hold(kari, {"company": "Nordmann og datter"}, "customer", **MORE)

    assert Holding.objects.of(kari).filter(field="company").count() == 1


def test_two_colleagues_are_in_one_organisation(kari, somebody):
    ola = somebody("ola@example.no", "Ola Dunk")
    place(kari, "Fjord AS")
    place(ola, "fjord as")

    assert Organisation.objects.count() == 1


def test_a_title_is_refused_where_the_purpose_does_not_declare_it(somebody):
    person = somebody()

    with pytest.raises(Problem, match=r"register\.undeclared"):
        place(person, "Fjord AS", title="Daglig leder")
    assert not Placement.everyone.exists()
    assert not Organisation.objects.exists()


def test_a_name_put_right_moves_the_person_to_that_organisation(kari):
    place(kari, "Fjrod AS")
    company = Placement.objects.of(kari).get().company

    verbs.correct_value(kari, company, "Fjord AS")

    assert Placement.objects.of(kari).get().organisation == organisations.id_of("Fjord AS")
    assert Organisation.objects.count() == 1


def test_a_place_goes_with_the_company_and_the_organisation_with_the_last_person_there(kari):
    place(kari, "Fjord AS", title="Daglig leder")
    company = Placement.objects.of(kari).get().company

    verbs.drop(kari, [company])

    assert not Placement.everyone.exists()
    assert not Organisation.objects.exists()


def test_an_ended_place_is_shown_after_the_open_ones(kari):
    old = place(kari, "Fjord AS")
    verbs.leave(kari, old)
    place(kari, "Fjell ASA")

    seen = reads.file_of(kari, "customer", by="staff:1").places
    assert [(each.company, each.ended_at is None) for each in seen] == [("Fjell ASA", True), ("Fjord AS", False)]


def test_what_was_said_is_sealed_and_in_order(kari):
    note(kari, "Først en telefon", at=clock.now() - timedelta(days=9))
    note(kari, "Så et møte", medium="meeting", direction="out")

    seen = reads.file_of(kari, "customer", by="staff:1").dialogue
    assert [(each.text, each.medium, each.direction, each.by) for each in seen] == [
        ("Så et møte", "meeting", "out", "staff:7"),
        ("Først en telefon", "phone", "in", "staff:7"),
    ]
    with connections["default"].cursor() as cursor:
        for table in ("register_dialogue", "register_holding", "register_organisation"):
            cursor.execute(f"SELECT * FROM {table}")  # a table of ours
            assert b"telefon" not in repr(cursor.fetchall()).encode()


def test_a_look_at_the_file_is_one_look(kari):
    note(kari)
    reads.file_of(kari, "customer", by="staff:1")

    look = Look.objects.of(kari).get()
    assert (look.by, look.purpose, "dialogue" in look.fields) == ("staff:1", "customer", True)


@pytest.mark.parametrize(
    "changed", [{"medium": "telepathy"}, {"direction": "sideways"}, {"field": "name"}, {"field": "shoe-size"}]
)
def test_what_is_no_dialogue_is_refused(kari, changed):
    with pytest.raises(Problem):
        note(kari, **changed)
    assert not Dialogue.everyone.exists()


def test_nothing_is_noted_that_has_not_happened(kari):
    with pytest.raises(Problem, match=r"register\.bad-value"):
        note(kari, at=clock.now() + timedelta(days=1))


def test_dialogue_is_kept_only_for_purposes_that_declare_it(kari):
    with pytest.raises(Problem, match=r"register\.undeclared"):
        verbs.note(
            kari, "x", "newsletter", medium="mail", direction="in", at=clock.now(), by="staff:7", market="NO", locale="nb"
        )  # fmt: skip


def test_a_word_from_the_person_counts_as_interest_and_our_own_does_not(kari):
    note(kari, direction="out")
    assert not Signal.objects.of(kari).exists()
    note(kari, direction="in")
    assert Signal.objects.of(kari).get().kind == "reply"


def test_the_note_of_a_call_goes_with_its_words(kari):
    entry = note(kari)

    verbs.drop(kari, [entry])

    assert not Dialogue.everyone.exists()


def test_the_person_gets_places_and_dialogue_out(kari):
    place(kari, "Fjord AS", title="Daglig leder")
    note(kari)

    rooms = holdings.export_person(kari)
    assert [each["medium"] for each in rooms["register"]["dialogue"]] == ["phone"]
    assert len(rooms["register"]["places"]) == 1
    assert {"Fjord AS", "Daglig leder", "Ringte om fakturaen"} <= {each.value for each in ports.register().held(kari)}


def test_erasing_a_person_leaves_nothing_of_them_and_their_colleague_in_place(kari, somebody, log):
    ola = somebody("ola@example.no", "Ola Dunk")
    place(kari, "Kari Nordmann Regnskap")
    place(kari, "Fjord AS", title="Daglig leder")
    place(ola, "Fjord AS")
    note(kari)

    assert rights.erase(kari, by="staff:1").is_complete
    assert Placement.everyone.count() == 1
    assert [organisations.name_of(each.id) for each in Organisation.objects.all()] == ["Fjord AS"]
    assert not Dialogue.everyone.exists()
    assert ErasedMark.objects.count() == 1
