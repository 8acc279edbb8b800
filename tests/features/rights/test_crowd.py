"""Clearing a crowd in one reading: whoever is anywhere in any form is a suspect, and only suspects are searched for one by one."""

import base64
import hashlib
import random
from uuid import UUID

import pytest
from django.db import connection

from lofte.core import clock
from lofte.core.models import Person
from lofte.features.rights import residue, scan, together, verbs
from lofte.features.rights.crowd import Crowd
from lofte.features.rights.marks import marks_of
from lofte.features.rights.models import Erasure
from lofte.rules.model import DataField

SHAPES = {
    name: DataField.model_validate({"kind": kind, "category": "contact", "indexed": kind != "text"})
    for name, kind in (("email", "email"), ("name", "name"), ("phone", "phone"), ("note", "text"))
}
NAMES = ["Åsa Öberg", "Anne-Marie O’Brien", "Li Ek", "İpek Çelik", "Jürgen Groß", "Renée Rodríguez", "Ola Nordmann"]


def people(count):
    rng = random.Random(7)
    for number in range(count):
        name = NAMES[number % len(NAMES)]
        values = [
            ("name", f"{name} {number}"), ("email", f"some.body+{number}@example{number}.no"),
            ("phone", f"+47 9{rng.randrange(10**7):07}"), ("note", f"Ringte {number} ganger om “tilbudet” & fakturaen <i>."),
        ]  # fmt: skip
        yield f"p{number}", values, UUID(bytes=rng.randbytes(16), version=4)


@pytest.fixture
def crowd(home, settings):
    made = Crowd(
        (key, marks_of(residue.needles(values, SHAPES, person, brief=True))) for key, values, person in people(300)
    )
    yield made
    made.close()


def test_every_form_of_everybody_makes_a_suspect_wherever_it_stands(crowd):
    rng = random.Random(8)
    for key, values, person in list(people(300))[::23]:
        texts = residue.needles([(field, value) for field, value in values if SHAPES[field].kind == "text"], SHAPES)
        for needle in residue.needles(values, SHAPES, person):
            if needle.form == "hashed" and needle in texts:
                continue  # hashes of free text are looked for where few are searched for, not for a crowd
            data = rng.randbytes(rng.randrange(40)) + needle.data + rng.randbytes(rng.randrange(40))
            assert (key, "suspect") in crowd.held(data), needle
            if needle.any_case:
                for other in (
                    needle.data.decode().upper(),
                    needle.data.decode().title(),
                    needle.data.decode().swapcase(),
                ):
                    if scan.Wanted({key: [needle]}).held(other.encode()):
                        assert (key, "suspect") in crowd.held(b"x" + other.encode()), (needle, other)


@pytest.mark.parametrize("length", range(5, 30))
def test_a_value_of_any_length_makes_a_suspect_in_the_middle_of_a_text_and_at_its_end(length):
    value = "öabcdefghijklmnopqrstuvwxyzåäö"[: length - 1]
    made = Crowd([("somebody", marks_of([scan.Needle("raw", value.encode(), any_case=True)]))])
    for text in (f"ring {value} imorgon", f"ring {value}", value, f"Ring {value.upper()}, tack"):
        assert made.held(text.encode()) == {("somebody", "suspect")}, text
    assert made.held(f"ring {value[:3]} imorgon".encode()) == set()
    made.close()


def test_nobody_is_a_suspect_for_other_peoples_data(crowd):
    data = random.Random(9).randbytes(1 << 20)
    others = b"\0".join(
        hashlib.sha256(each.to_bytes(4)).hexdigest().encode() + base64.b64encode(each.to_bytes(8))
        for each in range(20_000)
    )
    assert crowd.held(data) == set()
    assert crowd.held(others) == set()
    assert crowd.held(b"Ola Nordmann 999, some.body+999@example.no, +47 00000000") == set()


@pytest.fixture
def table(home, published, db):
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE old_export (id integer PRIMARY KEY, note text, image text)")
    yield lambda note, image="": _insert(note, image)
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE old_export")


def _insert(note, image):
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO old_export (note, image) VALUES (%s, %s)", [note, image])


@pytest.mark.django_db(databases=["default", "keys"], transaction=True)
@pytest.mark.parametrize("image", ["", "x" * 100_000])
def test_a_crowd_is_cleared_but_who_was_copied_somewhere(somebody, log, table, monkeypatch, image):
    monkeypatch.setattr(together, "_FEW", 0)
    for number in range(1_100):  # more than the database puts together at once
        table(f"row {number}")
    table("sent to OLA3@Example.NO twice", image)
    kept = somebody("living@example.no", "Living Person")
    people = [somebody(f"ola{n}@example.no", f"Ola{n} Hansen") for n in range(6)]

    assert together.begin(people, "sweep") == 6
    assert list(Person.objects.values_list("id", flat=True)) == [kept]
    assert verbs.resume(clock.now()) == 5

    left = Erasure.objects.exclude(state="done").get()
    assert (left.subject, {each["where"] for each in left.residue}) == (people[3], {"default.old_export.note"})


@pytest.mark.django_db(databases=["default", "keys"], transaction=True)
def test_an_order_that_somebody_took_over_is_left_alone_by_the_first(somebody, log, monkeypatch):
    people = [somebody(f"ola{n}@example.no", f"Ola{n} Hansen") for n in range(3)]
    erase_rows, done = together._erase_rows, []

    def another_comes(batch):
        if not done:
            done.append(batch)
            together.begin(people, "sweep")  # another sweep takes the same people over, and ends its steps
        return erase_rows(batch)

    monkeypatch.setattr(together, "_erase_rows", another_comes)
    together.begin(people, "sweep")

    assert verbs.resume(clock.now()) == 3
    assert {row.counts["register_holding"] for row in Erasure.objects.all()} == {3}
    assert len([n for n in range(log.size()) if log.opened(n).kind == "erasure"]) == 3
