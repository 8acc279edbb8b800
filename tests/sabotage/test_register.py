"""Break what the register is careful about: purposes, declared fields, seals, keys, doors. Exactly that promise turns red."""

from contextlib import contextmanager

import pytest
from django.db import connection
from django.test import override_settings

from lofte.core import holdings, mail, roles
from lofte.core.keys.models import OwnerKey
from lofte.core.models import Person
from lofte.features.register import reads as register_reads
from lofte.features.register import verbs as register
from lofte.features.register.models import Holding, Look, Relation
from lofte.features.rights import verbs as rights
from lofte.probes import data_secured
from lofte.probes.instruments import customer
from lofte.rules.controls import LOCALES, all_controls, reason

pytestmark = pytest.mark.xdist_group("sabotage")

CAREFUL = frozenset({"P05", "P06", "P07", "P13", "P16", "P17", "P28", "P29", "P30"})
"""The promises a person of the register could notice these by; the others read pages and publications."""


@pytest.fixture
def acquaintance(system):
    """A customer in the register, gone again after the test."""
    person = register.welcome()
    register.begin_relation(person, "customer", market="SE", locale="sv")
    given = {"source": "staff:1", "market": "SE", "locale": "sv"}
    register.hold(person, {"email": "berit@example.se", "name": "Berit Lund"}, "customer", **given)
    yield person
    if Person.objects.filter(pk=person).exists():
        rights.erase(person)


def _in_every_language(system, promise, part):
    """The reason names the place in each language, and says more than the place."""
    said = {locale: system.reason(promise, locale) for locale in LOCALES}
    assert all(part in text and len(text) > len(part) + 20 for text in said.values())
    assert len({said["sv"], said["nb"], said["fi"], said["en-GB"]}) == 4


def test_a_look_without_purpose_breaks_p06(system, broken_by, acquaintance):
    Look.objects.create(person_id=acquaintance, by="staff:1", purpose="", fields=["email"], allowed=True, reason="")

    assert broken_by(CAREFUL) == {"P06"}
    assert "1 reads of personal data" in system.reason("P06")
    _in_every_language(system, "P06", "1 ")


def test_a_register_that_serves_an_undeclared_purpose_breaks_p06(system, broken_by, monkeypatch):
    demand = register_reads.demand

    def obliging(person_id, purpose, fields, *, by):
        demand(person_id, "rights" if purpose.startswith("probe-") else purpose, fields, by=by)

    monkeypatch.setattr(register_reads, "demand", obliging)

    assert broken_by(CAREFUL) == {"P06"}
    assert "gave out data for a purpose that nobody declared" in system.reason("P06")


def test_a_purpose_used_beyond_its_declaration_breaks_p06(system, broken_by, acquaintance):
    register.hold(acquaintance, {"phone": "+46 8 465 004 21"}, "contact", source="staff:1", market="SE", locale="sv")
    Holding.objects.of(acquaintance).filter(field="phone").update(purpose="newsletter", basis="consent")

    assert broken_by(CAREFUL) == {"P06"}
    _in_every_language(system, "P06", "newsletter: phone")


def test_a_letter_for_a_purpose_nobody_declared_breaks_p06(system, broken_by, acquaintance, monkeypatch):
    monkeypatch.setattr(mail, "BY_LAW", {**mail.BY_LAW, "probe-undeclared": ""})

    assert broken_by(CAREFUL) == {"P06"}
    assert "put in the queue" in system.reason("P06")


@contextmanager
def _column(table, name):
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {table} ADD COLUMN {name} text NULL")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute(f"ALTER TABLE {table} DROP COLUMN {name}")


def test_a_column_nobody_declared_breaks_p06(system, broken_by):
    with _column("register_relation", "mood"):
        assert broken_by(CAREFUL) == {"P06"}

    _in_every_language(system, "P06", "register_relation.mood")


def test_a_field_nobody_declared_breaks_p06(system, broken_by, monkeypatch):
    monkeypatch.delitem(holdings._declared[Holding], "wording")

    assert broken_by(CAREFUL) == {"P06"}
    assert "Holding.wording" in system.reason("P06")


def test_a_customer_field_nobody_declared_breaks_p16(system, broken_by, acquaintance):
    Holding.objects.of(acquaintance).filter(field="name").update(field="shoe-size")

    assert broken_by(CAREFUL) == {"P16"}
    _in_every_language(system, "P16", "shoe-size")


def test_a_register_that_takes_any_customer_field_breaks_p16(system, broken_by, monkeypatch):
    declared_field = register._declared_field

    def easy(published, declared, purpose, field):
        return declared_field(published, declared, purpose, "name" if field == "shoe-size" else field)

    monkeypatch.setattr(register, "_declared_field", easy)

    assert broken_by(CAREFUL) == {"P16"}


def test_a_customer_item_from_nowhere_breaks_p16(system, broken_by, acquaintance):
    Holding.objects.of(acquaintance).filter(field="name").update(source="")

    assert broken_by(CAREFUL) == {"P16"}
    assert "no source" in system.reason("P16")


def test_a_plain_text_column_breaks_p05(system, broken_by, acquaintance):
    Holding.objects.of(acquaintance).filter(field="name").update(source="staff berit@example.se")

    assert broken_by({"P05", "P06", "P07", "P13", "P16", "P17"}) == {"P05"}
    _in_every_language(system, "P05", "register_holding.source")


def test_a_value_that_was_never_sealed_breaks_p05(system, broken_by, acquaintance):
    row = Holding.objects.of(acquaintance).get(field="name")
    Holding.objects.of(acquaintance).filter(field="name").update(sealed=b"Berit Lund of Solna, a customer since 2019")
    try:
        assert broken_by({"P05", "P06", "P07", "P13", "P16", "P17"}) == {"P05"}
    finally:
        Holding.objects.of(acquaintance).filter(field="name").update(sealed=row.sealed)

    _in_every_language(system, "P05", "register_holding.sealed")


def test_a_person_without_a_key_of_their_own_breaks_p05(system, broken_by, acquaintance):
    wrapped = OwnerKey.objects.get(owner=acquaintance)
    OwnerKey.objects.filter(owner=acquaintance).delete()
    try:
        assert broken_by({"P05", "P06", "P07", "P13", "P16", "P17"}) == {"P05"}
    finally:
        wrapped.save(force_insert=True)

    assert "1 people" in system.reason("P05")


def test_a_console_that_a_password_alone_opens_breaks_p05(system, broken_by, monkeypatch):
    monkeypatch.setattr(roles, "wants_second_factor", lambda *_: False)

    assert broken_by(CAREFUL) == {"P05"}
    _in_every_language(system, "P05", "/console/people/")


def test_a_read_that_leaves_no_trace_breaks_p05(system, broken_by, monkeypatch):
    demand = register_reads.demand

    def discreet(person_id, purpose, fields, *, by):
        demand(person_id, purpose, fields, by=by)
        if by == "probe" and purpose == "rights":
            last = Look.objects.of(person_id).filter(by=by).order_by("-at").values_list("pk", flat=True)[0]
            Look.objects.of(person_id).filter(pk=last)._raw_delete(using="default")

    monkeypatch.setattr(register_reads, "demand", discreet)

    assert broken_by(CAREFUL) == {"P05"}
    assert "no trace" in system.reason("P05")


@pytest.mark.parametrize(
    "change, status, part",
    [
        ({"LOFTE_ORIGIN": "http://www.elsewhere.example"}, "broken", "http://www.elsewhere.example"),
        ({"EMAIL_HOST": "mx.elsewhere.example"}, "broken", "mx.elsewhere.example"),
        ({"LOFTE_ORIGIN": "https://elsewhere.invalid"}, "unproved", "https://elsewhere.invalid"),
    ],
)
def test_what_travels_in_clear_breaks_p05_and_what_cannot_be_reached_proves_nothing(system, change, status, part):
    told = data_secured.Secured(
        data_secured.Stores(9, people=1), _ways_with(change), data_secured.doors.Doors(True), recorded=True
    )

    verdict = all_controls()["data_secured"].verdict(told, {})

    assert verdict.status == status
    assert all(part in reason("data_secured", verdict, locale) for locale in LOCALES)


def _ways_with(change):
    """The ways data would travel under other settings; nothing is sent anywhere for it."""
    with override_settings(**change):
        return data_secured._ways()


def test_customer_data_that_no_relation_will_ever_end_breaks_p07(system, broken_by, acquaintance):
    Relation.objects.of(acquaintance)._raw_delete(using="default")

    assert broken_by({"P06", "P07", "P13", "P16", "P17"}) == {"P07"}


def test_the_canary_is_a_whole_customer(system):
    policy = system.world().published.policy

    assert customer.relation_of(policy) == "customer"
    assert customer.purposes_of(policy, "customer") == ("customer",)
    assert set(customer.interests_of(policy)) == {
        "contact", "answers", "material", "application", "partnership", "supply",
    }  # fmt: skip
