"""Groups of people: described by what the policy allows, worked out when asked, seen by those who are in them."""

from datetime import timedelta

import pytest
from django.db import connections
from django.test.utils import CaptureQueriesContext

from lofte.core import clock, holdings, tasks
from lofte.features.consent import verbs as consent
from lofte.features.outreach.events.models import Event, Registration
from lofte.features.outreach.materials.models import Grant, Material
from lofte.features.outreach.segments import counting, reads, sources, verbs
from lofte.features.outreach.segments.matching import Condition
from lofte.features.outreach.segments.models import Segment
from lofte.features.register import verbs as register
from lofte.features.register.models import Look
from lofte.features.rights import reads as rights
from lofte.kernel.problems import Problem

pytestmark = [pytest.mark.django_db(databases=["default", "keys"])]
IN_SWEDEN = Condition("market", ("SE",))
BYRA = Condition("field", ("byrå",), field="company", how="contains")


def made(*conditions, name="Byråer", purpose="newsletter"):
    return verbs.describe(name, purpose, conditions, by="staff:1")


def everybody(segment, limit=100):
    found, after = [], None
    while people := reads.people_after(segment, after, limit):
        found += people
        after = people[-1]
    return found


# --- who is in it ---------------------------------------------------------------------------------------------------


def test_a_segment_finds_those_who_answer_to_all_its_conditions(reader):
    inside = reader("a@a.example", company="Byrån Ek")
    reader("b@b.example", company="Snickeri Ek")
    reader("c@c.example", company="Regnskapsbyrå", market="NO", locale="nb")

    assert everybody(made(IN_SWEDEN, BYRA)) == [inside]


def test_people_come_in_order_and_each_once_however_small_the_steps(reader):
    people = sorted(reader(f"p{number}@a.example", company="Byrå") for number in range(7))
    reader("other@a.example", company="Annat")

    for limit in (1, 2, 3, 100):
        assert everybody(made(BYRA), limit) == people


def test_a_long_walk_goes_on_past_people_who_do_not_match(reader, monkeypatch):
    monkeypatch.setattr(reads, "_BATCH", 2)
    for number in range(6):
        reader(f"p{number}@a.example", company="Annat")
    inside = [reader(f"q{number}@a.example", company="Byrå") for number in range(2)]

    assert sorted(everybody(made(BYRA), 1)) == sorted(inside)


def test_somebody_without_consent_is_in_no_segment_that_reads_their_data(reader):
    reader("a@a.example", company="Byrå", consents=False)
    withdrawn = reader("b@b.example", company="Byrå")
    consent.withdraw(withdrawn, "newsletter", method="portal")

    assert everybody(made(BYRA)) == []
    assert everybody(made(Condition("field", ("Snickeri",), field="company", how="is", without=True))) == []


def test_a_segment_reads_only_what_is_held_for_its_purpose(reader):
    person = reader("a@a.example")
    register.hold(person, {"company": "Byrå"}, "customer", source="staff:1", market="SE", locale="sv")

    assert everybody(made(BYRA)) == []


def test_relations_are_asked_for_and_left_out(reader):
    customer = reader("a@a.example", relation="customer")
    prospect = reader("b@b.example")

    assert everybody(made(Condition("relation", ("customer",)))) == [customer]
    assert everybody(made(Condition("relation", ("customer",), without=True))) == [prospect]


def test_a_relation_that_has_ended_no_longer_counts(reader):
    from lofte.features.register.models import Relation

    person = reader("a@a.example", relation="customer")
    row = Relation.objects.of(person).get()
    register.end_relation(person, row.id)

    assert everybody(made(Condition("relation", ("customer",)))) == []


def test_topics_are_used_and_who_has_chosen_none_reads_about_all(reader):
    chosen, nothing = reader("a@a.example", topics="product,events"), reader("c@c.example")
    reader("b@b.example", topics="insight")

    assert set(everybody(made(Condition("topic", ("product",))))) == {chosen, nothing}
    assert everybody(made(Condition("topic", ("insight",), without=True))) == [chosen]


def test_interest_is_used(reader):
    person = reader("a@a.example")
    reader("b@b.example")
    register.record_signal(person, "portal_visit")

    assert everybody(made(Condition("interest", ("portal_visit",), days=30))) == [person]
    assert everybody(made(Condition("interest", ("mail_click",), days=30))) == []


def test_who_asked_for_a_material_is_found_and_the_material_named(reader):
    asked = reader("a@a.example")
    reader("b@b.example")
    guide = Material.objects.create(
        slug="guide", markets=["SE"], words={"sv": {"title": "Guiden"}}, form="material", by="staff:1",
        state=Material.State.PUBLISHED, published_at=clock.now(),
    )  # fmt: skip
    soon = clock.now() + timedelta(days=7)
    Grant.objects.create(
        person_id=asked, material_id=guide.id, form="material", purpose="material", market="SE", locale="sv", left=5,
        ends_at=soon, due_at=soon,
    )  # fmt: skip

    assert everybody(made(Condition("material", (str(guide.id),)))) == [asked]
    assert sources.offered("material", "sv") == [(str(guide.id), "Guiden")]
    assert sources.offered("material", "nb") == [(str(guide.id), "Guiden")]


def test_who_registered_for_an_event_is_found_only_where_the_purpose_uses_registrations(reader, republish):
    def uses_registrations(policy):
        policy["fields"] |= {each: {"kind": "event", "category": "behaviour"} for each in ("interest", "registrations")}
        policy["purposes"]["newsletter"]["fields"] += ["interest", "registrations"]

    came = reader("a@a.example")
    reader("b@b.example")
    now = clock.now()
    event = Event.objects.create(
        slug="day", markets=["SE"], contents={"sv": {"title": "Dagen"}}, starts_at=now, ends_at=now, zone="Europe/Stockholm",
        capacity=5, form="event", keep="P30D", by="staff:1", state=Event.State.PUBLISHED,
    )  # fmt: skip
    Registration.objects.create(
        person_id=came, event_id=event.id, purpose="event", market="SE", locale="sv", wording="", version="", reference="A",
        state=Registration.State.REGISTERED, due_at=now + timedelta(days=30),
    )  # fmt: skip
    with pytest.raises(Problem):
        made(Condition("event", (str(event.id),)))

    republish(uses_registrations, version="2026-04")

    assert everybody(made(Condition("event", (str(event.id),)))) == [came]
    assert sources.offered("event", "fi") == [(str(event.id), "Dagen")]


def test_each_person_who_was_read_has_a_look_with_the_purpose(reader):
    inside, outside = reader("a@a.example", company="Byrå"), reader("b@b.example", company="Annat")

    assert reads.stretch_after(made(BYRA), None, 10).people == [inside]

    for person in (inside, outside):
        look = Look.objects.of(person).get()
        assert (look.by, look.purpose, look.fields, look.allowed) == ("segments", "newsletter", ["company"], True)


def test_a_segment_that_reads_nothing_leaves_no_look(reader):
    reader("a@a.example")

    everybody(made(IN_SWEDEN))

    assert not Look.everyone.exists()


# --- what it may ask ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "conditions, code",
    [
        ([], "segments.no-conditions"),
        ([IN_SWEDEN] * 25, "segments.no-conditions"),
        ([Condition("market", ("XX",))], "segments.value"),
        ([Condition("market", ())], "segments.value"),
        ([Condition("relation", ("friend",))], "segments.value"),
        ([Condition("interest", ("portal_visit",), days=0)], "segments.value"),
        ([Condition("interest", ("astrology",), days=10)], "segments.value"),
        ([Condition("event", ("42",))], "segments.field"),
        ([Condition("field", ("x",), field="phone")], "segments.field"),
        ([Condition("field", ("x",), field="title")], "segments.field"),
        ([Condition("field", ("x",), field="dialogue", how="contains")], "segments.field"),
        ([Condition("field", ("anna@a.example",), field="email", how="is")], "segments.how"),
        ([Condition("field", (" ",), field="company", how="contains")], "segments.words"),
        ([Condition("field", ("x" * 121,), field="company", how="is")], "segments.words"),
    ],
)
def test_what_the_policy_does_not_allow_is_refused_when_it_is_described(segment_policy, conditions, code):
    with pytest.raises(Problem) as refused:
        made(*conditions)

    assert refused.value.code == code
    assert not Segment.objects.exists()


@pytest.mark.parametrize("purpose", ["customer", "answers", "accounting", "statistics", "nothing"])
def test_a_segment_is_only_for_what_people_subscribe_to(segment_policy, purpose):
    with pytest.raises(Problem) as refused:
        made(IN_SWEDEN, purpose=purpose)

    assert refused.value.code == "segments.purpose"


def test_a_later_policy_that_allows_less_stops_the_segment(reader, republish):
    reader("a@a.example", company="Byrå")
    segment = made(BYRA)
    republish(lambda policy: policy["purposes"]["newsletter"]["fields"].remove("company"), version="2026-03")

    with pytest.raises(Problem) as refused:
        reads.people_after(segment, None, 10)

    assert refused.value.code == "segments.field"
    assert reads.faulty() == [segment]
    assert reads.segment(segment).fault.code == "segments.field"


def test_a_segment_that_was_put_away_finds_nobody_until_it_is_taken_out_again(reader):
    person = reader("a@a.example", company="Byrå")
    segment = made(BYRA)
    verbs.put_away(segment, by="staff:1")

    with pytest.raises(Problem) as refused:
        reads.people_after(segment, None, 10)
    assert refused.value.code == "segments.put-away"
    assert reads.holding(person) == []

    verbs.take_out(segment, by="staff:1")
    assert everybody(segment) == [person]


def test_a_change_counts_at_once(reader):
    person = reader("a@a.example", company="Snickeri")
    segment = made(BYRA)
    assert everybody(segment) == []

    verbs.change(segment, "Snickerier", [Condition("field", ("snickeri",), field="company", how="is")], by="staff:1")

    assert everybody(segment) == [person]
    assert reads.name_of(segment) == "Snickerier"


# --- how many -------------------------------------------------------------------------------------------------------


def counted(segment):
    while tasks.run_now(verbs.COUNT) is tasks.AGAIN:
        pass
    return reads.segment(segment).size


def test_a_count_is_told_only_where_the_group_is_large_enough(reader):
    for number in range(2):
        reader(f"a{number}@a.example", company="Byrå")
    for number in range(4):
        reader(f"b{number}@a.example", company="Annat")
    segment = made(BYRA)
    assert reads.segment(segment).size.is_counting

    size = counted(segment)
    assert (size.count, size.is_small, size.is_counting) == (None, True, False)

    reader("third@a.example", company="Byrå")
    verbs.recount(segment)
    size = counted(segment)
    assert (size.count, size.is_small) == (3, False)


def test_the_few_outside_are_not_told_by_the_count_either(reader):
    for number in range(5):
        reader(f"a{number}@a.example", company="Byrå")
    reader("one@a.example", company="Annat")

    size = counted(made(BYRA))

    assert (size.count, size.is_small, size.is_nearly_all) == (None, False, True)


def test_everybody_is_a_count_like_any_other(reader):
    for number in range(5):
        reader(f"a{number}@a.example", company="Byrå")

    assert counted(made(BYRA)).count == 5


def test_a_count_in_many_steps_is_the_same(reader, monkeypatch):
    monkeypatch.setattr(counting, "_STRETCH", 2)
    monkeypatch.setattr(counting, "_PER_ROUND", 1)
    for number in range(7):
        reader(f"a{number}@a.example", company="Byrå" if number % 2 else "Annat")

    assert counted(made(BYRA)).count == 3


def test_a_change_in_the_middle_of_a_count_begins_it_anew(reader, monkeypatch):
    monkeypatch.setattr(counting, "_STRETCH", 2)
    monkeypatch.setattr(counting, "_PER_ROUND", 1)
    for number in range(6):
        reader(f"a{number}@a.example", company="Byrå")
    for number in range(4):
        reader(f"b{number}@a.example", company="Snickeri")
    segment = made(BYRA)
    tasks.run_now(verbs.COUNT)

    verbs.change(segment, "Snickerier", [Condition("field", ("snickeri",), field="company", how="is")], by="staff:1")

    assert counted(segment).count == 4


def test_the_place_of_a_count_goes_with_the_person_it_stands_at(reader, monkeypatch):
    monkeypatch.setattr(counting, "_STRETCH", 2)
    monkeypatch.setattr(counting, "_PER_ROUND", 1)
    for number in range(6):
        reader(f"a{number}@a.example", company="Byrå")
    segment = made(BYRA)
    tasks.run_now(verbs.COUNT)
    place = Segment.objects.get().place
    assert place is not None

    holdings.erase_rows(place)

    assert Segment.objects.get().place is None
    assert counted(segment).count == 5


def test_a_segment_the_policy_no_longer_allows_is_not_counted(reader, republish):
    segment = made(BYRA)
    republish(lambda policy: policy["purposes"]["newsletter"]["fields"].remove("company"), version="2026-03")

    size = counted(segment)

    assert (size.count, size.is_counting) == (None, False)


# --- what the person sees -------------------------------------------------------------------------------------------


def test_a_person_sees_which_segments_hold_them_and_why(reader):
    person = reader("a@a.example", company="Byrån Ek")
    mine = made(IN_SWEDEN, BYRA, name="Svenska byråer")
    made(Condition("market", ("NO",)), name="Norge")

    (found,) = reads.holding(person)

    assert (found.id, found.name, found.purpose) == (mine, "Svenska byråer", "newsletter")
    assert found.conditions == (IN_SWEDEN, BYRA)
    assert found.uses == ("company",)


def test_what_the_person_sees_is_what_the_sending_finds(reader):
    people = [
        reader(f"p{number}@a.example", company="Byrå" if number % 2 else "Annat", consents=number != 3)
        for number in range(6)
    ]
    made(BYRA)
    made(IN_SWEDEN, name="Sverige")
    made(Condition("field", field="company", how="held", without=True), name="Utan företag")

    for segment in reads.segments():
        inside = set(everybody(segment.id))
        assert {each for each in people if segment.id in {one.id for one in reads.holding(each)}} == inside


def test_looking_at_ones_own_segments_is_ones_own_look(reader):
    person = reader("a@a.example", company="Byrå")
    made(BYRA)

    reads.holding(person)

    assert {each.by for each in Look.objects.of(person)} == {"person"}


def test_the_copy_names_the_segments_and_reads_nothing_twice_for_it(reader):
    person, other = reader("a@a.example", company="Byrå"), reader("b@b.example", company="Annat")
    made(BYRA)

    assert rights.access_package(person)["segments"] == [
        {
            "name": "Byråer", "purpose": "newsletter", "fields": ["company"],
            "conditions": [{"of": "field", "values": ["byrå"], "field": "company", "how": "contains"}],
        }
    ]  # fmt: skip
    assert rights.access_package(other)["segments"] == []
    assert {each.purpose for each in Look.objects.of(person)} == {"portal"}


def test_what_the_copy_says_is_what_the_sending_finds(reader):
    people = [
        reader(f"p{number}@a.example", company="Byrå" if number % 2 else "Annat", consents=number != 3)
        for number in range(4)
    ]
    register.record_signal(people[0], "portal_visit")
    made(BYRA)
    made(IN_SWEDEN, name="Sverige")
    made(Condition("interest", ("portal_visit",), days=30), name="Intresse")

    told = {each: {one["name"] for one in rights.access_package(each)["segments"]} for each in people}

    for segment in reads.segments():
        inside = set(everybody(segment.id))
        assert {each for each in people if segment.name in told[each]} == inside


def test_an_old_interest_lets_somebody_go(reader, monkeypatch):
    person = reader("a@a.example")
    register.record_signal(person, "portal_visit")
    segment = made(Condition("interest", ("portal_visit",), days=10))
    assert everybody(segment) == [person]

    later = clock.now() + timedelta(days=11)
    monkeypatch.setattr(clock, "now", lambda: later)

    assert everybody(segment) == []


def statements(ask):
    with CaptureQueriesContext(connections["default"]) as seen, CaptureQueriesContext(connections["keys"]) as keys:
        ask()
    return len(seen.captured_queries) + len(keys.captured_queries)


def test_a_copy_takes_no_more_statements_for_many_segments_than_for_one(reader):
    person = reader("a@a.example", company="Byrå", topics="product")
    made(IN_SWEDEN, BYRA)
    one = statements(lambda: rights.access_package(person))
    for number in range(6):
        made(
            BYRA, Condition("topic", ("product",)), Condition("interest", ("portal_visit",), days=30), name=f"S{number}"
        )

    assert statements(lambda: rights.access_package(person)) <= one
    assert one <= 30
