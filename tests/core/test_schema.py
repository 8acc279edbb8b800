"""The schema carries any size and the product declares its own data: every field of every table, in every room."""

import pytest
from django.core.management import call_command
from django.db import connection, models

from lofte.core import holdings
from lofte.core.holdings import Holds, NotPersonal

# Lookup tables: unique across persons, so their primary key is the hash itself (rule 3).
LOOKUPS = {"core.BlindIndex": "entry", "core.Code": "hash", "core.Counter": "key"}
# Personal for moments or by handle only, with no person to hang on; each says why in its docstring.
BETWEEN = {
    "rights.Ask",
    "rights.Erasure",
    "rights.Request",
    "rights.Step",
    "core.Outbox",
    "core.Obligation",
    "core.Approval",
    "register.ListInHand",
    "retention.Hold",
}


def label(model: type[models.Model]) -> str:
    return model._meta.label


def personal_tables() -> list[type[models.Model]]:
    return [
        model
        for model in holdings.our_models()
        if holdings.is_personal(model) and label(model) not in {"core.Person", *BETWEEN}
    ]


def test_every_field_of_every_table_is_declared():
    assert holdings.undeclared() == [], (
        "declare them in the room's holdings.py: Holds(purpose, field) or NotPersonal(reason)"
    )


def test_a_reason_is_given_wherever_a_field_is_called_not_personal():
    for model in holdings.our_models():
        for field in model._meta.concrete_fields:
            said = holdings.declaration(model, field)
            assert isinstance(said, Holds) or (isinstance(said, NotPersonal) and len(said.reason) > 5), label(model)


def test_a_field_nobody_declared_is_seen(monkeypatch):
    model = next(model for model in holdings.our_models() if label(model) == "register.Holding")
    declared = {name: said for name, said in holdings._declared[model].items() if name != "sealed"}
    monkeypatch.setitem(holdings._declared, model, declared)

    assert holdings.undeclared() == ["register.Holding.sealed"]


@pytest.mark.parametrize("model", personal_tables(), ids=label)
def test_every_personal_row_names_its_person_and_site(model):
    fields = {field.attname: field for field in model._meta.concrete_fields}
    if label(model) in LOOKUPS and "person_id" not in fields:
        return

    assert not fields["person_id"].null
    assert not fields["site_id"].null


@pytest.mark.parametrize("model", personal_tables(), ids=label)
def test_nothing_is_unique_across_persons_outside_the_lookup_tables(model):
    if label(model) in LOOKUPS:
        assert model._meta.pk.name == LOOKUPS[label(model)]
        return
    unique = [field.name for field in model._meta.concrete_fields if field.unique and not field.primary_key]
    across = [
        each.name
        for each in model._meta.constraints
        if isinstance(each, models.UniqueConstraint) and "person" not in each.fields
    ]

    assert unique == []
    assert across == []


@pytest.mark.parametrize("model", list(holdings.our_models()), ids=label)
def test_ids_are_made_in_python_and_never_by_a_sequence(model):
    assert not isinstance(model._meta.pk, models.AutoField)


@pytest.mark.parametrize("model", list(holdings.our_models()), ids=label)
def test_foreign_keys_lead_to_the_person_and_nowhere_else(model):
    for field in model._meta.concrete_fields:
        if field.is_relation:
            assert label(field.related_model) == "core.Person"


@pytest.mark.django_db(databases=["default", "keys"])
def test_the_migrations_are_what_the_models_say():
    ours = ["core", "keys", "register", "consent", "outreach", "rights", "retention"]
    call_command("makemigrations", *ours, check=True, dry_run=True, verbosity=0)


@pytest.mark.django_db
def test_postgresql_asks_once_what_still_names_a_person_who_goes():
    """`core.naming`: every constraint on persons refuses at once, and is still asked at the end by whoever writes."""
    if connection.vendor != "postgresql":
        pytest.skip("SQLite asks by its own means")
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT conrelid::regclass::text, confdeltype, condeferred FROM pg_constraint"
            " WHERE contype = 'f' AND confrelid = 'core_person'::regclass"
        )
        found = cursor.fetchall()

    theirs = {"register_holding", "core_entry", "consent_consent"}
    assert theirs <= {table for table, *_ in found}
    assert {tuple(how) for _, *how in found} == {("r", True)}
