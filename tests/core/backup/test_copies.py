"""A copy is whole or it is none; keys lie apart and not for long; and what is altered is never put back. On SQLite; `test_restore`
walks both engines.
"""

import json
import shutil
import signal
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from lofte.core.backup import checking
from lofte.core.backup import manifest as manifests
from lofte.kernel.problems import Problem

ANOTHER = "example.com/log+0b39d6f3+Ae4x+DyIpxIZpvz5vuDam8ImIFiPWhWmFFVTUE35ZJ5c"  # a log's public key
pytestmark = [pytest.mark.timeout(300)]


@pytest.fixture
def sqlite_town(town):
    if town.server:
        pytest.skip("the same on both engines")
    return town


def shorten(name: str) -> Callable[[Path, Path], None]:
    def torn(data: Path, keys: Path) -> None:
        file = (keys if name.startswith("key") else data) / name
        file.write_bytes(file.read_bytes()[:-1])

    return torn


def flip(name: str) -> Callable[[Path, Path], None]:
    def altered(data: Path, keys: Path) -> None:
        file = (keys if name.startswith("key") else data) / name
        body = bytearray(file.read_bytes())
        body[len(body) // 2] ^= 1
        file.write_bytes(body)

    return altered


def add_a_file(data: Path, keys: Path) -> None:
    (data / "register" / "more").write_text("x")


def lose_the_manifest(data: Path, keys: Path) -> None:
    (data / manifests.NAME).unlink()


def say_another_size(data: Path, keys: Path) -> None:
    said = json.loads((data / manifests.NAME).read_bytes())
    said["log_size"] += 1
    (data / manifests.NAME).write_text(json.dumps(said))


def swap_the_register(data: Path, keys: Path) -> None:
    """A link would lead out of the copy."""
    register = data / "register" / "register.sqlite3"
    shutil.move(register, data.parent / "elsewhere.sqlite3")
    register.symlink_to(data.parent / "elsewhere.sqlite3")


def test_a_copy_that_is_torn_or_altered_is_refused_and_says_where(sqlite_town, tmp_path):
    data, keys = sqlite_town.backup()
    found = checking.check(data, keys)
    assert (found.people, found.opened) == (10, 10)
    assert found.data.vkey.startswith("localhost:8000/lofte/log")
    harms = [
        shorten("register/register.sqlite3"), flip("register/register.sqlite3"), shorten("log/evidence.sqlite3"),
        flip("log/evidence.sqlite3"), shorten("keystore.sqlite3"), flip("keys/site.id"), add_a_file, lose_the_manifest,
        say_another_size, swap_the_register,
    ]  # fmt: skip
    for number, harm in enumerate(harms):
        here = tmp_path / f"harm-{number}"
        shutil.copytree(data, here / "data")
        shutil.copytree(keys, here / "keys")
        harm(here / "data", here / "keys")
        with pytest.raises(Problem, match="backup"):
            checking.check(here / "data", here / "keys")

    refused = sqlite_town.restore(tmp_path / "harm-0" / "data", sqlite_town.place / "new", "--keys", keys)

    assert refused.returncode == 1
    assert "register/register.sqlite3" in refused.stderr
    assert not (sqlite_town.place / "new").exists()
    with pytest.raises(Problem, match="not signed by this log"):
        checking.check(data, keys, vkey=ANOTHER)


@pytest.mark.long
@pytest.mark.parametrize("moment", ["copy_sqlite", "_copy_keys", "copy_out", "weigh", "check", "_record"])
def test_a_backup_killed_anywhere_leaves_a_whole_copy_or_none(sqlite_town, moment):
    place = sqlite_town.place
    ended = sqlite_town.lofte(
        "backup", "--to", place / "data", "--keys-to", place / "elsewhere", PYTHONPATH=str(sqlite_town.killer(moment))
    )
    assert ended.returncode == -signal.SIGKILL, ended.stderr
    for copy in [*(place / "data").glob("lofte-*"), *(place / "elsewhere").glob("lofte-*")]:
        manifests.demand_files(copy, manifests.read(copy))  # only `_record` comes after the names

    data, keys = sqlite_town.backup()

    checking.check(data, keys)
    assert [*(place / "data").glob(".*"), *(place / "elsewhere").glob(".*")] == []


def test_keys_and_what_they_open_are_never_copied_to_one_place(sqlite_town):
    place = sqlite_town.place
    for to, keys_to in (
        (place / "a", place / "a"),
        (place / "a", place / "a" / "b"),
        (sqlite_town.home / "x", place / "b"),
    ):
        refused = sqlite_town.lofte("backup", "--to", to, "--keys-to", keys_to)
        assert "backup.bad-place" in refused.stderr


@pytest.mark.long
def test_copies_of_the_keys_go_after_their_days_and_when_newer_ones_replace_them(sqlite_town):
    place = sqlite_town.place
    _, first = sqlite_town.backup()
    assert sqlite_town.lofte("vault", "rotate").returncode == 0
    assert first.exists()  # the only copy of the keys, though of an epoch that is over

    _, second = sqlite_town.backup()

    assert not first.exists()
    assert second.exists()
    day = "UPDATE backup_copy SET delete_by = '2026-01-01 00:00:00' WHERE what = 'keys'"
    with closing(sqlite3.connect(sqlite_town.home / "register.sqlite3", isolation_level=None)) as register:
        register.execute(day)
    (place / "elsewhere").rename(place / "unplugged")
    late = sqlite_town.lofte("backup", "expire")
    assert late.returncode == 1
    assert "could not be reached" in late.stdout
    assert "should have been deleted" in sqlite_town.lofte("doctor").stdout
    (place / "unplugged").rename(place / "elsewhere")

    assert sqlite_town.lofte("backup", "expire").returncode == 0
    assert not second.exists()
