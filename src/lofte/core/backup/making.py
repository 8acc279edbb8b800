"""Copies a house while it is open and written to. Nobody waits, and whatever moment it is killed at, there is a whole copy or none.

The order makes the parts fit: the register first, then the keys, so that whoever is in the register has a key or was erased since;
the publications; the log last, so that it holds everything the register speaks of and every erasure that the register may lack.
Each part is one moment of its store. The copy is checked before it gets its name.
"""

import secrets
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from django.db import connections
from django.db.migrations.recorder import MigrationRecorder

import lofte
from lofte.core import actions, clock, outbox, publication, vault
from lofte.core.backup import checking, databases, verbs
from lofte.core.backup import manifest as manifests
from lofte.core.backup.databases import Told
from lofte.core.backup.manifest import DATA, KEYS, Held, Manifest
from lofte.core.backup.models import Copy
from lofte.core.retry import in_transaction
from lofte.evidence import copying
from lofte.evidence.keys import read_signer
from lofte.evidence.note import SignerKey
from lofte.kernel.instants import rfc3339
from lofte.kernel.problems import Problem

KEYS_KEPT = timedelta(days=7)
_PART = ".part"
_NOT_COPIED = ("first-password-of-",)  # for one reading, not for keeping


@dataclass(frozen=True, slots=True)
class Place:
    """What is copied: the data directory, and the URLs of databases that are not files in it."""

    home: Path
    database: str = ""
    keys_database: str = ""

    @property
    def log(self) -> str | Path:
        return self.database or self.home / "evidence.sqlite3"


@dataclass(frozen=True, slots=True)
class Made:
    data: Path
    keys: Path | None
    manifest: Manifest
    bytes: int
    gone: int  # older copies that were due and are deleted


def make(
    place: Place, to: Path, keys_to: Path | None, *, keys_kept: timedelta = KEYS_KEPT, kept: timedelta | None = None,
    told: Callable[[str], Told] = lambda part: lambda done, total: None,
) -> Made:  # fmt: skip
    """Copy the register, the log and what was published below ``to``, and the keys below ``keys_to``, each in a folder of its own.

    ``kept`` says how long the data may stay there, ``keys_kept`` how long the keys. Raises Problem; then no copy was made.
    """
    signer = _signer(place.home)
    to, keys_to = _demand_places(place.home, to, keys_to)
    at, run = clock.now(), secrets.token_hex(8)
    data, keys = to / f"lofte-{at:%Y%m%dT%H%M%SZ}-{run[:8]}", None
    if keys_to is not None:
        keys = keys_to / f"lofte-keys-{at:%Y%m%dT%H%M%SZ}-{run[:8]}"
        _note(run, Copy.What.KEYS, keys, at, at + keys_kept)  # before there is one, so that none is ever forgotten
    parts = _part(data), (_part(keys) if keys else None)
    made = _copy_data(place, parts[0], run, at, signer, told)
    keys_manifest = None
    if keys and parts[1]:
        keys_manifest = _copy_keys(place, parts[1], run, at, at + keys_kept, signer)
    _copy_log(place, parts[0], told("log"))
    whole = _sign_data(parts[0], made, signer)
    checking.check(parts[0], parts[1], told=told("check"))
    for part, final in zip(parts, (data, keys), strict=True):
        if part and final:
            manifests.flush_tree(part)
            part.rename(final)
            manifests.flush(final.parent)
    _record(whole, data, at + kept if kept else None, keys_manifest)
    gone = verbs.delete_due(clock.now())
    return Made(data, keys, whole, whole.bytes + (keys_manifest.bytes if keys_manifest else 0), gone)


def _signer(home: Path) -> SignerKey:
    signer = read_signer(home / "keys" / "log.key")
    if signer is None:
        raise Problem(
            "backup.nothing-yet", "nothing has been recorded in this data directory yet", status=409,
            way_out="Start the server once; then there is something to copy.",
        )  # fmt: skip
    return signer


def _demand_places(home: Path, to: Path, keys_to: Path | None) -> tuple[Path, Path | None]:
    """Apart from the house and from each other: keys and what they open together make every erasure a lie."""
    to, home = to.expanduser().resolve(), home.resolve()
    keys_to = keys_to.expanduser().resolve() if keys_to else None
    for each in filter(None, (to, keys_to)):
        if each == home or home in each.parents:
            raise _refused("a copy inside the data directory goes with it", "Name a place on another disk.")
    if keys_to and (to == keys_to or to in keys_to.parents or keys_to in to.parents):
        raise _refused(
            "the keys would lie with the data they open", "Name another place for the keys, one with other readers."
        )
    for each in filter(None, (to, keys_to)):
        try:
            each.mkdir(mode=0o700, parents=True, exist_ok=True)
            for left in each.glob(f".lofte-*{_PART}"):  # killed on the way: no copy, but keys may lie in it
                manifests.destroy(left)
        except OSError as wrong:
            raise _refused(
                f"{each} cannot be written: {wrong.strerror}", "Name a directory this user may write."
            ) from None
    return to, keys_to


def _part(final: Path) -> Path:
    part = final.with_name(f".{final.name}{_PART}")
    part.mkdir(mode=0o700)
    return part


def _copy_data(
    place: Place, part: Path, run: str, at: datetime, signer: SignerKey, told: Callable[[str], Told]
) -> Manifest:  # fmt: skip
    with copying.read(place.log) as reading:
        since = copying.head_of(reading).size
    tables: dict[str, Held] = {}
    (part / "register").mkdir(mode=0o700)
    if place.database:
        found = databases.copy_postgres(place.database, part / "register" / "register", told("register"))
        tables = {f"register/register/{name}": held for name, held in found.items()}
    else:
        databases.copy_sqlite(place.home / "register.sqlite3", part / "register" / "register.sqlite3")
    applied = MigrationRecorder(connections["default"]).applied_migrations()
    return Manifest(
        run=run, what=DATA, made_at=rfc3339(at), program=lofte.__version__, vkey=str(signer.verifier),
        engine="postgresql" if place.database else "sqlite", log_since=since, migrations=tuple(sorted(applied)), files=tables,
    )  # fmt: skip


def _copy_keys(place: Place, part: Path, run: str, at: datetime, end: datetime, signer: SignerKey) -> Manifest:
    tables: dict[str, Held] = {}
    with vault.epochs_stand():  # every epoch key that wraps something now is still there when the files are copied
        if place.keys_database:
            found = databases.copy_postgres(place.keys_database, part / "keystore", lambda done, total: None)
            tables = {f"keystore/{name}": held for name, held in found.items()}
        else:
            databases.copy_sqlite(place.home / "keys.sqlite3", part / "keystore.sqlite3")
        for file in sorted((place.home / "keys").iterdir()):
            if file.is_file() and not file.name.startswith((".", *_NOT_COPIED)):
                manifests.copy_file(file, part / "keys" / file.name)
    epochs = tuple(sorted(file.stem.removeprefix("epoch-") for file in (part / "keys").glob("epoch-*.key")))
    made = Manifest(
        run=run, what=KEYS, made_at=rfc3339(at), program=lofte.__version__, vkey=str(signer.verifier),
        engine="postgresql" if place.keys_database else "sqlite", epochs=epochs, delete_by=rfc3339(end),
        migrations=tuple(sorted(MigrationRecorder(connections["keys"]).applied_migrations())), files=manifests.weigh(part, tables),
    )  # fmt: skip
    manifests.write(part, made, signer)
    return made


def _copy_log(place: Place, part: Path, told: Told) -> None:
    """What was published, then the log, which has the entry of everything published."""
    published = place.home / "published"
    for name in ("current", "verdicts.json"):
        if (published / name).exists():
            manifests.copy_file(published / name, part / "published" / name)
    for folder in ("publications", "objects"):
        for file in sorted((published / folder).glob("*")) if (published / folder).is_dir() else ():
            if file.is_file() and not file.name.startswith("."):
                manifests.copy_file(file, part / "published" / folder / file.name)
    for file in [place.home / "roles.yaml", *sorted((place.home / "systems").glob("*.yaml"))]:
        if file.is_file():
            manifests.copy_file(file, part / "house" / file.relative_to(place.home))
    (part / "log").mkdir(mode=0o700)
    with copying.read(place.log) as reading:
        copying.copy_out(reading, part / "log" / "evidence.sqlite3", told)


def _sign_data(part: Path, begun: Manifest, signer: SignerKey) -> Manifest:
    with closing(copying.Copied(part / "log" / "evidence.sqlite3")) as log:
        head = log.last_head()
    made = Manifest(
        run=begun.run, what=begun.what, made_at=begun.made_at, program=begun.program, vkey=begun.vkey, engine=begun.engine,
        log_size=head.size if head else 0, log_root=head.root.hex() if head else "", log_since=begun.log_since,
        migrations=begun.migrations, files=manifests.weigh(part, begun.files),
    )  # fmt: skip
    manifests.write(part, made, signer)
    return made


@in_transaction
def _note(run: str, what: Copy.What, place: Path, at: datetime, end: datetime) -> None:
    Copy.objects.create(
        run=run, what=what, place=str(place), made_at=at, delete_by=end, epochs=[each.name for each in vault.epochs()]
    )


@in_transaction
def _record(made: Manifest, place: Path, end: datetime | None, keys: Manifest | None) -> None:
    now = clock.now()
    Copy.objects.create(
        run=made.run, what=Copy.What.DATA, place=str(place), made_at=datetime.fromisoformat(made.made_at), bytes=made.bytes,
        log_size=made.log_size, verified_at=now, delete_by=end,
    )  # fmt: skip
    if keys:
        Copy.objects.filter(run=made.run, what=Copy.What.KEYS).update(
            bytes=keys.bytes, verified_at=now, epochs=list(keys.epochs)
        )
    fact = {
        "run": made.run,
        "log_size": made.log_size,
        "bytes": made.bytes,
        "keys_until": keys.delete_by if keys else "",
    }
    outbox.add("backup.made", fact, policy=publication.current().digest)
    actions.record("backup.made", "operator", log_size=made.log_size, bytes=made.bytes, keys=keys is not None)


def _refused(detail: str, way_out: str) -> Problem:
    return Problem("backup.bad-place", detail, way_out=way_out, status=409)
