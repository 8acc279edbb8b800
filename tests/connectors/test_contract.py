"""The contract every connector keeps. A new one adds its stage here and passes the same tests."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from lofte import connectors
from lofte.core import obligations, systems
from lofte.core.models import Obligation
from lofte.core.systems import Change
from lofte.features.register import verbs as register

pytestmark = [pytest.mark.django_db(databases=["default", "keys"], transaction=True)]
KARI = "kari.nordmann@example.no"
VALUES = [("email", KARI), ("name", "Kari Nordmann"), ("phone", "+47 900 12 345")]


class SqlStage:
    """The shop's database as a system under the contract."""

    def __init__(self, shop: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        self.shop, self.monkeypatch = shop, monkeypatch
        self.connector = shop.source()

    def everything(self) -> object:
        return {name: self.shop.rows(name) for name in self.shop.metadata.tables}

    def holds(self) -> bool:
        return KARI in [str(each).strip().lower() for each in self.shop.column("customers", "email")]

    def name(self) -> str:
        return str(self.shop.rows("customers")[0]["full_name"])

    @contextmanager
    def unreachable(self) -> Iterator[None]:
        with self.monkeypatch.context() as patch:
            patch.setenv("LOFTE_SOURCE_SHOP", "postgresql://nobody@127.0.0.1:1/none")
            yield


STAGES: dict[str, Callable[..., Any]] = {"sql": lambda shop, monkeypatch: SqlStage(shop, monkeypatch)}


ELSEWHERE = {"wordpress": Path(__file__).parents[1] / "wordpress" / "test_requests.py"}
"""Told to the real system, which takes a minute to start, and for the acts it knows."""


def test_every_connector_has_its_stage():
    assert set(STAGES) | set(ELSEWHERE) == set(connectors.kinds())
    assert all(tests.is_file() for tests in ELSEWHERE.values())


@pytest.fixture(params=STAGES)
def stage(request, small_shop, monkeypatch):
    made = STAGES[request.param](small_shop, monkeypatch)
    systems.connect("shop", made.connector)
    return made


@pytest.fixture
def person(stage) -> UUID:
    return register.welcome()


def owe(what: str, person: UUID, **more: Any) -> UUID:
    about = uuid4()
    obligations.owe(what, person, VALUES, about=about, **more)
    return about


def state(about: UUID) -> list[tuple[str, str]]:
    return [(each.state, each.reason) for each in obligations.owed_for(about)]


def test_it_finds_copies_and_erases(stage, person):
    records = obligations.export(person, VALUES)[0]
    about = owe("erase", person)
    obligations.carry_out()

    assert records.is_complete
    assert any(value.value == "Kari Nordmann" for record in records.records for value in record.values)
    assert state(about) == [("verified", "")]
    assert not stage.holds()


def test_it_repeats_an_act_without_doing_it_twice(stage, person):
    owe("correct", person, change=Change("name", "Kari Nordmann", "Kari Hansen"))
    obligations.carry_out()
    after_correction = stage.everything()
    owe("correct", person, change=Change("name", "Kari Nordmann", "Kari Hansen"))
    obligations.carry_out()
    assert stage.everything() == after_correction
    assert stage.name() == "Kari Hansen"

    for _ in range(3):
        owe("erase", person)
        obligations.carry_out()
    assert {row.state for row in Obligation.objects.all()} == {"verified"}
    assert not stage.holds()


def test_it_reads_only_when_it_is_asked_only(stage, person):
    before = stage.everything()
    obligations.export(person, VALUES)
    obligations.foresee(VALUES)

    assert stage.everything() == before


def test_it_is_waited_for_while_it_cannot_be_reached(stage, person):
    with stage.unreachable():
        about = owe("erase", person)
        obligations.carry_out()
        assert state(about) == [("open", "source.unreachable")]
        assert stage.holds()
    obligations.hurry("shop")

    assert obligations.carry_out() == 1
    assert not stage.holds()


@pytest.mark.parametrize("act, change", [("erase", None), ("correct", Change("name", "Kari Nordmann", "Kari Hansen"))])
def test_an_answer_of_done_is_not_believed(stage, person, monkeypatch, act, change):
    monkeypatch.setattr(stage.connector, act, lambda *_: None)
    about = owe(act, person, change=change)
    for _ in range(8):
        obligations.hurry("shop")
        obligations.carry_out()

    assert state(about) == [("failed", "obligation.not-done")]
    assert all(each.where for each in obligations.owed_for(about)[0].left)


@pytest.mark.parametrize("failure", [TimeoutError(KARI), ConnectionResetError(KARI), MemoryError(KARI)])
@pytest.mark.parametrize("method", ["find", "erase", "verify"])
def test_an_error_anywhere_loses_nothing_and_quotes_nothing(stage, person, monkeypatch, method, failure, caplog):
    def fail(*_):
        raise failure

    about = owe("erase", person)
    with monkeypatch.context() as patch:
        patch.setattr(stage.connector, method, fail)
        obligations.carry_out()
    assert state(about)[0][0] in ("open", "done")
    assert KARI not in caplog.text
    obligations.hurry("shop")
    obligations.carry_out()

    assert state(about) == [("verified", "")]
    assert not stage.holds()


def test_nothing_it_says_names_anybody(stage, person):
    owe("erase", person)
    obligations.carry_out()
    row = Obligation.objects.get()

    assert KARI not in str([row.left, row.counts, row.reason, row.sealed])
    assert "Nordmann" not in str([row.left, row.counts, row.reason])
