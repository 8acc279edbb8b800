"""A copy made while the house lives is whole, and a restore brings nobody back who was erased since, nor a log that lost anything
in silence. On SQLite and PostgreSQL."""

import json
import os
import shutil
import signal
import time
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.timeout(300)]


def done(ended: Any) -> dict[str, Any]:
    assert ended.returncode == 0, ended.stderr[-3000:]
    said: dict[str, Any] = json.loads(ended.stdout)
    return said


def test_a_house_is_restored_from_its_copies_and_everybody_can_be_read(town):
    before = town.live("look")
    data, keys = town.backup()
    new = town.place / "new"

    said = done(town.restore(data, new, "--keys", keys, "--surviving", town.home))

    assert said["replayed"]["people"] == 0
    after = town.live("look", home=new)
    for same in ("people", "readable", "rows", "index", "granted", "known", "name", "entries"):
        assert after[same] == before[same], same
    assert after["wrong"] == []
    assert after["last"]["event"] == "restore.replayed"
    assert town.live("add", 11, home=new)["people"] == 11
    listed = json.loads(town.lofte("backup", "list", "--json", home=new).stdout)
    assert {each["place"] for each in listed} == {str(data), str(keys)}  # made after the register was copied, and known
    assert town.lofte("backup", "verify", data, keys).returncode == 0


def test_a_restore_brings_nobody_back_who_was_erased_since(town):
    """The old register has person 3; the surviving log and keys know better."""
    data, keys = town.backup()
    lived = town.live("erase", 3)
    new = town.place / "new"

    said = done(town.restore(data, new, "--keys", keys, "--surviving", town.home))

    assert said["replayed"]["people"] == 1
    after = town.live("look", home=new)
    assert (after["people"], after["readable"], after["known"]["3"], after["rows"]) == (9, 9, False, lived["rows"])
    assert after["erasures"] == lived["erasures"] == 1
    assert after["name"] == lived["name"]
    assert after["wrong"] == []


def test_a_house_that_is_still_open_is_not_taken_over(town):
    data, keys = town.backup()
    busy = town.begin("busy")
    try:
        assert busy.stdout is not None
        busy.stdout.readline()
        refused = town.restore(data, town.place / "new", "--keys", keys, "--surviving", town.home)
    finally:
        busy.kill()
        busy.wait()
        if busy.stdout:
            busy.stdout.close()

    assert "restore.still-open" in refused.stderr
    assert not (town.place / "new").exists()


@pytest.mark.long
def test_a_restore_of_register_and_keys_brings_nobody_back_whose_erasure_is_in_the_log(town):
    """Register and keys are from the copy, so person 3's key is back: only the surviving log knows that they were erased."""
    data, keys = town.backup()
    town.live("erase", 3)
    mixed = town.place / "mixed"
    shutil.copytree(town.home, mixed, ignore=shutil.ignore_patterns("keys.sqlite3*", "epoch-*", "register.sqlite3*"))
    new = town.place / "new"

    said = done(town.restore(data, new, "--keys", keys, "--surviving", mixed))

    assert said["replayed"]["people"] == 1
    after = town.live("look", home=new)
    assert (after["people"], after["readable"], after["known"]["3"]) == (9, 9, False)


@pytest.mark.long
def test_the_door_stays_shut_until_the_erasures_are_replayed(town):
    data, keys = town.backup()
    town.live("erase", 3)
    new = town.place / "new"
    ended = town.restore(data, new, "--keys", keys, "--surviving", town.home, PYTHONPATH=str(town.killer("replay")))
    assert ended.returncode == -signal.SIGKILL, ended.stderr[-2000:]

    assert town.live("look", home=new)["refused"] == "restore.not-done"
    for command in (("serve",), ("people", "list"), ("doctor",), ("backup", "--to", town.place / "x")):
        assert town.lofte(*command, home=new).returncode != 0, command

    said = done(town.lofte("restore", "--home", new, "--json", home=new))

    assert said["replayed"]["people"] == 1
    assert town.live("look", home=new)["readable"] == 9


@pytest.mark.parametrize(
    "moment", ["_place_keys", "_place_files", "_place_log", "fill", "_walk", "_record", "open_the_door"]
)
def test_a_restore_killed_anywhere_goes_on_by_the_same_command(town, moment):
    if moment == "fill" and not town.server:
        pytest.skip("SQLite files are filled by being copied")
    data, keys = town.backup()
    town.live("erase", 3)
    new = town.place / "new"
    more = ("--keys", keys, "--surviving", town.home)
    assert town.restore(data, new, *more, PYTHONPATH=str(town.killer(moment))).returncode == -signal.SIGKILL
    assert town.live("look", home=new)["refused"] in ("restore.not-done", "settings.no-database")

    done(town.restore(data, new, *more))

    after = town.live("look", home=new)
    assert (after["people"], after["readable"], after["known"]["3"], after["wrong"]) == (9, 9, False, [])
    assert after["kinds"].count("restore") == 1


@pytest.mark.long
def test_what_people_took_back_since_is_taken_back_again(town):
    """Withdrawn, restricted, and erased but for what a statute keeps."""
    data, keys = town.backup()
    town.live("withdraw", 4)
    town.live("restrict", 5)
    lived = town.live("statute", 7)
    assert lived["people"] == 10
    new = town.place / "new"

    replayed = done(town.restore(data, new, "--keys", keys, "--surviving", town.home))["replayed"]

    assert (replayed["withdrawn"], replayed["restricted"], replayed["partly"]) == (1, 1, 1)
    after = town.live("look", home=new)
    for same in ("granted", "restricted", "rows", "people", "known"):
        assert after[same] == lived[same], same
    assert replayed["found"] > 0  # entries made since are known as theirs, so that a later erasure finds them
    gone = town.live("erase", 4, home=new)
    assert gone["whos"] == gone["entries"]


@pytest.mark.long
def test_an_older_log_is_opened_by_nobodys_silence_and_goes_on_under_another_name(town):
    data, keys = town.backup()
    lived = town.live("add", 11)
    new = town.place / "new"

    alone = town.restore(data, new, "--keys", keys)
    behind = town.restore(data, new, "--keys", keys, "--head", newest_head(town))
    assert "nothing shows whether there was more" in alone.stderr
    assert f"has signed {lived['size']}" in behind.stderr
    assert not new.exists()

    said = done(
        town.restore(
            data, new, "--keys", keys, "--head", newest_head(town), "--accept-lost-entries", "the disk burnt, case 7"
        )
    )

    assert said["restore"]["lost"] == lived["size"] - town_log_size(data)
    after = town.live("look", home=new)
    assert after["name"] == f"{lived['name']}/2"
    assert "succession" in after["kinds"]
    assert after["wrong"] == []
    assert after["last"]["accepted"] == "the disk burnt, case 7"
    again, more = town_backup_of(town, new)
    assert town.lofte("backup", "verify", again, more, home=new).returncode == 0


def newest_head(town: Any) -> Path:
    slots = (town.home / "keys" / "last_signed").read_bytes()
    found = max(
        (slots[at : at + 1024].rstrip(b"\0") for at in (0, 1024)),
        key=lambda text: int([*text.split(b"\n"), b"0", b"0"][1] or 0),
    )
    file: Path = town.place / "head.txt"
    file.write_bytes(found)
    return file


def town_log_size(data: Path) -> int:
    size: int = json.loads((data / "manifest.json").read_bytes())["log_size"]
    return size


def town_backup_of(town: Any, home: Path) -> tuple[Path, Path]:
    ended = town.lofte("backup", "--to", town.place / "d2", "--keys-to", town.place / "k2", "--json", home=home)
    said = done(ended)
    return Path(said["data"]), Path(said["keys"])


@pytest.mark.long
def test_a_copy_made_under_load_is_whole_whenever_it_was_made(town):
    busy = town.begin("busy")
    try:
        assert busy.stdout is not None
        busy.stdout.readline()
        made = []
        for _ in range(3):
            made.append(town.backup())
            time.sleep(0.3)
    finally:
        os.kill(busy.pid, signal.SIGKILL)
        busy.wait()
        if busy.stdout:
            busy.stdout.close()
    for data, keys in made:
        assert town.lofte("backup", "verify", data, keys).returncode == 0
    new = town.place / "new"
    if town.server:
        time.sleep(11)  # the lease of the killed writer runs out

    done(town.restore(made[0][0], new, "--keys", made[0][1], "--surviving", town.home))

    after = town.live("look", home=new)
    assert after["people"] == after["readable"]
    assert after["wrong"] == []


@pytest.mark.long
def test_a_database_put_back_by_other_means_is_refused_until_it_is_replayed(town):
    if town.server:
        pytest.skip("files are easier to put back by hand")
    old = town.place / "old.sqlite3"
    data, _ = town.backup()
    shutil.copy(data / "register" / "register.sqlite3", old)
    town.live("erase", 3)
    for file in town.home.glob("register.sqlite3*"):
        file.unlink()
    shutil.copy(old, town.home / "register.sqlite3")

    assert town.live("look")["refused"] == "restore.behind"

    assert done(town.lofte("restore", "--home", town.home, "--json"))["replayed"]["people"] == 1
    assert town.live("look")["people"] == 9


@pytest.mark.long
def test_older_keys_put_back_by_hand_open_nothing_of_whom_they_were_to_forget(town):
    if town.server:
        pytest.skip("the keys are a file on both engines")
    _, keys = town.backup()
    shutil.copy(keys / "keystore.sqlite3", town.place / "old-keys")
    town.live("erase", 3)
    for file in town.home.glob("keys.sqlite3*"):
        file.unlink()
    shutil.copy(town.place / "old-keys", town.home / "keys.sqlite3")

    assert town.live("look")["refused"] == "restore.behind"

    assert done(town.lofte("restore", "--home", town.home, "--json"))["replayed"]["keys"] == 1
    after = town.live("look")
    assert (after["people"], after["readable"], after["keys"]) == (9, 9, 9)
