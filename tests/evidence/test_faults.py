"""Errors of the disk: nobody is told "recorded" wrongly, nothing recorded is lost, and the log stays read-only."""

import os
import sqlite3
import subprocess
import sys
import textwrap
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from lofte.evidence.log import Draft, Log
from lofte.evidence.store import Batch
from lofte.evidence.verify import verify_receipt
from lofte.kernel.problems import Problem

MakeDraft = Callable[..., Draft]


class FailingStore:
    """Stands before the real store and fails one commit, before or after it is durable."""

    def __init__(self, real: Any, fails_at: int, is_durable: bool) -> None:
        self._real = real
        self._left = fails_at
        self._is_durable = is_durable

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    def commit(self, batch: Batch) -> None:
        self._left -= 1
        if self._left == 0:
            if self._is_durable:
                self._real.commit(batch)
            raise sqlite3.OperationalError("disk I/O error")
        self._real.commit(batch)

    def shred(self, indexes: Sequence[int]) -> None:
        raise sqlite3.OperationalError("disk I/O error")


def make_failing(log: Log, fails_at: int, is_durable: bool = False) -> None:
    log._store = FailingStore(log._store, fails_at, is_durable)


@pytest.mark.parametrize("is_durable", [False, True])
def test_the_first_flush_error_makes_the_log_read_only_until_a_restart(
    house: Any, draft: MakeDraft, is_durable: bool
) -> None:
    log = house.open()
    acknowledged = [log.append_and_wait(draft(number)) for number in range(4)]
    before = log.checkpoint()
    make_failing(log, 2, is_durable)
    acknowledged.append(log.append_and_wait(draft(4)))
    newest = log.checkpoint()

    for number in (5, 6, 7):
        with pytest.raises(Problem) as refused:
            log.append_and_wait(draft(number))
        assert refused.value.code == "evidence.read-only"
        assert refused.value.status == 503

    assert log.is_read_only()
    assert log.checkpoint() == newest != before
    assert [log.entry(done.index) for done in acknowledged] == [done.entry for done in acknowledged]
    assert verify_receipt(log.receipt(4)).size == 5
    log.close()

    again = house.open()
    assert again.size() == (6 if is_durable else 5)
    assert [again.entry(done.index) for done in acknowledged] == [done.entry for done in acknowledged]
    assert again.append_and_wait(draft(5)).index == 5
    assert again.size() == 6
    assert again.check_everything() == []


def test_every_caller_of_the_failed_batch_is_told(log: Log, draft: MakeDraft) -> None:
    make_failing(log, 1)
    futures = [log.submit(draft(number)) for number in range(200)]

    assert all(isinstance(future.exception(10), Problem) for future in futures)
    assert log.size() == 0


def test_a_failed_shred_is_reported_and_closes_the_log_for_writing(log: Log, draft: MakeDraft) -> None:
    log.append_and_wait(draft(0))
    make_failing(log, 99)

    with pytest.raises(Problem) as refused:
        log.shred([0])
    assert refused.value.code == "evidence.read-only"
    with pytest.raises(Problem):
        log.append_and_wait(draft(1))


def test_a_second_copy_that_cannot_be_written_answers_no_one(
    house: Any, draft: MakeDraft, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = house.open()
    log.append_and_wait(draft(0))
    monkeypatch.setattr(os, "pwrite", lambda *_: 3)
    with pytest.raises(Problem):
        log.append_and_wait(draft(1))
    monkeypatch.undo()
    log.close()

    again = house.open()
    assert again.append_and_wait(draft(1)).index == 1
    assert again.size() == 2


def test_the_problem_names_nothing_of_the_event(log: Log, draft: MakeDraft, caplog: pytest.LogCaptureFixture) -> None:
    make_failing(log, 1)
    with pytest.raises(Problem) as refused:
        log.append_and_wait(draft(0, who=b'{"subject":"anna-canary"}', key="anna-canary"))

    assert "canary" not in str(refused.value)
    assert "canary" not in caplog.text


FULL_DISK = """
    import resource, sys
    from datetime import UTC, datetime
    from pathlib import Path
    from lofte.evidence.log import Draft, open_log
    from lofte.kernel.problems import Problem
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[3]), int(sys.argv[3])))
    log = open_log(sys.argv[1], Path(sys.argv[2]), "example.com/evidence", lambda: datetime.now(UTC))
    refused = 0
    for number in range(3000):
        fact = b'{"number":%d,"text":"%b"}' % (number, b"a" * 700)
        try:
            done = log.append_and_wait(Draft("consent", fact, None, "", f"key-{number}"))
        except Problem as problem:
            assert problem.code == "evidence.read-only", problem
            refused += 1
            if refused == 3:
                break
        else:
            assert not refused, "answered after an error"
            print(done.index, done.entry.decode(), flush=True)
    assert refused == 3 and log.is_read_only()
    log.receipt(0)
    print("read-only", flush=True)
"""


@pytest.mark.parametrize("limit_kb", [200, 333, 1000])
def test_a_full_disk_loses_nothing_that_was_acknowledged(house: Any, draft: MakeDraft, limit_kb: int) -> None:
    command = [
        sys.executable,
        "-c",
        textwrap.dedent(FULL_DISK),
        str(house.store),
        str(house.keys),
        str(limit_kb * 1024),
    ]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    *acknowledged, last = ended.stdout.splitlines()

    assert (ended.returncode, last) == (0, "read-only"), ended.stderr
    log = house.open()
    for line in acknowledged:
        index, entry = line.split(" ", 1)
        assert log.entry(int(index)).decode() == entry
    assert log.size() in (len(acknowledged), len(acknowledged) + 1)
    assert log.append_and_wait(draft(10_000)).index == log.size() - 1
    assert log.check_everything() == []


def test_settings_that_could_lose_entries_are_not_accepted(
    house: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("lofte.evidence.sqlite_store._DEMANDED", (("synchronous", 7),))
    with pytest.raises(Problem) as refused:
        house.open()

    assert refused.value.code == "evidence.unsafe-store"
