"""The two ways out of a store that is older than what was signed."""

import json
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from lofte.evidence import note, tiles
from lofte.evidence.checkpoint import open_checkpoint
from lofte.evidence.keys import read_signer
from lofte.evidence.log import Draft
from lofte.evidence.note import VerifierKey
from lofte.evidence.succession import import_entries, succeed
from lofte.evidence.verify import verify_receipt
from lofte.kernel.problems import Problem

ORIGIN = "example.com/evidence"


def now() -> datetime:
    return datetime(2026, 11, 23, tzinfo=UTC)


@pytest.fixture
def rolled_back(house: Any, draft: Callable[..., Draft]) -> tuple[Any, list[bytes], dict[str, Any]]:
    """A house whose store is a backup of 300 entries while 700 were signed; what a mirror holds; a receipt of entry 650."""
    log = house.open()
    for future in [log.submit(draft(number)) for number in range(300)]:
        future.result(20)
    log.close()
    shutil.copy(house.store, house.home / "backup")
    log = house.open()
    for future in [log.submit(draft(number)) for number in range(300, 700)]:
        future.result(20)
    mirror = [entry for index in (0, 1) for entry in tiles.unbundle(log.bundle(index))]
    mirror += tiles.unbundle(log.bundle(2, 188))
    receipt = log.receipt(650)
    log.close()
    shutil.copy(house.home / "backup", house.store)
    return house, mirror, receipt


def test_a_store_filled_up_from_a_mirror_goes_on_as_the_same_log(
    rolled_back: tuple[Any, list[bytes], dict[str, Any]], draft: Callable[..., Draft]
) -> None:
    house, mirror, receipt = rolled_back
    assert import_entries(house.store, house.keys, ORIGIN, mirror[300:], now) == 400
    log = house.open()

    assert log.size() == 700
    assert [log.entry(index) for index in (299, 300, 699)] == [mirror[index] for index in (299, 300, 699)]
    assert log.append_and_wait(draft(9999)).index == 700
    assert verify_receipt(receipt, log.vkey()).index == 650
    with pytest.raises(Problem) as refused:
        log.receipt(650)
    assert refused.value.status == 404  # the opening is gone; the person's own receipt is not


def test_a_mirror_that_lies_is_not_taken_in(rolled_back: tuple[Any, list[bytes], dict[str, Any]]) -> None:
    house, mirror, _ = rolled_back
    for entries in ([], mirror, mirror[301:], mirror[300:-1], [*mirror[300:-1], mirror[0]], mirror[:300:-1]):
        with pytest.raises(Problem) as refused:
            import_entries(house.store, house.keys, ORIGIN, entries, now)
        assert refused.value.code == "evidence.no-succession"
    with pytest.raises(Problem):
        house.open()


def test_a_closed_log_is_named_by_the_first_entry_of_its_successor(
    rolled_back: tuple[Any, list[bytes], dict[str, Any]], tmp_path: Path, draft: Callable[..., Draft]
) -> None:
    house, _, _ = rolled_back
    old_key = VerifierKey.parse(vkey_of(house))
    log = succeed(house.keys, tmp_path / "second.sqlite3", tmp_path / "second-keys", "example.com/evidence/2", now)
    try:
        fact = verify_receipt(log.receipt(0), log.vkey()).fact

        assert open_checkpoint(fact["head"], old_key).size == 700
        statement, _ = note.verify(fact["statement"], [old_key])
        assert log.vkey() in statement
        assert log.append_and_wait(draft(0)).index == 1
        assert json.loads(log.entry(0))["t"] == "succession"
    finally:
        log.close()
    with pytest.raises(Problem):
        house.open()


def vkey_of(house: Any) -> str:
    signer = read_signer(house.keys / "log.key")
    assert signer is not None
    return str(signer.verifier)


def test_a_successor_needs_a_place_and_a_name_of_its_own(
    house: Any, tmp_path: Path, draft: Callable[..., Draft]
) -> None:
    house.open().close()
    for keys_directory, origin in ((house.keys, "example.com/evidence/2"), (tmp_path / "other", ORIGIN)):
        with pytest.raises(Problem):
            succeed(house.keys, tmp_path / "second.sqlite3", keys_directory, origin, now)
    with pytest.raises(Problem):
        succeed(tmp_path / "nowhere", tmp_path / "second.sqlite3", tmp_path / "other", "example.com/evidence/2", now)
