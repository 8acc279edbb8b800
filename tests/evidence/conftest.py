"""A log in a temporary directory, and events to put into it."""

import random
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from lofte.evidence.checkpoint import open_checkpoint
from lofte.evidence.keys import read_signer
from lofte.evidence.log import Draft, Log, open_log
from lofte.evidence.note import VerifierKey
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
        self.store: Path | str = home / "evidence.sqlite3"
        self.keys = home / "keys"
        self._open: list[Log] = []

    def open(self, origin: str = ORIGIN) -> Log:
        log = open_log(self.store, self.keys, origin, fixed_now)
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


WRITER = """
    import os, sys, threading
    from datetime import UTC, datetime
    from pathlib import Path
    from lofte.evidence import postgres_store
    from lofte.evidence.log import Committed, Draft, open_log
    postgres_store.LEASE_S = float(os.environ.get("LOFTE_TEST_LEASE_S", "10"))
    log = open_log(sys.argv[1], Path(sys.argv[2]), "example.com/evidence", lambda: datetime.now(UTC))
    print("open", log.size(), flush=True)
    door = threading.Semaphore(int(sys.argv[4]))

    def deliver(answers):
        heads = {done.checkpoint for _, done in answers if isinstance(done, Committed)}
        lines = [f"{done.index} {key} {done.entry.decode()}" for key, done in answers]
        lines += ["head " + head.replace(chr(10), "|") for head in heads]
        sys.stdout.write(chr(10).join(lines) + chr(10))
        sys.stdout.flush()
        for _ in answers:
            door.release()

    number = 0
    while True:
        door.acquire()
        key = f"{sys.argv[3]}-{number}"
        log.append_for(Draft("consent", b'{"number":%d}' % number, b'{"subject":"x"}', "", key), key, deliver)
        number += 1
"""


class Drill:
    """What the writers were told, over all rounds."""

    def __init__(self, house: Any, seed: int) -> None:
        self.house = house
        self.chance = random.Random(seed)  # the seed is in the test's name, so that a failure can be run again
        self.acknowledged: dict[int, tuple[str, str]] = {}
        self.roots: dict[int, bytes] = {}

    def round(self, name: str) -> None:
        """One writer, killed at a random moment after it has opened the log."""
        callers = self.chance.choice((1, 7, 64, 300))
        command = [
            sys.executable,
            "-c",
            textwrap.dedent(WRITER),
            str(self.house.store),
            str(self.house.keys),
            name,
            str(callers),
        ]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as writer:
            assert writer.stdout is not None
            assert writer.stdout.readline().startswith(b"open")
            killer = threading.Timer(self.chance.uniform(0, 0.15), writer.kill)
            killer.start()
            told = writer.stdout.read()
            killer.join()
        vkey = self._vkey()
        for line in told.decode().splitlines(keepends=True):
            if line.endswith("\n"):  # the last may be torn: half a line is no answer
                self._note(line.removesuffix("\n"), vkey)

    def _note(self, line: str, vkey: VerifierKey) -> None:
        first, rest = line.split(" ", 1)
        if first == "head":
            head = open_checkpoint(rest.replace("|", "\n"), vkey)
            assert self.roots.setdefault(head.size, head.root) == head.root, "two roots for one size"
            return
        key, entry = rest.split(" ", 1)
        assert int(first) not in self.acknowledged, "one index, two answers"
        self.acknowledged[int(first)] = (key, entry)

    def _vkey(self) -> VerifierKey:
        signer = read_signer(self.house.keys / "log.key")
        assert signer is not None
        return signer.verifier

    def judge(self) -> None:
        log = self.house.open()
        for index, (_, entry) in self.acknowledged.items():
            assert log.entry(index).decode() == entry
        for size, root in self.roots.items():
            assert log._tree.root(size) == root
        assert log.size() > max(self.acknowledged)
        assert log.check_everything() == []
        for key, index in [(key, index) for index, (key, _) in self.acknowledged.items()][-20:]:
            number = int(key.rpartition("-")[2])
            again = log.append_and_wait(Draft("consent", b'{"number":%d}' % number, b'{"subject":"x"}', "", key))
            assert again.index == index
        log.close()


def run_drill(house: Any, rounds: int, seed: int) -> None:
    made = Drill(house, seed)
    for number in range(rounds):
        made.round(f"round-{number}")
        if number % 5 == 4:
            made.judge()
    made.judge()
    assert len(made.acknowledged) > rounds


@pytest.fixture
def drill() -> Callable[[House, int, int], None]:
    """Kills writers of a house for so many rounds, with a seed, and judges what is left."""
    return run_drill
