"""Is this copy whole, and does it open? Needs the copy alone: no house, no Django, no network.

Looked at: the signature, every file's size and digest, what SQLite says of its files, the rows of each table, every entry, opening
and tile of the log up to the signed head, every published file by its own digest; with the keys, that each wrapped key opens and
that nobody in the register lacks one. With no key of the log at hand the signature shows only that the copy is as it was made.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from cryptography.exceptions import InvalidTag

from lofte.core import wrapping
from lofte.core.backup import databases
from lofte.core.backup import manifest as manifests
from lofte.core.backup.databases import Told
from lofte.core.backup.manifest import DATA, KEYS, Manifest
from lofte.evidence import copying
from lofte.kernel.canonical import sha256_hex
from lofte.kernel.problems import Problem

_PERSON = ("core_person", ("id",))
_OWNER = ("keys_ownerkey", ("owner", "epoch", "wrapped"))
_TOMBSTONE = ("keys_tombstone", ("mark",))


@dataclass(frozen=True, slots=True)
class Checked:
    """``people`` and ``keys`` are -1 where no keys were given to try."""

    data: Manifest
    keys: Manifest | None
    people: int = -1
    opened: int = -1


def check(data: Path, keys: Path | None = None, vkey: str = "", told: Told = lambda done, total: None) -> Checked:
    """Raises Problem `backup.not-sound` (or `backup.torn-log`) naming the first thing that is not as it should be."""
    found = manifests.read(data, vkey)
    if found.what != DATA:
        raise _not_sound("this is a copy of keys, not of data")
    manifests.demand_files(data, found)
    _demand_tables(data, found)
    told(1, 4)
    head = copying.demand_whole(data / "log" / "evidence.sqlite3")
    if (head.size, head.root.hex()) != (found.log_size, found.log_root):
        raise _not_sound("the log does not end at the head that was signed for")
    told(2, 4)
    _demand_published(data / "published")
    told(3, 4)
    if keys is None:
        return Checked(found, None)
    held = check_keys(keys, vkey or found.vkey)
    if held.made_at < found.made_at:
        raise _not_sound("the keys are older than the data: whoever came between them could not be read")
    opened = dict(_opened(keys, held))
    marks, blind = _marks(keys, held), (keys / "keys" / "blind.key").read_bytes()
    people = [databases.as_uuid(row[0]) for row in databases.rows(data, "register/register", *_PERSON, found.files)]
    if without := sum(each not in opened and wrapping.mark(blind, each) not in marks for each in people):
        raise _not_sound(f"{without} people in the register have no key in these keys")
    told(4, 4)
    return Checked(found, held, len(people), len(opened))


def check_keys(keys: Path, vkey: str = "") -> Manifest:
    """A copy of the keys by itself: whole, and each wrapped key opens under an epoch key in it."""
    held = manifests.read(keys, vkey)
    if held.what != KEYS:
        raise _not_sound("this is a copy of data, not of keys")
    manifests.demand_files(keys, held)
    _demand_tables(keys, held)
    for _ in _opened(keys, held):
        pass
    return held


def _demand_tables(folder: Path, manifest: Manifest) -> None:
    for name, held in manifest.files.items():
        if name.endswith(".sqlite3") and not name.startswith("log/"):
            databases.demand_sound_sqlite(folder / name)
        elif held.rows >= 0 and databases.count_lines(folder / name) != held.rows:
            raise _not_sound(f"{name} has not the {held.rows} rows it was written with")


def _demand_published(folder: Path) -> None:
    """Published bytes are named by their digest."""
    for file in sorted((folder / "objects").glob("*")):
        if sha256_hex(file.read_bytes()) != file.name:
            raise _not_sound("a published file is not the one that was signed for")
    current = folder / "current"
    if current.exists() and not (folder / "publications" / f"{current.read_text().strip()}.json").exists():
        raise _not_sound("the publication in force is missing")


def _opened(keys: Path, held: Manifest) -> Iterator[tuple[UUID, str]]:
    site = UUID(bytes=(keys / "keys" / "site.id").read_bytes()[:16], version=4)
    files = (keys / "keys").glob("epoch-*.key")
    epochs: Mapping[str, bytes] = {file.stem.removeprefix("epoch-"): file.read_bytes() for file in files}
    for owner, epoch, wrapped in databases.rows(keys, "keystore", *_OWNER, held.files):
        known = databases.as_uuid(owner)
        try:
            wrapping.unwrap(bytes(wrapped), epochs[epoch], site, known, epoch)
        except (KeyError, InvalidTag):
            raise _not_sound(f"a key wrapped in epoch {epoch} does not open with the epoch keys here") from None
        yield known, epoch


def _marks(keys: Path, held: Manifest) -> frozenset[str]:
    return frozenset(str(row[0]) for row in databases.rows(keys, "keystore", *_TOMBSTONE, held.files))


def _not_sound(detail: str) -> Problem:
    return Problem("backup.not-sound", detail, way_out="Use another copy; this one cannot be relied on.", status=409)
