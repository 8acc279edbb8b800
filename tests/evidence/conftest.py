"""A log in a temporary directory, and events to put into it."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from lofte.evidence.log import Draft, Log, open_log
from lofte.kernel.canonical import canonical_bytes

ORIGIN = "example.com/evidence"
POLICY = "5f" * 32


def fixed_now() -> datetime:
    return datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def make_draft(number: int, **changes: object) -> Draft:
    fact = {
        "action": "decide",
        "at": "2026-11-22T12:00:00Z",
        "choices": {"marketing": False, "statistics": number % 2 == 0},
        "locale": "sv",
        "market": "SE",
        "number": number,
    }
    parts: dict[str, object] = {
        "kind": "consent",
        "fact": canonical_bytes(fact),
        "who": canonical_bytes({"subject": f"subject-{number}"}),
        "policy": POLICY,
        "key": f"key-{number}",
    }
    return Draft(**(parts | changes))  # type: ignore[arg-type]  # the changes are a test's own


class House:
    """A data directory whose log can be opened again and again."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.store = home / "evidence.sqlite3"
        self.keys = home / "keys"
        self._open: list[Log] = []

    def open(self, location: str | Path | None = None, origin: str = ORIGIN) -> Log:
        log = open_log(location or self.store, self.keys, origin, fixed_now)
        self._open.append(log)
        return log

    def close(self) -> None:
        for log in self._open:
            log.close()


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = House(tmp_path)
    yield made
    made.close()


@pytest.fixture
def log(house: House) -> Log:
    return house.open()


@pytest.fixture
def draft() -> Callable[..., Draft]:
    return make_draft


@pytest.fixture
def filled(log: Log) -> Callable[[int], Log]:
    """The log with so many entries, each batch as the sequencer took them."""

    def fill(count: int) -> Log:
        futures = [log.submit(make_draft(number)) for number in range(log.size(), log.size() + count)]
        for future in futures:
            future.result(20)
        return log

    return fill
