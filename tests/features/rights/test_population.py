"""The population of the benchmark is what the register's own verbs would leave: what is measured is what people meet."""

from datetime import timedelta

import pytest
from bench import settle as bulk
from bench.population import people
from bench.world import publish_example
from django.apps import apps

from lofte.core import clock, outbox, publication
from lofte.core.models import BlindIndex, Person
from lofte.features.consent import verbs as consent
from lofte.features.register import reads, verbs
from lofte.features.rights import reads as rights
from lofte.features.rights import verbs as claims

pytestmark = [pytest.mark.django_db(databases=["default", "keys"], transaction=True)]
_OF_ITS_OWN = {
    "at",
    "id",
    "person_id",
    "sealed",
    "since",
    "due_at",
    "source",
    "started_at",
    "company",
    "title",
    "role",
    "wording",
}


@pytest.fixture
def example(home):
    publish_example(home)
    publication.forget()
    yield
    publication.forget()


def rows(label, person):
    """What stands in a table about a person, without ids, days and sources."""
    model = apps.get_model(label)
    names = [each.attname for each in model._meta.concrete_fields if each.attname not in _OF_ITS_OWN]
    return sorted(map(str, model._base_manager.filter(person_id=person).values_list(*names)))


def by_verbs(who, purpose):
    person = verbs.welcome()
    more = {"source": "import:fair", "market": who.market, "locale": who.locale}
    verbs.begin_relation(person, bulk._RELATION[who.kind], market=who.market, locale=who.locale)
    values = {field: value for field in bulk._FIELDS[who.kind] if (value := getattr(who, field))}
    placed = {field: values.pop(field) for field in ("company", "title", "role") if field in values}
    verbs.place(person, placed, purpose, **more)
    verbs.hold(person, values, purpose, **more)
    for note in who.notes:
        edition = {"market": who.market, "locale": who.locale}
        verbs.note(person, note, purpose, medium="phone", direction="in", at=clock.now(), by="staff:1", **edition)
    if who.is_subscriber:
        verbs.hold(person, {"email": who.email, "name": who.name}, "newsletter", **more)
        consent.grant(
            person, "newsletter", market=who.market, locale=who.locale, shown="form.newsletter", method="double_opt_in"
        )
    return person


def test_a_person_moved_in_by_the_bulk_is_the_person_the_verbs_would_have_made(example, log):
    bulk.settle(20, clock.now(), lambda done, total: None)
    for who in people(20):
        settled = {each.value for each in rights.overview(who.id).holdings}
        assert settled >= {who.name, who.email, who.company}
        assert reads.person_of("email", who.email) == who.id
        labels = ("register.Holding", "register.Placement", "register.Relation", "consent.Consent")
        bulked = {label: rows(label, who.id) for label in labels}
        index = set(BlindIndex.objects.filter(person_id=who.id).values_list("field", "hash"))
        assert claims.erase(who.id).is_complete

        person = by_verbs(who, bulk._PURPOSE[who.kind])
        outbox.drain(log)

        assert {label: rows(label, person) for label in labels} == bulked
        assert set(BlindIndex.objects.filter(person_id=person).values_list("field", "hash")) == index


def test_the_same_seed_is_the_same_people_and_every_market_is_among_them():
    first, again = list(people(50)), list(people(50))

    assert first == again
    assert {each.market for each in first} == {"SE", "NO", "FI", "GB", "US"}
    assert list(people(50, seed=1)) != first
    assert all(each.email.isascii() and each.email.endswith(".example") for each in first)


def test_deadlines_of_the_bulk_are_what_the_clocks_say(example, log):
    bulk.settle(20, clock.now() - timedelta(days=1), lambda done, total: None)

    assert not any(map(reads.drifted, Person.objects.values_list("id", flat=True)))
