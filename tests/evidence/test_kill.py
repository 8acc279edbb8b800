"""kill -9 at random moments: no acknowledged entry is missing, and no size ever has two roots."""

import random
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable
from typing import Any

import pytest

from lofte.evidence.checkpoint import open_checkpoint
from lofte.evidence.log import Draft
from lofte.evidence.note import VerifierKey

WRITER = """
    import sys, threading
    from datetime import UTC, datetime
    from pathlib import Path
    from lofte.evidence.log import Committed, Draft, open_log
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
        command = [sys.executable, "-c", textwrap.dedent(WRITER), str(self.house.store), str(self.house.keys), name, str(callers)]
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
        from lofte.evidence.keys import read_signer

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


def drill(house: Any, rounds: int, seed: int) -> None:
    made = Drill(house, seed)
    for number in range(rounds):
        made.round(f"round-{number}")
        if number % 5 == 4:
            made.judge()
    made.judge()
    assert len(made.acknowledged) > rounds


@pytest.mark.parametrize("seed", [6962])
def test_a_killed_log_keeps_all_it_acknowledged_and_never_signs_two_roots(house: Any, seed: int) -> None:
    drill(house, 10, seed)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(10))
def test_a_log_killed_a_thousand_times_keeps_all_it_acknowledged(house: Any, seed: int) -> None:
    drill(house, 100, seed)


def test_a_kill_between_commit_and_answer_gives_the_same_entry_to_the_second_try(house: Any, draft: Callable[..., Draft]) -> None:
    """The entry is durable but its caller never heard: asking again with the same key finds it."""
    log = house.open()
    log._sign_new = _die  # type: ignore[method-assign]  # stands for the process ending at this point
    future = log.submit(draft(0))
    assert future.exception(10) is not None
    log.close()

    again = house.open()
    assert again.size() == 1
    assert again.append_and_wait(draft(0)).index == 0
    assert again.size() == 1


def _die(_: object) -> str:
    raise RuntimeError
