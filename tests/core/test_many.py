"""Statements about many rows at once say what the ORM says, on whichever database there is."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest
from django.db import DatabaseError, IntegrityError, connection, connections, transaction  # noqa: F401  # asked for by a mark

from lofte.core import many
from lofte.core.models import Action, Duty, Person, new_person_id
from lofte.features.rights.models import Erasure

AT = datetime(2026, 3, 1, 12, 30, 0, 250_000, tzinfo=UTC)
pytestmark = pytest.mark.django_db(databases=["default", "keys"])


@pytest.fixture
def people(published):
    ids = [new_person_id() for _ in range(5)]
    many.write(Person, ({"id": each, "made_at": AT, "provisional": number > 2} for number, each in enumerate(ids)))
    return ids


def test_what_is_written_is_what_the_models_read(people):
    row = Person.objects.get(pk=people[4])

    assert (row.made_at, row.provisional, row.site_id) == (AT, True, Person().site_id)
    assert Person.objects.count() == 5


def test_a_row_that_is_there_is_refused_or_left_as_was_said(people):
    again = [{"id": people[0], "made_at": AT, "provisional": True}]

    with pytest.raises(IntegrityError), transaction.atomic():
        many.write(Person, again)
    many.write(Person, again, "DO NOTHING")

    assert not Person.objects.get(pk=people[0]).provisional


def test_documents_and_defaults_are_written_as_the_models_write_them(published):
    many.write(Action, [{"id": uuid4(), "action": "a.b", "actor": "sweep", "details": {"rows": 3}, "at": AT}])

    row = Action.objects.get()
    assert (row.details, row.at, row.action) == ({"rows": 3}, AT, "a.b")


def test_ids_are_asked_for_as_one_parameter(people, django_assert_num_queries):
    with django_assert_num_queries(1) as asked:
        found = set(Person.objects.filter(pk__in=many.among(people[:3])).values_list("pk", flat=True))
    _, given = many.among(people[:3]).as_sql(None, connection)

    assert found == set(people[:3])
    assert len(given) == 1
    assert len(asked) == 1
    assert not Person.objects.filter(pk__in=many.among([])).exists()


def test_texts_are_asked_for_as_one_parameter(published):
    many.write(Duty, [{"name": each, "every_s": 1, "next_due": AT} for each in ("it's", 'a "b"', "c")])

    found = Duty.objects.filter(name__in=many.among_texts(["it's", 'a "b"', "no"]))

    assert set(found.values_list("name", flat=True)) == {"it's", 'a "b"'}


def test_rows_come_as_the_driver_gives_them_and_are_known_again(people):
    known = many.stored(people)
    rows = list(many.rows_of(Person, ("id", "made_at", "provisional"), "id", people[:2], "provisional = false"))

    assert {known[stored] for stored, *_ in rows} == set(people[:2])
    assert {many.id_of(stored) for stored, *_ in rows} == set(people[:2])
    assert {many.bytes_of(stored) for stored, *_ in rows} == {each.bytes for each in people[:2]}
    assert {many.instant(at) for _, at, _ in rows} == {AT}
    assert {at for _, at, _ in rows} == {many.stored_instant(AT)}


def test_rows_that_are_the_same_are_counted(people):
    counted = {bool(provisional): count for provisional, count in many.counted(Person, ("provisional",), "id", people)}

    assert counted == {False: 3, True: 2}


def test_what_is_deleted_is_counted_by_whose_it_was(people):
    known = many.stored(people)

    gone = many.delete(Person, "id", [*people[:2], new_person_id()])

    assert {known[stored]: count for stored, count in gone.items()} == dict.fromkeys(people[:2], 1)
    assert set(Person.objects.values_list("id", flat=True)) == set(people[2:])


def test_each_row_is_given_values_of_its_own_and_the_others_stay(published):
    rows = [{"id": uuid4(), "action": "a.b", "actor": f"sweep{n}", "details": {"n": n}, "at": AT} for n in range(4)]
    many.write(Action, rows)
    said = [(f"moved{n}", {"said": "it's"}, rows[n]["id"]) for n in range(3)]

    many.update(Action, ["actor", "details"], said, "actor <> 'sweep2'")

    found = {row.id: (row.actor, row.details, row.at) for row in Action.objects.all()}
    assert [found[row["id"]] for row in rows] == [
        ("moved0", {"said": "it's"}, AT), ("moved1", {"said": "it's"}, AT), ("sweep2", {"n": 2}, AT), ("sweep3", {"n": 3}, AT),
    ]  # fmt: skip


def test_nothing_and_values_that_are_not_there_are_written_too(published):
    order = uuid4()
    many.write(
        Erasure, [{"id": order, "subject": order, "by": "sweep", "sealed": b"\0\xff", "started_at": AT, "next_at": AT}]
    )
    row = Erasure.objects.get()
    assert (row.indexes, bytes(row.sealed)) == ([], b"\0\xff")

    many.update(Erasure, ["subject", "sealed", "indexes"], [(None, None, [1, 2], order)])
    many.update(Erasure, ["subject"], [])
    many.write(Erasure, [])

    assert Erasure.objects.values_list("subject", "sealed", "indexes").get() == (None, None, [1, 2])


@pytest.mark.skipif("connections['default'].vendor == 'sqlite'", reason="SQLite has no longest text")
def test_what_is_too_long_for_its_column_is_refused_and_not_cut_off(published):
    with pytest.raises(DatabaseError), transaction.atomic():
        many.write(Action, [{"id": uuid4(), "action": "a" * 1_000, "actor": "b" * 1_000, "details": {}, "at": AT}])
