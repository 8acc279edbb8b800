"""A copy of a log that is being written is a prefix of it, whole by the log's own sums; nothing is lost in silence."""

import os
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from lofte.evidence import copying, succession
from lofte.evidence.log import open_log
from lofte.evidence.verify import verify_receipt
from lofte.kernel.problems import Problem

ORIGIN = "example.com/evidence"


def now() -> datetime:
    return datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def copied(house: Any, target: Path) -> Any:
    with copying.read(house.store) as reading:
        return copying.copy_out(reading, target)


def test_a_copy_beside_the_writer_is_whole_and_ends_at_a_head_the_log_has_signed(house, draft, tmp_path):
    log = house.open()
    for future in [log.submit(draft(number)) for number in range(700)]:
        future.result(20)
    log.shred([5, 600])
    writing = [log.submit(draft(number)) for number in range(700, 900)]

    head = copied(house, tmp_path / "copy.sqlite3")

    assert [future.result(20).index for future in writing] == list(range(700, 900))
    assert 700 <= head.size <= 900
    assert copying.demand_whole(tmp_path / "copy.sqlite3") == head
    assert copying.root_of(tmp_path / "copy.sqlite3", head.size) == head.root
    assert copying.root_of(tmp_path / "copy.sqlite3", 901) is None
    log.submit(draft(900)).result(20)  # who wrote quicker than was copied has nothing to prove between equal sizes
    assert log.consistency(head.size)
    assert [file.name for file in tmp_path.glob("copy*")] == ["copy.sqlite3"]
    with closing(copying.Copied(tmp_path / "copy.sqlite3")) as copy:
        row = copy.opening(5)
        assert row.was_shredded
        assert row.who is None
        assert copy.opening(6).who


def test_a_log_goes_on_from_a_copy_in_the_place_of_its_store(house, draft, tmp_path):
    log = house.open()
    for future in [log.submit(draft(number)) for number in range(300)]:
        future.result(20)
    house.close()
    copied(house, tmp_path / "copy.sqlite3")
    for file in Path(house.store).parent.glob(Path(house.store).name + "*"):
        file.unlink()
    os.rename(tmp_path / "copy.sqlite3", house.store)

    again = house.open()

    assert again.append_and_wait(draft(3)).index == 3  # the same event is the same entry
    assert again.append_and_wait(draft(300)).index == 300
    assert again.check_everything() == []


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE entries SET entry = x'00' WHERE idx = 7",
        "DELETE FROM openings WHERE idx = 7",
        "UPDATE openings SET fact = x'00' WHERE idx = 7",
        "DELETE FROM tiles",
        "DELETE FROM entries WHERE idx = 299",
        "UPDATE heads SET root = zeroblob(32)",
    ],
)
def test_a_copy_in_which_anything_was_altered_is_refused(house, draft, tmp_path, sql):
    log = house.open()
    for future in [log.submit(draft(number)) for number in range(300)]:
        future.result(20)
    copied(house, tmp_path / "copy.sqlite3")
    with closing(sqlite3.connect(tmp_path / "copy.sqlite3", isolation_level=None)) as file:
        file.execute(sql)

    with pytest.raises(Problem, match="torn-log"):
        copying.demand_whole(tmp_path / "copy.sqlite3")


def test_a_log_that_lost_entries_goes_on_under_another_name_and_says_so(house, draft, tmp_path):
    log = house.open()
    for number in range(20):
        log.append_and_wait(draft(number))
    copied(house, tmp_path / "copy.sqlite3")
    kept, lost = log.receipt(4), log.append_and_wait(draft(20))
    lost_receipt, old_key = log.receipt(lost.index), log.vkey()
    house.close()
    second = succession.keys.LastSigned(house.keys / "last_signed").read(
        succession.keys.read_signer(house.keys / "log.key").verifier
    )
    store = tmp_path / "older" / "evidence.sqlite3"
    store.parent.mkdir()
    os.rename(tmp_path / "copy.sqlite3", store)
    with pytest.raises(Problem, match="store-shorter"):
        open_log(store, house.keys, ORIGIN, now)

    branched = succession.branch(store, house.keys, "the disk burnt", second, now)

    assert branched.vkey() != old_key
    assert branched.checkpoint().splitlines()[0] == f"{ORIGIN}/2"
    entry = branched.opened(20)
    assert entry.kind == "succession"
    assert b'"known_size":21' in entry.fact
    assert b"the disk burnt" in entry.fact
    assert branched.opened(4).fact == verify_fact(kept)
    for old in (kept, lost_receipt):  # what people hold still verifies against the log that gave it
        assert verify_receipt(old, old_key)
    assert branched.check_everything() == []
    branched.close()
    again = open_log(store, house.keys, f"{ORIGIN}/2", now)
    assert again.size() == 21
    again.close()
    succession.branch(store, house.keys, "and again", None, now).close()
    assert open_name(house.keys) == f"{ORIGIN}/3"


def open_name(keys: Path) -> str:
    signer = succession.keys.read_signer(keys / "log.key")
    assert signer is not None
    return signer.verifier.name


def verify_fact(receipt: Any) -> bytes:
    from lofte.kernel.canonical import canonical_bytes

    return canonical_bytes(receipt["fact"]["payload"])
