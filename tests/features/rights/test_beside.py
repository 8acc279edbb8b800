"""What a crowd is searched for by may be worked out in a second process: the same bytes, and nothing depends on it."""

import json
import os
import signal
import subprocess
import sys
from uuid import UUID, uuid4

import pytest

from lofte.core import clock
from lofte.core.models import Person
from lofte.features.rights import beside, residue, together, verbs
from lofte.features.rights.marks import SIZE, Marks, marks_of
from lofte.features.rights.models import Erasure
from lofte.rules.model import DataField

SHAPES = {
    name: DataField.model_validate({"kind": kind, "category": "contact", "indexed": True})
    for name, kind in (("email", "email"), ("name", "name"), ("phone", "phone"))
}
VALUES = [("name", "Åsa Öberg"), ("email", "asa.oberg@example.se"), ("phone", "+46 70 123 45 67")]


@pytest.fixture
def process(home):
    made = beside.Beside()
    yield made
    made.close()


def sets(marks: Marks) -> tuple[set[bytes], set[bytes]]:
    return tuple({each[at : at + SIZE] for at in range(0, len(each), SIZE)} for each in marks)


def test_the_second_process_works_out_what_the_first_would(process):
    orders = {uuid4(): (UUID(int=number), VALUES) for number in range(1, 4)}

    process.ask(orders, SHAPES)

    for order, (person, values) in orders.items():
        made = process.made(order)
        assert made is not None
        assert sets(made) == sets(marks_of(residue.needles(values, SHAPES, person, brief=True)))


def test_what_was_made_is_handed_out_once(process):
    order = uuid4()
    process.ask({order: (UUID(int=1), VALUES)}, SHAPES)

    assert process.made(order) is not None
    assert process.made(order) is None
    assert process.made(uuid4()) is None


def test_a_process_that_died_is_done_without(process):
    process._process.send_signal(signal.SIGKILL)
    process._process.wait()
    order = uuid4()

    process.ask({order: (UUID(int=1), VALUES)}, SHAPES)

    assert process.made(order) is None


def test_it_ends_with_whoever_started_it(home):
    command = [sys.executable, "-m", "lofte.features.rights.beside"]
    ended = subprocess.run(command, input=b"", capture_output=True, check=False, timeout=60)

    assert (ended.returncode, ended.stdout, ended.stderr) == (0, b"", b"")


@pytest.mark.django_db(databases=["default", "keys"], transaction=True)
@pytest.mark.parametrize("dies", [False, True])
def test_a_crowd_is_cleared_with_a_second_process_and_when_it_is_killed(somebody, log, monkeypatch, dies):
    monkeypatch.setattr(together, "_FEW", 0)
    monkeypatch.setattr(beside, "MANY", 1)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1})
    people = [somebody(f"ola{n}@example.no", f"Ola{n} Hansen") for n in range(4)]

    together.begin(people, "sweep")
    assert beside._beside is not None
    if dies:
        beside._beside._process.kill()
    assert verbs.resume(clock.now()) == 4

    assert beside._beside is None
    assert not Person.objects.exists()
    assert {json.dumps(row.residue) for row in Erasure.objects.all()} == {"[]"}
