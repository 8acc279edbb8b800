"""Puts a copy into an empty house. While it is at it, and until erasures newer than the copy are replayed, a marker keeps the door
shut: nothing of this program enters a house that has it but the restore itself.

What survived the accident is better than any copy: the log and the keys are taken from the old house where they are whole. A log
older than the newest head anybody knows, or of which nobody can say, is opened only by a decision with a reason: it then goes on
under another name and key, and its first entry says what was lost.
"""

import json
import os
import shutil
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from lofte.core import environment
from lofte.core.backup import checking, databases
from lofte.core.backup import manifest as manifests
from lofte.core.backup.databases import Told
from lofte.core.backup.manifest import Manifest
from lofte.evidence import copying, keys, succession
from lofte.evidence.checkpoint import Checkpoint, open_checkpoint
from lofte.evidence.note import SignerKey, VerifierKey
from lofte.evidence.store import Head
from lofte.kernel.problems import Problem

PLACING, REPLAYING = "placing", "replaying"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What is to be restored, and from where. ``accepted`` is the reason to open a log that may lack entries."""

    copy: Path
    home: Path
    keys: Path | None = None
    surviving: Path | None = None
    head: str = ""
    accepted: str = ""
    database: str = ""
    keys_database: str = ""
    surviving_database: str = ""


@dataclass(frozen=True, slots=True)
class Marker:
    """What the file in the house says while a restore is under way. ``lost`` is -1 where nobody can say how much."""

    phase: str
    id: str
    run: str
    made_at: str
    log_size: int
    log_from: str
    keys_from: str
    accepted: str
    lost: int
    copy: str
    keys: str


def read_marker(home: Path) -> Marker | None:
    try:
        return Marker(**json.loads((home / environment.RESTORING).read_bytes()))
    except FileNotFoundError:
        return None
    except (ValueError, TypeError):
        raise _refused(
            "restore.bad-marker",
            "the note of the restore under way cannot be read",
            "Begin again in an empty directory.",
        ) from None


def write_marker(home: Path, marker: Marker) -> None:
    manifests.write_file(home / environment.RESTORING, json.dumps(asdict(marker)).encode())


def open_the_door(home: Path) -> None:
    (home / environment.RESTORING).unlink(missing_ok=True)
    manifests.flush(home)


def place(
    wish: Wish, now: Callable[[], datetime], told: Callable[[str], Told] = lambda part: lambda done, total: None
) -> Manifest:
    """Check the copy, then put its files where they belong; `fill` does the rest. Raises Problem before anything is written if it
    may not. A restore killed here is begun anew by the same call.
    """
    copied = _demand_sound(wish, told("check"))
    begun = _demand_empty(wish, copied)
    scratch = wish.home.with_name(f".{wish.home.name}.surviving-log")
    source = _source_of_keys(wish)
    signer = _signer(source)
    if copied.vkey != str(signer.verifier):
        raise _refused(
            "restore.foreign-keys",
            "the keys are those of another log than the copy's",
            "Use the keys that were copied with it.",
        )
    log_from, log = _best_log(wish, copied, scratch, told("log"))
    known = _known_head(wish, source, signer.verifier)
    try:
        lost = _decide(log, known, wish)
    except Problem:
        scratch.unlink(missing_ok=True)
        raise
    environment.make_home(wish.home)
    marker = Marker(
        PLACING, begun or os.urandom(16).hex(), copied.run, copied.made_at, log[1].size, log_from,
        "surviving" if source == wish.surviving else "copy", wish.accepted if lost else "", lost, str(wish.copy),
        str(wish.keys or ""),
    )  # fmt: skip
    write_marker(wish.home, marker)
    _place_keys(wish, source)
    _place_files(wish, log_from)
    keys.replace(wish.home / "keys" / "last_signed", _noted(signer, log[1]))
    location = _place_log(wish, log[0], told("log"))
    scratch.unlink(missing_ok=True)
    if lost:
        succession.branch(location, wish.home / "keys", wish.accepted, known, now).close()
    return copied


def _demand_sound(wish: Wish, told: Told) -> Manifest:
    found = checking.check(wish.copy, wish.keys, told=told).data
    if (found.engine == "postgresql") != bool(wish.database):
        raise _refused(
            "restore.other-engine", f"the copy is of a register in {found.engine}",
            "Set LOFTE_DATABASE to an empty PostgreSQL database." if found.engine == "postgresql" else "Unset LOFTE_DATABASE.",
        )  # fmt: skip
    return found


def _demand_empty(wish: Wish, copied: Manifest) -> str:
    """The id of a restore of this copy that was broken off, whose remains are taken away; else an empty text."""
    marker = read_marker(wish.home) if wish.home.is_dir() else None
    urls = [url for url in (wish.database, wish.keys_database) if url]
    if marker is not None:
        if (marker.phase, marker.run) != (PLACING, copied.run):
            raise _refused(
                "restore.under-way", "another restore has been begun in this directory",
                "Go on with it (lofte restore --home DIR), or restore into an empty one.",
            )  # fmt: skip
        for each in wish.home.iterdir():
            if each.name != environment.RESTORING:
                shutil.rmtree(each) if each.is_dir() else each.unlink()
        for url in urls:
            databases.clear_postgres(url)
        return marker.id
    if wish.home.exists() and (not wish.home.is_dir() or any(wish.home.iterdir())):
        raise _refused(
            "restore.not-empty",
            "the data directory is not empty; nothing is ever written over",
            "Name a new one with --home.",
        )
    for url in urls:
        if not databases.is_empty_postgres(url):
            raise _refused(
                "restore.not-empty", "the database is not empty; nothing is ever written over", "Name an empty one."
            )
    return ""


def _source_of_keys(wish: Wish) -> Path:
    """The folder that holds ``keys/`` and the key store: the old house before any copy, since nobody erased has a key there."""
    if wish.surviving and not wish.keys_database and _has_keys(wish.surviving):
        return wish.surviving
    if wish.keys is None:
        raise _refused(
            "restore.no-keys", "without keys nothing in the register opens",
            "Give --keys, or --surviving with the old data directory, if its keys are whole.",
        )  # fmt: skip
    return wish.keys


def _has_keys(old: Path) -> bool:
    there = (old / "keys" / "site.id").is_file() and any((old / "keys").glob("epoch-*.key"))
    if not there or not (old / "keys.sqlite3").is_file():
        return False
    try:
        return databases.is_sound_live(old / "keys.sqlite3")
    except (OSError, sqlite3.Error):
        return False


def _signer(source: Path) -> SignerKey:
    signer = keys.read_signer(source / "keys" / "log.key")
    if signer is None:
        raise _refused(
            "restore.no-keys",
            "the signing key of the log is not among the keys",
            "Give the keys that were copied with it.",
        )
    return signer


def _best_log(wish: Wish, copied: Manifest, scratch: Path, told: Told) -> tuple[str, tuple[Path, Head]]:
    """The surviving log where it is whole and goes on from the copy; else the copy's."""
    from_copy = wish.copy / "log" / "evidence.sqlite3"
    head = Head(copied.log_size, bytes.fromhex(copied.log_root) if copied.log_root else b"", "")
    old: Path | str = wish.surviving_database or (wish.surviving / "evidence.sqlite3" if wish.surviving else "")
    if not old or (isinstance(old, Path) and not old.is_file()):
        return "copy", (from_copy, head)
    if _is_alive(old):
        raise _refused(
            "restore.still-open", "the old house is still open: two houses must never write one log",
            "Stop the old server; after a kill, PostgreSQL's lease takes ten seconds to run out.",
        )  # fmt: skip
    scratch.unlink(missing_ok=True)
    try:
        with copying.read(old) as reading:
            copying.copy_out(reading, scratch, told)
        survived = copying.demand_whole(scratch)
    except (Problem, OSError):
        scratch.unlink(missing_ok=True)
        return "copy", (from_copy, head)
    if survived.size < head.size:
        scratch.unlink()
        return "copy", (from_copy, head)
    if head.size and copying.root_of(scratch, head.size) != head.root:
        scratch.unlink()
        raise _refused(
            "restore.foreign-log", "the surviving log is another than the copy's", "Restore a copy of the same house."
        )
    return "surviving", (scratch, survived)


def _is_alive(old: Path | str) -> bool:
    try:
        return copying.is_being_written(old)
    except Problem:  # it cannot even be read
        return False


def _known_head(wish: Wish, source: Path, vkey: VerifierKey) -> Checkpoint | None:
    """The newest head that anybody knows the log to have signed: beside the surviving keys, or brought along."""
    found = []
    if wish.surviving:
        with suppress(OSError):
            found.append(keys.LastSigned(wish.surviving / "keys" / "last_signed").read(vkey))
    if wish.head:
        try:
            found.append(open_checkpoint(wish.head, vkey))
        except ValueError:
            raise _refused(
                "restore.bad-head", "the head was not signed by this log", "Give a checkpoint of this log, whole."
            ) from None
    return max((each for each in found if each), key=lambda each: each.size, default=None)


def _decide(log: tuple[Path, Head], known: Checkpoint | None, wish: Wish) -> int:
    """How many entries are lost: 0 none, -1 nobody can say. Raises Problem when some are, or may be, and nobody decided so."""
    size = log[1].size
    if known is not None and known.size <= size:
        if known.size and copying.root_of(log[0], known.size) != known.root:
            raise _refused(
                "restore.log-differs", f"the log has signed another tree of {known.size} entries", "Use another copy."
            )
        return 0
    if not wish.accepted:
        said = (
            f"the log in hand ends at entry {size}, and it has signed {known.size}: {known.size - size} entries are missing"
            if known
            else f"the log in hand ends at entry {size}, and nothing shows whether there was more"
        )
        raise _refused(
            "restore.log-rolled-back", said,
            "Bring the newest log (--surviving OLD_DIRECTORY), or a signed head that shows that nothing is missing (--head FILE);"
            " or decide to lose what may be missing: --accept-lost-entries REASON closes this log with a signed statement and goes"
            " on under another name.",
        )  # fmt: skip
    return known.size - size if known else -1


def _place_keys(wish: Wish, source: Path) -> None:
    for file in sorted((source / "keys").iterdir()):
        if file.is_file() and not file.name.startswith("."):
            manifests.copy_file(file, wish.home / "keys" / file.name)
    if source == wish.surviving:
        databases.copy_sqlite(source / "keys.sqlite3", wish.home / "keys.sqlite3")
        databases.demand_sound_sqlite(wish.home / "keys.sqlite3")
    elif not wish.keys_database:
        manifests.copy_file(source / "keystore.sqlite3", wish.home / "keys.sqlite3")


def _place_files(wish: Wish, log_from: str) -> None:
    if not wish.database:
        manifests.copy_file(wish.copy / "register" / "register.sqlite3", wish.home / "register.sqlite3")
    sources = [wish.copy / "published"]
    if wish.surviving and log_from == "surviving" and (wish.surviving / "published" / "current").is_file():
        sources.append(
            wish.surviving / "published"
        )  # the surviving log speaks of these; they are named by their digests
    for source in sources:
        for file in sorted(source.rglob("*")):
            if file.is_file() and not file.name.startswith("."):
                manifests.copy_file(file, wish.home / "published" / file.relative_to(source))
    for file in sorted((wish.copy / "house").rglob("*")):
        if file.is_file():
            manifests.copy_file(file, wish.home / file.relative_to(wish.copy / "house"))


def _place_log(wish: Wish, file: Path, told: Told) -> Path | str:
    if wish.database:
        copying.copy_in(file, wish.database, os.urandom(8).hex(), told)
        location: Path | str = wish.database
    else:
        location = wish.home / "evidence.sqlite3"
        manifests.copy_file(file, location)
    return location


def _noted(signer: SignerKey, head: Head) -> bytes:
    """The head of a log that goes on where it was; Ed25519 is deterministic, so this is the signature it gave before."""
    return keys.as_slots(signer.sign(Checkpoint(signer.verifier.name, head.size, head.root or _empty()).text()))


def _empty() -> bytes:
    from lofte.evidence.tree import EMPTY_ROOT

    return EMPTY_ROOT


# --- with Django: the tables of PostgreSQL ---------------------------------------------------------------------------


def demand_known_migrations(alias: str, migrations: tuple[tuple[str, str], ...]) -> None:
    """Raises Problem when the copy was made by a later version of the program than this."""
    from django.db import connections
    from django.db.migrations.loader import MigrationLoader

    loader = MigrationLoader(connections[alias])
    known = set(loader.disk_migrations) | {key for each in loader.disk_migrations.values() for key in each.replaces}
    if unknown := sorted(set(migrations) - known):
        raise _refused(
            "restore.newer-copy", f"the copy was made by a later version ({unknown[0][0]}.{unknown[0][1]})", "Install that version."
        )  # fmt: skip


def fill(
    alias: str, url: str, folder: Path, prefix: str, copied: Manifest, told: Told = lambda done, total: None
) -> None:  # fmt: skip
    """Makes the tables as they were when the copy was made, then puts the rows in, all or nothing."""
    from django.db import connections
    from django.db.migrations.executor import MigrationExecutor

    executor = MigrationExecutor(connections[alias])
    wanted = set(copied.migrations)
    leaves = [
        key
        for key in sorted(wanted)
        if not any(child in wanted and child[0] == key[0] for child in _children(executor, key))
    ]
    executor.migrate(leaves)
    connections[alias].close()
    tables: Mapping[str, Any] = {
        name.removeprefix(prefix): held
        for name, held in copied.files.items()
        if name.startswith(prefix) and held.rows >= 0
    }
    databases.fill_postgres(url, folder, tables, told)


def _children(executor: Any, key: tuple[str, str]) -> list[tuple[str, str]]:
    node = executor.loader.graph.node_map.get(key)
    return [child.key for child in node.children] if node is not None else []


def _refused(code: str, detail: str, way_out: str) -> Problem:
    return Problem(code, detail, way_out=way_out, status=409)
