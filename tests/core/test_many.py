"""Statements about many rows at once say what the ORM says, on whichever database there is."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest
from django.db import IntegrityError, connection, transaction

from lofte.core import many
from lofte.core.models import Action, Duty, Person, new_person_id

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
