"""Two records of one person become one: nothing lost, nothing doubled, of two words the stricter, and only by two people."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Group, User
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lofte.core import approvals, blind, clock, codes, holdings, merging, obligations, ports, vault
from lofte.core.keys.models import OwnerKey
from lofte.core.models import Action, BlindIndex, Entry, Mail, Person
from lofte.features.consent import reads as consents
from lofte.features.consent import verbs as consent
from lofte.features.register import attachments, duplicates, reads, search, verbs
from lofte.features.register import merging as register
from lofte.features.register.models import Attachment, Dialogue, Holding, Likeness, Look, Merged, Placement, Relation
from lofte.features.rights import verbs as rights
from lofte.kernel.problems import Problem

database = pytest.mark.django_db(databases=["default", "keys"])
kept_for_good = pytest.mark.django_db(databases=["default", "keys"], transaction=True)
HERE = {"source": "import:fair", "market": "NO", "locale": "nb"}


@pytest.fixture
def rich(republish, published):
    """The small policy with titles, roles and names found by their parts."""

    def widen(policy):
        policy["fields"]["name"]["indexed"] = True
        policy["fields"] |= {each: {"kind": "text", "category": "work"} for each in ("title", "role")}
        policy["purposes"]["customer"]["fields"] += ["title", "role"]

    return republish(widen)


@pytest.fixture
def kari(rich, somebody):
    return somebody("kari@example.no", "Kari Nordmann")


@pytest.fixture
def again(rich, somebody):
    """The same Kari, met at a fair under another address."""
    return somebody("kari.n@work.example.no", "kari nordmann")


def note(person, text, **changed):
    how = {"medium": "phone", "direction": "out", "at": clock.now() - timedelta(days=1), "by": "import", "market": "NO"}
    return verbs.note(person, text, "customer", locale="nb", **(how | changed))


def values(person):
    return sorted(
        (each.field, each.purpose, each.value) for each in reads.open_all(person, "security", by="probe").values()
    )


@database
def test_everything_of_the_second_record_is_the_firsts_and_the_second_is_gone(kari, again):
    verbs.hold(again, {"phone": "22 00 00 00"}, "customer", **HERE)
    talk = note(again, "Møttes på messen")
    attachments.attach(again, talk, "kort.pdf", b"%PDF-1.7", by="staff:1")

    register.merge(kari, again, by="staff:1")

    assert reads.person_of("email", "kari.n@work.example.no") == kari
    assert reads.person_of("email", "kari@example.no") == kari
    assert reads.person_of("phone", "+47 22000000") == kari
    seen = reads.file_of(kari, "customer", by="test")
    assert [each.text for each in seen.dialogue] == ["Møttes på messen"]
    file = attachments.of(kari, [talk])[0]
    assert attachments.open_one(kari, file.id, "customer", by="test")[1] == b"%PDF-1.7"
    assert not Person.objects.filter(pk=again).exists()
    for model in holdings.models_of_persons():
        assert not model._base_manager.filter(person_id=again).exists(), model


@database
def test_what_stood_in_both_is_kept_once_and_what_went_is_noted(kari, again):
    register.merge(kari, again, by="staff:1")

    assert [each for each in values(kari) if each[0] in ("name", "company")] == [
        ("company", "customer", "Nordmann og datter"),
        ("name", "customer", "Kari Nordmann"),
    ]
    assert Relation.objects.of(kari).count() == 1
    once = register.history(kari, own=True)[0]["kept_once"]
    assert sorted((each["field"], each["value"]) for each in once) == [
        ("company", "Nordmann og datter"),
        ("name", "kari nordmann"),
    ]


@database
def test_places_in_one_organisation_become_one_and_others_stand_beside_it(kari, again):
    verbs.place(kari, {"company": "Fjord AS", "title": "CFO"}, "customer", **HERE)
    verbs.place(again, {"company": "fjord as", "title": "cfo", "role": "decides"}, "customer", **HERE)
    verbs.place(again, {"company": "Fjell ASA", "title": "CFO"}, "customer", **HERE)

    register.merge(kari, again, by="staff:1")

    places = reads.file_of(kari, "customer", by="test").places
    assert sorted((each.company, each.title, each.role) for each in places) == [
        ("Fjell ASA", "CFO", ""),
        ("Fjord AS", "CFO", "decides"),
    ]
    assert Holding.objects.of(kari).filter(field="title").count() == 2


@database
def test_a_title_that_differs_is_not_lost(kari, again):
    verbs.place(kari, {"company": "Fjord AS", "title": "CFO"}, "customer", **HERE)
    verbs.place(again, {"company": "Fjord AS", "title": "CEO"}, "customer", **HERE)

    register.merge(kari, again, by="staff:1")

    assert {value for field, _, value in values(kari) if field == "title"} == {"CFO", "CEO"}
    assert Placement.objects.of(kari).count() == 1


WORDS = ["granted", "withdrawn", None]


@database
@pytest.mark.parametrize("first", WORDS)
@pytest.mark.parametrize("second", WORDS)
@pytest.mark.parametrize("first_is_later", [True, False])
def test_of_two_words_on_a_purpose_the_stricter_holds_whenever_it_was_said(kari, again, first, second, first_is_later):
    said = [(kari, first), (again, second)]
    for step, (person, word) in enumerate(reversed(said) if first_is_later else said):
        with clock.at(clock.now() - timedelta(days=9 - step)):
            if word:
                consent.grant(person, "newsletter", market="NO", locale="nb", shown="form.newsletter", method="portal")
            if word == "withdrawn":
                consent.withdraw(person, "newsletter", method="portal")
    events = sum(len(consents.events_of(person)) for person in (kari, again))

    register.merge(kari, again, by="staff:1")

    standing = consents.standings(kari).get("newsletter")
    assert (standing.action if standing else None) == (
        "withdrawn" if "withdrawn" in (first, second) else first or second
    )
    now = consents.events_of(kari)
    assert len([each for each in now if each.method != "merged"]) == events


@database
def test_an_objection_in_either_record_stops_the_use(kari, again):
    consent.object_to(again, "answers", method="portal")
    register.merge(kari, again, by="staff:1")

    with pytest.raises(Problem, match="objected"):
        reads.demand(kari, "answers", ["email"], by="test")


@database
def test_after_a_merge_the_person_may_say_otherwise(kari, again):
    consent.grant(kari, "newsletter", market="NO", locale="nb", shown="form.newsletter", method="portal")
    consent.grant(again, "newsletter", market="NO", locale="nb", shown="form.newsletter", method="portal")
    consent.withdraw(again, "newsletter", method="portal")
    register.merge(kari, again, by="staff:1")
    assert not consents.is_granted(kari, "newsletter")

    consent.grant(kari, "newsletter", market="NO", locale="nb", shown="form.newsletter", method="portal")
    assert consents.is_granted(kari, "newsletter")


@database
def test_looks_letters_links_and_places_in_the_log_follow(kari, again, log):
    reads.holdings_of(again, "customer", by="test")
    code = codes.issue("open", again, market="NO", locale="nb", lasts=timedelta(minutes=9))
    consent.object_to(again, "answers", method="portal")
    from lofte.core import outbox

    outbox.drain()
    before = Entry.objects.of(again).count()
    assert before

    register.merge(kari, again, by="staff:1")

    assert Look.objects.of(kari).filter(by="test").count() == 1
    assert codes.redeem(code, "open").person_id == kari
    assert Entry.objects.of(kari).count() >= before


@database
def test_a_fact_on_its_way_reaches_the_log_and_the_one_who_stays(kari, again, log):
    consent.object_to(again, "answers", method="portal")
    register.merge(kari, again, by="staff:1")
    from lofte.core import outbox

    outbox.drain()

    assert Entry.objects.of(kari).filter(kind="consent.objected").exists()


@kept_for_good
def test_the_key_of_the_one_who_goes_is_destroyed_once_the_merge_stands(kari, again):
    with transaction.atomic():
        register.merge(kari, again, by="staff:1")
        transaction.set_rollback(True)
    assert vault.has_key(again)
    assert reads.person_of("email", "kari.n@work.example.no") == again

    register.merge(kari, again, by="staff:1")
    assert not vault.has_key(again)
    assert vault.is_erased(again)


@database
def test_nobody_is_merged_with_themselves_with_nobody_or_with_somebody_who_has_not_confirmed(kari):
    for other in (kari, verbs.welcome(provisional=True), register.now(kari)):
        with pytest.raises(Problem):
            register.merge(kari, other, by="staff:1")


@database
def test_a_room_that_does_not_say_how_stops_the_merge(kari, again, monkeypatch):
    room = next(room for room in holdings.rooms() if room.name == "core")
    monkeypatch.setitem(holdings._rooms, "core", holdings.Room("core"))
    codes.issue("open", again, market="NO", locale="nb", lasts=timedelta(minutes=9))
    assert room.merge

    with pytest.raises(Problem, match=r"merge\.left-behind"), transaction.atomic():
        register.merge(kari, again, by="staff:1")
    assert Person.objects.filter(pk=again).exists()


@database
def test_two_people_must_agree_and_then_it_is_done(kari, again):
    anna, berit = (User.objects.create_user(name, is_staff=True, id=n) for n, name in ((91, "anna"), (92, "berit")))
    for user in (anna, berit):
        user.groups.add(Group.objects.get_or_create(name="lead")[0])
    asked = register.ask(kari, again, by=f"staff:{anna.pk}")

    with pytest.raises(Problem, match=r"approvals\.own"):
        approvals.decide(asked, f"staff:{anna.pk}", True)
    assert Person.objects.filter(pk=again).exists()
    approvals.decide(asked, f"staff:{berit.pk}", True)

    assert register.now(again) == kari
    assert Merged.objects.of(kari).get().by == f"staff:{anna.pk}"
    assert Action.objects.filter(action="people.merged").exists()


@database
def test_erasing_the_one_who_stayed_leaves_nothing_of_either(kari, again, log):
    verbs.place(again, {"company": "Fjord AS", "title": "CFO"}, "customer", **HERE)
    attachments.attach(again, note(again, "Møttes på messen i Bergen"), "kort.pdf", b"%PDF-1.7", by="staff:1")
    register.merge(kari, again, by="staff:1")

    assert rights.erase(kari, by="staff:1").is_complete
    for model in (Holding, Attachment, Dialogue, Merged, Likeness):
        assert not model.everyone.exists()


@database
def test_what_is_owed_elsewhere_for_the_one_who_goes_is_owed_for_the_one_who_stays(kari, again):
    from lofte.core.models import Obligation, new_id

    row_id = new_id()
    Obligation.objects.create(
        id=row_id, subject=again, owner=again, what="withdraw", system="crm", about=new_id(),
        sealed=vault.opener(again).seal(row_id, b"{}"), due=clock.now(),
    )  # fmt: skip

    register.merge(kari, again, by="staff:1")

    row = Obligation.objects.get()
    assert (row.subject, row.owner) == (kari, kari)
    assert vault.opener(kari).open(row_id, row.sealed) == b"{}"
    assert obligations.shown_to(kari)


# --- nothing lost, nothing doubled, whatever the two held -------------------------------------------------------------

NAMES = st.sampled_from(["Kari Nordmann", "KARI  NORDMANN", "Kari N. Berg", "Åse Ødegård"])
PHONES = st.sampled_from(["22 00 00 00", "+4722000000", "0047 22 00 00 01"])
COMPANIES = st.sampled_from(["Fjord AS", "fjord as", "Fjell ASA"])
RECORD = st.fixed_dictionaries({
    "held": st.lists(
        st.one_of(
            st.tuples(st.just("name"), NAMES, st.sampled_from(["customer", "answers"])),
            st.tuples(st.just("phone"), PHONES, st.sampled_from(["customer", "answers"])),
        ), max_size=4,
    ),
    "said": st.lists(st.sampled_from(["Ringte", "Skrev", "Møttes"]), max_size=3),
    "places": st.lists(st.tuples(COMPANIES, st.sampled_from(["", "CFO", "cfo", "CEO"])), max_size=3),
    "consents": st.lists(st.sampled_from(["grant", "withdraw"]), max_size=3),
})  # fmt: skip


@database
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(first=RECORD, second=RECORD)
def test_nothing_is_lost_and_nothing_doubled_whatever_the_two_held(rich, first, second):
    with transaction.atomic():
        people = [_person(record) for record in (first, second)]
        before = [_content(person) for person in people]
        words = [consents.standings(person).get("newsletter") for person in people]

        register.merge(*people, by="staff:1")

        after = _content(people[0])
        assert set(after["values"]) == set(before[0]["values"]) | set(before[1]["values"])
        assert after["said"] == sorted([*before[0]["said"], *before[1]["said"]])
        assert after["placed"] == sorted(set(before[0]["placed"]) | set(before[1]["placed"]))
        loose = [each for each in after["values"] if each[0] in ("name", "phone", "email")]
        assert len(loose) == len(set(loose))
        found = {row.hash for row in BlindIndex.objects.filter(person_id=people[0])}
        assert found >= before[0]["found"] | before[1]["found"]
        standing = consents.standings(people[0]).get("newsletter")
        strict = "withdrawn" if any(word and word.action == "withdrawn" for word in words) else "granted"
        assert (standing.action if standing else None) == (strict if any(words) else None)
        assert not reads.drifted(people[0])
        transaction.set_rollback(True)
    OwnerKey.objects.filter(owner__in=people).delete()


def _person(record):
    person = verbs.welcome()
    verbs.begin_relation(person, "customer", market="NO", locale="nb")
    verbs.hold(person, {"email": f"{person.hex}@example.no"}, "customer", **HERE)
    for field, value, purpose in record["held"]:
        verbs.hold(person, {field: value}, purpose, **HERE)
    for text in record["said"]:
        note(person, text)
    for company, title in record["places"]:
        verbs.place(person, {"company": company} | ({"title": title} if title else {}), "customer", **HERE)
    for word in record["consents"]:
        if word == "grant":
            consent.grant(person, "newsletter", market="NO", locale="nb", shown="form.newsletter", method="portal")
        else:
            consent.withdraw(person, "newsletter", method="portal")
    return person


def _content(person):
    rows = reads.open_all(person, "security", by="probe").values()
    hashes = {row.id: row.hash for row in Holding.objects.of(person)}
    same = [(row.field, row.purpose, hashes[row.id] or blind.normalise("name", row.value)) for row in rows]
    return {
        "values": [each for each in same if each[0] != "dialogue"],
        "said": sorted(row.value for row in rows if row.field == "dialogue"),
        "placed": sorted((each.organisation, each.purpose) for each in Placement.objects.of(person)),
        "found": {row.hash for row in BlindIndex.objects.filter(person_id=person)},
    }


# --- who may be in the register twice ---------------------------------------------------------------------------------


@database
def test_the_same_name_in_the_same_organisation_is_proposed_and_never_merged(kari, again, somebody):
    other = somebody("kari@other.example.no", "Kari Nordmann")
    verbs.correct_value(other, Holding.objects.of(other).get(field="company").id, "Fjell ASA")

    assert [(each.other, each.reason) for each in duplicates.alike(kari)] == [(again, "name")]
    duplicates.find(clock.now())
    assert [{each.one, each.other} for each in duplicates.proposed()] == [{kari, again}]
    assert Person.objects.count() == 3


@database
def test_the_same_number_is_proposed_unless_it_is_a_switchboard(kari, somebody):
    people = [kari, *(somebody(f"n{n}@example.no", f"Nomen Nescio{n}") for n in range(5))]
    for person in people[:2]:
        verbs.hold(person, {"phone": "22 00 00 00"}, "customer", **HERE)
    assert [(each.other, each.reason) for each in duplicates.alike(kari)] == [(people[1], "phone")]
    for person in people[2:]:
        verbs.hold(person, {"phone": "22 00 00 00"}, "customer", **HERE)

    assert duplicates.alike(kari) == []
    duplicates.find(clock.now())
    assert duplicates.proposed() == []


@database
def test_a_longer_form_of_the_name_is_alike_and_a_single_word_is_not(kari, somebody):
    longer, bare = somebody("k@example.no", "Kari Anne Nordmann"), somebody("b@example.no", "Kari")

    assert {each.other for each in duplicates.alike(kari)} == {longer}
    assert duplicates.alike(bare) == []


@database
def test_what_somebody_settled_is_not_proposed_again(kari, again):
    duplicates.find(clock.now())
    duplicates.settle(again, kari, by="staff:1")

    duplicates.find(clock.now())
    assert duplicates.proposed() == []
    assert duplicates.alike(kari) == []


@database
def test_a_pair_that_is_no_longer_alike_is_forgotten(kari, again):
    duplicates.find(clock.now())
    verbs.correct_value(again, Holding.objects.of(again).get(field="name").id, "Ola Dunk")

    duplicates.find(clock.now() + timedelta(days=1))
    assert duplicates.proposed() == []


@database
def test_searching_again_doubles_nothing_and_an_erased_person_is_in_no_pair(kari, again, log):
    assert duplicates.find(clock.now()) == 1
    assert duplicates.find(clock.now()) == 0
    assert rights.erase(again, by="staff:1").is_complete

    assert not Likeness.everyone.exists()


@database
def test_a_merge_settles_the_pair(kari, again):
    duplicates.find(clock.now())
    register.merge(kari, again, by="staff:1")

    assert duplicates.count_proposed() == 0
    assert [each.name for each in search.find("Kari Nordmann", "customer", by="test").people] == ["Kari Nordmann"]


@database
def test_moving_rows_needs_no_room_to_know_another(kari, again):
    assert {room.name for room in holdings.rooms() if room.merge} >= {
        "consent",
        "core",
        "obligations",
        "outreach",
        "register",
    }
    assert merging.merge_people.__module__ == "lofte.core.merging"
    assert ports.register().attachments(kari) == []
    assert not Mail.objects.of(kari).exists()
