"""What a log demands before it opens: its own key, its own store, no older, no other, and no second writer."""

import os
import shutil
import sqlite3
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lofte.evidence.log import Draft, Log
from lofte.evidence.verify import verify_receipt
from lofte.kernel.problems import Problem

MakeDraft = Callable[..., Draft]


def refusal(house: Any, **how: Any) -> Problem:
    with pytest.raises(Problem) as refused:
        house.open(**how)
    return refused.value


def fill(house: Any, draft: MakeDraft, first: int, count: int) -> None:
    log: Log = house.open()
    for future in [log.submit(draft(number)) for number in range(first, first + count)]:
        future.result(20)
    log.close()


def alter(house: Any, sql: str, *values: Any) -> None:
    with sqlite3.connect(house.store) as connection:
        connection.execute(sql, values)
    connection.close()


def test_a_restarted_log_goes_on_where_it_was(house: Any, draft: MakeDraft) -> None:
    for first, count in ((0, 255), (255, 1), (256, 1), (257, 443), (700, 5)):
        fill(house, draft, first, count)
    log = house.open()

    assert log.size() == 705
    assert log.check_everything() == []


def test_a_second_writer_in_this_process_is_refused(house: Any, log: Log) -> None:
    problem = refusal(house)

    assert problem.code == "evidence.second-writer"
    assert not log.is_read_only()


def test_a_second_writer_in_another_process_is_refused_until_the_first_dies(house: Any, draft: MakeDraft) -> None:
    code = """
        import sys, time
        from datetime import datetime, UTC
        from pathlib import Path
        from lofte.evidence.log import open_log
        log = open_log(sys.argv[1], Path(sys.argv[2]), "example.com/evidence", lambda: datetime.now(UTC))
        print("open", flush=True)
        time.sleep(60)
    """
    command = [sys.executable, "-c", textwrap.dedent(code), str(house.store), str(house.keys)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "open\n"
        try:
            assert refusal(house).code == "evidence.second-writer"
        finally:
            other.kill()
        other.wait()

    assert house.open().append_and_wait(draft(0)).index == 0


def test_a_restored_older_store_is_refused_and_both_ways_out_are_named(house: Any, draft: MakeDraft) -> None:
    fill(house, draft, 0, 10)
    shutil.copy(house.store, house.home / "backup")
    fill(house, draft, 10, 10)
    shutil.copy(house.home / "backup", house.store)
    problem = refusal(house)

    assert problem.code == "evidence.store-shorter"
    assert "import_entries" in problem.way_out
    assert "succeed" in problem.way_out


def test_a_deleted_store_is_refused(house: Any, draft: MakeDraft) -> None:
    fill(house, draft, 0, 3)
    house.store.unlink()

    assert refusal(house).code == "evidence.store-shorter"


def test_another_history_of_the_same_length_is_refused(house: Any, draft: MakeDraft) -> None:
    fill(house, draft, 0, 10)
    shutil.copy(house.store, house.home / "backup")
    fill(house, draft, 10, 10)
    true_head = (house.keys / "last_signed").read_bytes()
    shutil.copy(house.home / "backup", house.store)
    (house.keys / "last_signed").unlink()
    # Somebody with the key grows another branch, then puts the copy of the head back.
    forked = house.keys / "last_signed"
    forked.write_bytes(true_head[1024:] if b"\n10\n" in true_head[1024:] else true_head[:1024])
    if b"\n10\n" not in forked.read_bytes():
        forked.write_bytes(_signed_empty_head(house))
    fill(house, draft, 500, 10)
    forked.write_bytes(true_head)

    assert refusal(house).code == "evidence.store-differs"


def _signed_empty_head(house: Any) -> bytes:
    from lofte.evidence.checkpoint import Checkpoint
    from lofte.evidence.keys import read_signer
    from lofte.evidence.tree import EMPTY_ROOT

    signer = read_signer(house.keys / "log.key")
    assert signer is not None
    return signer.sign(Checkpoint("example.com/evidence", 0, EMPTY_ROOT).text()).encode()


def test_a_store_ahead_of_the_second_copy_is_accepted(house: Any, draft: MakeDraft) -> None:
    """The copy is not flushed with every commit, so after a power cut it may lag."""
    fill(house, draft, 0, 10)
    older = (house.keys / "last_signed").read_bytes()
    fill(house, draft, 10, 10)
    (house.keys / "last_signed").write_bytes(older)

    assert house.open().size() == 20


def test_a_torn_slot_leaves_the_head_before(house: Any, draft: MakeDraft) -> None:
    fill(house, draft, 0, 1)
    fill(house, draft, 1, 1)
    whole = (house.keys / "last_signed").read_bytes()
    for torn in (b"\0" * 1024 + whole[1024:], whole[:1024], whole[:1024] + b"garbage\xff" * 100, whole[:1500]):
        (house.keys / "last_signed").write_bytes(torn)
        log = house.open()
        assert log.size() == 2
        log.close()


@pytest.mark.parametrize("content", [b"", b"\0" * 2048, b"nonsense\n"])
def test_a_missing_or_worthless_second_copy_is_refused(house: Any, draft: MakeDraft, content: bytes) -> None:
    fill(house, draft, 0, 3)
    path = house.keys / "last_signed"
    path.unlink()
    if content:
        path.write_bytes(content)

    assert refusal(house).code == "evidence.no-second-copy"


def test_a_lost_signing_key_is_not_replaced(house: Any, draft: MakeDraft) -> None:
    fill(house, draft, 0, 1)
    (house.keys / "log.key").unlink()

    assert refusal(house).code == "evidence.no-key"
    assert not (house.keys / "log.key").exists()


def test_a_key_that_others_can_read_is_refused(house: Any, draft: MakeDraft) -> None:
    fill(house, draft, 0, 1)
    (house.keys / "log.key").chmod(0o644)

    assert refusal(house).code == "evidence.open-key"


def test_keys_are_made_for_the_owner_alone(house: Any, log: Log) -> None:
    for name in ("log.key", "last_signed"):
        assert (house.keys / name).stat().st_mode & 0o777 == 0o600
    assert house.keys.stat().st_mode & 0o777 == 0o700


def test_the_store_is_made_for_the_owner_alone(house: Any, log: Log, draft: MakeDraft) -> None:
    log.append_and_wait(draft(0))
    for path in house.home.glob("evidence.sqlite3*"):
        assert path.stat().st_mode & 0o777 == 0o600, path.name


def test_a_spoilt_key_is_named_without_showing_it(house: Any, draft: MakeDraft) -> None:
    fill(house, draft, 0, 1)
    text = (house.keys / "log.key").read_text()
    (house.keys / "log.key").write_text(text.replace("PRIVATE+KEY+", "PRIVATE+KEY+x"))
    problem = refusal(house)

    assert problem.code == "evidence.bad-key"
    assert text.rpartition("+")[2].strip() not in str(problem)


def test_store_and_key_of_different_logs_are_refused(house: Any, draft: MakeDraft, tmp_path: Path) -> None:
    fill(house, draft, 0, 1)

    assert refusal(house, origin="example.com/other").code == "evidence.foreign-log"
    shutil.rmtree(house.keys)
    other = type(house)(tmp_path / "other")
    other.home.mkdir()
    other.open().close()
    shutil.copytree(other.keys, house.keys)
    assert refusal(house).code == "evidence.foreign-log"


@pytest.mark.parametrize("origin", ["", "https://example.com log", "a+b", 'a"b', "a\nb", "x" * 300])
def test_an_origin_that_cannot_name_a_key_is_refused(house: Any, origin: str) -> None:
    assert refusal(house, origin=origin).code == "evidence.bad-origin"
    assert not house.keys.exists()


@pytest.mark.parametrize(
    ("sql", "says"),
    [
        ("DELETE FROM entries WHERE idx = 599", "599 entries"),
        ("DELETE FROM entries WHERE idx = 590", "between 512 and 599"),
        ("DELETE FROM heads WHERE size = (SELECT max(size) FROM heads)", "600 entries"),
        ("UPDATE heads SET root = zeroblob(32)", "head of size 600"),
        ("UPDATE tiles SET hashes = zeroblob(8192) WHERE idx = 1", "entry 256"),
        ("DELETE FROM tiles WHERE idx = 1", "tile 0/001"),
        ("UPDATE tiles SET hashes = zeroblob(64) WHERE idx = 0", "tile 0/000"),
        ("UPDATE entries SET entry = CAST('x' AS BLOB) WHERE idx = 598", "entry 598"),
    ],
)
def test_a_store_altered_behind_our_back_is_refused(house: Any, draft: MakeDraft, sql: str, says: str) -> None:
    fill(house, draft, 0, 600)
    alter(house, sql)
    problem = refusal(house)

    assert problem.code == "evidence.store-altered"
    assert says in problem.detail


def test_an_entry_altered_deep_inside_is_found_by_the_thorough_check(house: Any, draft: MakeDraft) -> None:
    """A start reads the right edge only; the thorough check, and every receipt of that entry, find the rest."""
    fill(house, draft, 0, 600)
    alter(house, "UPDATE entries SET entry = CAST(replace(entry, 'consent', 'consens') AS BLOB) WHERE idx = 3")
    log = house.open()

    assert "entry 3 is not the one whose hash is in its tile" in log.check_everything()
    with pytest.raises(Problem):
        verify_receipt(log.receipt(3))


def test_the_thorough_check_locates_what_was_altered(house: Any, draft: MakeDraft) -> None:
    fill(house, draft, 0, 300)
    alter(house, 'UPDATE openings SET fact = CAST(\'{"action":"withdraw"}\' AS BLOB) WHERE idx = 12')
    alter(house, "UPDATE entries SET entry = CAST(replace(entry, 'consent', 'verdict') AS BLOB) WHERE idx = 13")
    alter(house, "UPDATE openings SET who_salt = zeroblob(32) WHERE idx = 14")
    alter(house, "DELETE FROM openings WHERE idx = 15")
    found = house.open().check_everything()

    assert "the fact kept for entry 12 is not the logged one" in found
    assert "entry 13 is not the one whose hash is in its tile" in found
    assert "the who kept for entry 14 is not the logged one" in found
    assert "the opening of entry 15 is missing" in found
    assert len(found) == 5  # entry 13 also says another kind than its opening


def test_a_store_of_a_later_version_is_left_alone(house: Any, draft: MakeDraft) -> None:
    fill(house, draft, 0, 1)
    alter(house, "PRAGMA user_version = 99")

    assert refusal(house).code == "evidence.unknown-schema"


def test_a_file_that_is_no_database_is_refused(house: Any) -> None:
    house.store.write_bytes(b"this is not a database" * 400)

    assert refusal(house).code == "evidence.unreadable-store"


def test_a_refused_start_gives_the_store_back(house: Any, draft: MakeDraft) -> None:
    fill(house, draft, 0, 1)
    (house.keys / "log.key").chmod(0o644)
    refusal(house)
    os.chmod(house.keys / "log.key", 0o600)

    assert house.open().size() == 1


def test_a_start_that_was_cut_short_is_resumed(house: Any, draft: MakeDraft) -> None:
    """Killed after the key, or after the second copy, before the store was begun."""
    house.open().close()
    house.store.unlink()
    house.open().close()
    house.store.unlink()
    (house.keys / "last_signed").unlink()

    assert house.open().append_and_wait(draft(0)).index == 0
