"""Shredding destroys who it was about, in the file's bytes too; what was decided stays provable."""

import json
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lofte.evidence.log import Draft, Log
from lofte.evidence.verify import verify_receipt
from lofte.kernel.problems import Problem

MakeDraft = Callable[..., Draft]


def who(canary: str, padding: int = 0) -> bytes:
    return json.dumps({"subject": canary, "x": "y" * padding}, separators=(",", ":"), sort_keys=True).encode()


def bytes_on_disk(home: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(home.rglob("*")) if path.is_file())


def test_a_shredded_who_is_gone_and_the_fact_stays(log: Log, draft: MakeDraft) -> None:
    done = log.append_and_wait(draft(0))
    log.append_and_wait(draft(1))
    log.shred([0])
    opened = log.opened(0)

    assert (opened.who, opened.who_salt, opened.is_shredded) == (None, None, True)
    assert (opened.fact, opened.fact_salt) == (draft(0).fact, done.fact_salt)
    assert log.opened(1).who == draft(1).who
    assert log.entry(0) == done.entry


def test_receipts_hold_before_and_after(log: Log, draft: MakeDraft) -> None:
    event = draft(0)
    kept_by_the_person = log.receipt_bytes(event, log.append_and_wait(event))
    log.shred([0])
    for number in range(1, 300):
        log.submit(draft(number))
    log.append_and_wait(draft(300))

    assert verify_receipt(kept_by_the_person, log.vkey()).who == {"subject": "subject-0"}
    later = verify_receipt(log.receipt(0), log.vkey())
    assert (later.who, later.has_who) == (None, True)
    assert later.fact == json.loads(event.fact)


@pytest.mark.parametrize("padding", [0, 200, 9000])
def test_the_bytes_of_a_shredded_who_are_nowhere_in_the_files(house: Any, draft: MakeDraft, padding: int) -> None:
    """The database, its write-ahead log and its shared memory are searched for every canary and salt."""
    log: Log = house.open()
    canaries = [secrets.token_hex(12) for _ in range(600)]
    futures = [log.submit(draft(n, who=who(canary, padding))) for n, canary in enumerate(canaries)]
    salts = [future.result(20).who_salt for future in futures]
    assert canaries[0].encode() in bytes_on_disk(house.home)
    doomed = [n for n in range(600) if n % 3]

    log.shred(doomed[:10])
    log.shred(doomed)
    left = bytes_on_disk(house.home)
    for n, (canary, salt) in enumerate(zip(canaries, salts, strict=True)):
        assert (canary.encode() in left) == (salt in left) == (n % 3 == 0)
    log.close()
    assert canaries[1].encode() not in bytes_on_disk(house.home)


def test_shredding_again_or_what_never_was_changes_nothing(log: Log, draft: MakeDraft) -> None:
    log.append_and_wait(draft(0))
    log.append_and_wait(draft(1, who=None))
    log.shred([0])
    log.shred([0, 1, 77, -1])
    log.shred([])

    assert log.opened(0).is_shredded
    assert not log.opened(1).is_shredded
    assert log.check_everything() == []


def test_the_idempotency_key_outlives_the_person(log: Log, draft: MakeDraft) -> None:
    log.append_and_wait(draft(0))
    log.shred([0])
    again = log.append_and_wait(draft(0))

    assert again.index == 0
    assert again.who_salt is None
    assert log.opened(0).who is None


def test_no_key_is_stored_as_it_was_given(house: Any, draft: MakeDraft) -> None:
    log = house.open()
    log.append_and_wait(draft(0, key="anna@example.com"))
    log.close()

    assert b"anna@example.com" not in bytes_on_disk(house.home)


def test_entries_after_a_shred_are_recorded_as_before(house: Any, draft: MakeDraft) -> None:
    log = house.open()
    log.append_and_wait(draft(0))
    log.shred([0])
    log.append_and_wait(draft(1))
    log.close()
    again = house.open()

    assert again.opened(0).is_shredded
    assert again.opened(1).who == draft(1).who
    again.close()
    with pytest.raises(Problem):
        again.shred([1])
