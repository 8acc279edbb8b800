"""Where everybody meets: a house opens, its chores finish before it closes, and its log keeps its name."""

import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from lofte.cli import wiring
from lofte.core import evidence, outbox
from lofte.evidence.log import open_log
from lofte.kernel.problems import Problem


def test_a_new_log_is_named_after_the_site(tmp_path: Path) -> None:
    assert wiring.log_name("https://www.example.com", tmp_path) == "www.example.com/lofte/log"
    assert wiring.log_name("http://localhost:8000") == "localhost:8000/lofte/log"


def test_a_log_keeps_its_name_when_the_site_moves(tmp_path: Path) -> None:
    name = wiring.log_name("https://old.example", tmp_path)
    open_log(tmp_path / "evidence.sqlite3", tmp_path / "keys", name, lambda: datetime.now(UTC)).close()

    assert wiring.log_name("https://new.example", tmp_path) == "old.example/lofte/log"


def test_a_log_key_that_is_damaged_stops_the_start(tmp_path: Path) -> None:
    (tmp_path / "keys").mkdir(mode=0o700)
    (tmp_path / "keys" / "log.key").touch(mode=0o600)

    with pytest.raises(Problem) as found:
        wiring.log_name("https://new.example", tmp_path)

    assert found.value.code == "evidence.bad-key"


@pytest.fixture
def house(home: Path, monkeypatch: pytest.MonkeyPatch) -> wiring.House:
    monkeypatch.setattr(outbox, "drain", lambda *_, **__: 0)
    return wiring.open_house(home, "http://localhost:8000")


def test_an_open_house_lends_its_log_and_a_closed_one_takes_it_back(house: wiring.House) -> None:
    assert evidence.has_log()

    house.close()
    assert not evidence.has_log()


def test_a_house_can_be_opened_again_when_it_is_closed(house: wiring.House, home: Path) -> None:
    house.close()

    wiring.open_house(home, "http://localhost:8000").close()


def test_two_cannot_hold_a_house_open(house: wiring.House, home: Path) -> None:
    with pytest.raises(Problem) as found:
        wiring.open_house(home, "http://localhost:8000")

    assert found.value.code == "evidence.second-writer"
    house.close()


def test_chores_finish_before_the_log_closes(house: wiring.House) -> None:
    could_write: list[bool] = []

    def chore(stopping: threading.Event) -> None:
        stopping.wait()
        time.sleep(0.2)
        could_write.append(evidence.has_log())

    house.start("slow", chore)
    house.close()

    assert could_write == [True]


def test_what_was_to_be_stopped_is_stopped_first(house: wiring.House) -> None:
    order: list[str] = []
    house.on_close.append(lambda: order.append("stopped" if evidence.has_log() else "too late"))

    house.close()
    assert order == ["stopped"]


def test_every_feature_hears_what_it_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    heard: dict[str, list[str]] = {}
    monkeypatch.setattr(
        outbox, "subscribe", lambda kind, handler: heard.setdefault(kind, []).append(handler.__module__)
    )

    wiring.subscribe()
    assert "lofte.features.promises.verbs" in heard["verdict"]


def test_facts_are_carried_once_more_when_the_house_closes(monkeypatch: pytest.MonkeyPatch) -> None:
    rounds: list[int] = []
    monkeypatch.setattr(outbox, "drain", lambda: rounds.append(1))
    stopping = threading.Event()
    stopping.set()

    wiring.drain_facts(stopping)
    assert rounds == [1]


@pytest.mark.parametrize("error", [Problem("evidence.read-only", "no"), RuntimeError("kari@example.no")])
def test_facts_wait_when_they_cannot_be_carried(error: Exception, monkeypatch: pytest.MonkeyPatch, caplog: Any) -> None:
    stopping = threading.Event()
    tries: list[int] = []

    def fail() -> None:
        tries.append(1)
        stopping.set()
        raise error

    monkeypatch.setattr(outbox, "drain", fail)
    wiring.drain_facts(stopping)

    assert len(tries) == 2
    assert "kari" not in caplog.text
