"""Seals what is personal: AES-256-GCM under a key of its own for each person, wrapped by the key of an epoch.

The wrapped keys are in the database `keys`, the epoch keys in files `<home>/keys/epoch-*.key`; destroying a person's key
makes every copy of what it sealed unreadable, and rotating the epoch does the same for copies of wrapped keys in old backups.
A ciphertext is bound to site, owner, record and key version: moved elsewhere it does not open.
"""

import fcntl
import os
import secrets
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.db import IntegrityError, connections, transaction
from django.db.models import Count

from lofte.core import clock, environment, many, wrapping
from lofte.core.keys.models import OwnerKey, Tombstone
from lofte.kernel.problems import Problem

_NONCE_BYTES = wrapping.NONCE_BYTES
_FORMAT = b"\x01"
_BATCH = 500


def _closed(detail: str) -> Problem:
    return Problem(
        "vault.closed", detail, way_out="Restore the keys directory from its backup and start again.", status=503
    )


@dataclass(frozen=True, slots=True)
class Opener:
    """One owner's key in hand: seal and open many records with one look into the key store."""

    owner: UUID
    version: int
    key: bytes

    def seal(self, record: UUID, plain: bytes) -> bytes:
        nonce = os.urandom(_NONCE_BYTES)
        bound = _bound(self.owner.bytes, record.bytes, self.version)
        return _FORMAT + self.version.to_bytes(2) + nonce + AESGCM(self.key).encrypt(nonce, plain, bound)

    def open(self, record: UUID, sealed: bytes | memoryview) -> bytes:
        """The plain bytes. Raises Problem when the ciphertext is not this record's, or was altered."""
        return self.open_row(record.bytes, sealed)

    def open_row(self, record: bytes, sealed: bytes | memoryview) -> bytes:
        """As `open`, of a row whose id is at hand as bytes."""
        data = bytes(sealed)
        if data[:1] != _FORMAT or int.from_bytes(data[1:3]) != self.version:
            raise Problem("vault.wrong-version", "a sealed value is of another format or key", status=500)
        nonce, body = data[3 : 3 + _NONCE_BYTES], data[3 + _NONCE_BYTES :]
        try:
            return AESGCM(self.key).decrypt(nonce, body, _bound(self.owner.bytes, record, self.version))
        except InvalidTag:
            raise Problem(
                "vault.altered", "a sealed value does not open: altered, or moved from where it was", status=500
            ) from None


_held: ContextVar[Opener | None] = ContextVar("lofte.vault.held", default=None)


def _bound(owner: bytes, record: bytes, version: int) -> bytes:
    return b"lofte/vault/1" + settings.LOFTE_SITE_ID.bytes + owner + record + version.to_bytes(2)


# --- owners' keys ---------------------------------------------------------------------------------------------------


def make_key(owner: UUID) -> None:
    """A fresh key for an owner. Refuses an owner whose key was destroyed: what was erased is not written again."""
    make_keys([owner])


def make_keys(owners: Sequence[UUID]) -> dict[UUID, Opener]:
    """Fresh keys for many owners at once, in hand. All or none."""
    marks = [mark(each) for each in owners]
    if _any_buried(marks):
        raise Problem("vault.erased", "this person was erased; nothing may be written under the old name", status=409)
    made = {each: Opener(each, 1, AESGCM.generate_key(bit_length=256)) for each in owners}
    with epochs_stand():  # no epoch ends between the wrapping and the row
        epoch = current_epoch()
        kek, at = AESGCM(_epoch_key(epoch)), clock.now()
        rows = [
            {"owner": each, "epoch": epoch, "wrapped": _wrap(each, epoch, key.key, kek), "made_at": at}
            for each, key in made.items()
        ]
        try:
            with transaction.atomic(using="keys"):
                many.write(OwnerKey, rows, using="keys")
        except IntegrityError:
            raise Problem("vault.has-key", "this owner has a key already", status=500) from None
    return made


@contextmanager
def in_hand(owner: UUID) -> Iterator[Opener]:
    """While it lasts, this owner's key is looked up once: for reading all of one person, never around what destroys a key."""
    made = opener(owner)
    token = _held.set(made)
    try:
        yield made
    finally:
        _held.reset(token)


def opener(owner: UUID) -> Opener:
    """The owner's key. Raises Problem when there is none: unknown, or erased."""
    if (held := _held.get()) is not None and held.owner == owner:
        return held
    row = OwnerKey.objects.filter(pk=owner).first()
    if row is None:
        raise Problem("vault.no-key", "there is no key for this person: never made, or destroyed", status=404)
    return Opener(owner, row.version, _unwrap(owner, row.epoch, row.wrapped, _epoch_key(row.epoch)))


def openers(owners: Sequence[UUID]) -> dict[UUID, Opener]:
    """The keys of many owners in one look; who has none is not in it."""
    if (held := _held.get()) is not None and set(owners) == {held.owner}:
        return {held.owner: held}
    keys: dict[str, bytes] = {}
    made, known = {}, many.stored(owners)
    columns = ("owner", "version", "epoch", "wrapped")
    for stored, version, epoch, wrapped in many.rows_of(OwnerKey, columns, "owner", owners, using="keys"):
        if epoch not in keys:
            keys[epoch] = _epoch_key(epoch)
        owner = known[stored]
        made[owner] = Opener(owner, version, _unwrap(owner, epoch, wrapped, keys[epoch]))
    return made


def _any_buried(marks: Sequence[str]) -> bool:
    return any(
        Tombstone.objects.filter(pk__in=marks[start : start + _BATCH]).exists()
        for start in range(0, len(marks), _BATCH)
    )


def has_key(owner: UUID) -> bool:
    return OwnerKey.objects.filter(pk=owner).exists()


def destroy_key(owner: UUID, *, forever: bool = True) -> bool:
    """Destroy the owner's key; `forever` leaves a nameless mark so that it cannot come back. True when there was one."""
    with transaction.atomic(using="keys"):
        gone, _ = OwnerKey.objects.filter(pk=owner).delete()
        if forever:
            Tombstone.objects.get_or_create(mark=mark(owner), defaults={"at": clock.now()})
    return gone > 0


def destroy_keys(owners: Sequence[UUID], *, forever: bool = True) -> int:
    """As `destroy_key` for many owners at once; returns how many keys there were."""
    with transaction.atomic(using="keys"):
        gone = many.delete(OwnerKey, "owner", owners, using="keys").total()
        if forever:
            at = clock.now()
            rows = [{"mark": mark(each), "at": at} for each in owners]
            many.write(Tombstone, rows, "DO NOTHING", using="keys")
    return gone


def bury(marks: Collection[str]) -> int:
    """Destroy for ever the keys of all owners with these marks: what a restore brought back. Returns how many there were."""
    with transaction.atomic(using="keys"):
        rows = [Tombstone(mark=each, at=clock.now()) for each in sorted(marks)]
        Tombstone.objects.bulk_create(rows, batch_size=_BATCH, ignore_conflicts=True)
        back = [owner for owner in OwnerKey.objects.values_list("owner", flat=True).iterator() if mark(owner) in marks]
        for at in range(0, len(back), _BATCH):
            OwnerKey.objects.filter(pk__in=back[at : at + _BATCH]).delete()
    return len(back)


def is_mark_buried(said: str) -> bool:
    return Tombstone.objects.filter(pk=said).exists()


def buried() -> frozenset[str]:
    """The marks of all owners whose keys were destroyed for ever."""
    return frozenset(Tombstone.objects.values_list("mark", flat=True))


def is_erased(owner: UUID) -> bool:
    """Whether this owner's key was destroyed for ever; a restored backup asks this of each person before it opens."""
    return Tombstone.objects.filter(pk=mark(owner)).exists()


def mark(owner: UUID) -> str:
    """What an erased owner is known by: a keyed hash of the handle, which leads to nobody once the rows are gone."""
    return wrapping.mark(settings.LOFTE_BLIND_KEY, owner)


# --- the house's own key: things in hand that belong to nobody known ------------------------------------------------


def seal_for_house(record: UUID, plain: bytes) -> bytes:
    return Opener(UUID(int=0), 1, settings.LOFTE_HOUSE_KEY).seal(record, plain)


def open_for_house(record: UUID, sealed: bytes | memoryview) -> bytes:
    return Opener(UUID(int=0), 1, settings.LOFTE_HOUSE_KEY).open(record, sealed)


# --- epochs ---------------------------------------------------------------------------------------------------------


def current_epoch() -> str:
    """The name of the newest epoch key, made when there is none. Names sort by time."""
    names = _epochs()
    return names[-1] if names else _new_epoch()


@dataclass(frozen=True, slots=True)
class Rotated:
    """``keys`` were wrapped anew by this call; ``is_whole`` when no old epoch key is left."""

    keys: int
    is_whole: bool
    epoch: str


def rotate_epoch(
    told: Callable[[int, int], None] = lambda done, total: None, until: Callable[[], bool] = lambda: False
) -> Rotated:
    """Wrap every key anew and destroy the old epoch keys, or as far as it gets before ``until`` says so.

    A rotation that was stopped or killed anywhere goes on where it was. ``told`` hears how many keys are done, of how many.
    Raises Problem `vault.rotating` while another process is at it.
    """
    with _rotating():
        names = _epochs()
        fresh = names[-1] if len(names) > 1 else _new_epoch()  # more than one: somebody began and did not end
        old = {name: _epoch_key(name) for name in names if name != fresh}
        total, count = OwnerKey.objects.count(), 0
        before = OwnerKey.objects.filter(epoch=fresh).count()
        told(before, total)
        while batch := _rewrap_some(fresh, old):
            count += batch
            told(before + count, total)
            if until():
                return Rotated(count, False, fresh)
        with _epochs_end():  # nobody makes a key now; what was made since is wrapped anew, then the old keys go
            while batch := _rewrap_some(fresh, old):
                count += batch
            if stranger := OwnerKey.objects.exclude(epoch=fresh).first():
                raise _closed(f"the epoch key {stranger.epoch} is not there")
            for name in old:
                _destroy_file(_epoch_file(name))
        return Rotated(count, True, fresh)


@dataclass(frozen=True, slots=True)
class Epoch:
    """An epoch key, and how many owners' keys it wraps."""

    name: str
    keys: int
    is_there: bool


def epochs() -> list[Epoch]:
    """Every epoch that has a key or wraps one, the oldest first. More than one while a rotation is under way."""
    wrapped = dict(OwnerKey.objects.values_list("epoch").annotate(Count("owner")).order_by())
    there = set(_epochs())
    return [Epoch(name, wrapped.get(name, 0), name in there) for name in sorted(there | set(wrapped))]


def _rewrap_some(fresh: str, old: Mapping[str, bytes]) -> int:
    """A batch, whole or not at all; returns how many there were."""
    rows = list(OwnerKey.objects.filter(epoch__in=list(old))[:_BATCH])
    if not rows:
        return 0
    kek, stored = AESGCM(_epoch_key(fresh)), OwnerKey._meta.get_field("owner").get_db_prep_value
    anew = [
        (fresh, _wrap(row.owner, fresh, key, kek), stored(row.owner, _keys()), row.epoch)
        for row in rows
        for key in [_unwrap(row.owner, row.epoch, row.wrapped, old[row.epoch])]
    ]
    with transaction.atomic(using="keys"), _keys().cursor() as cursor:
        # Only where the row is still as it was read: a key destroyed meanwhile stays destroyed.
        cursor.executemany("UPDATE keys_ownerkey SET epoch = %s, wrapped = %s WHERE owner = %s AND epoch = %s", anew)
    return len(rows)


def _keys() -> Any:
    return connections["keys"]


def _wrap(owner: UUID, epoch: str, key: bytes, kek: AESGCM) -> bytes:
    nonce = os.urandom(_NONCE_BYTES)
    return nonce + kek.encrypt(nonce, key, wrapping.bound(settings.LOFTE_SITE_ID, owner, epoch))


def _unwrap(owner: UUID, epoch: str, wrapped: bytes | memoryview, kek: bytes) -> bytes:
    try:
        return wrapping.unwrap(bytes(wrapped), kek, settings.LOFTE_SITE_ID, owner, epoch)
    except InvalidTag:
        raise _closed(f"a key of epoch {epoch} does not unwrap") from None


def _folder() -> Path:
    return settings.LOFTE_HOME / "keys"


def _epoch_file(name: str) -> Path:
    return _folder() / f"epoch-{name}.key"


def _epochs() -> list[str]:
    return sorted(file.stem.removeprefix("epoch-") for file in _folder().glob("epoch-*.key"))


def _new_epoch() -> str:
    name = f"{clock.now():%Y%m%dT%H%M%S}-{secrets.token_hex(3)}"
    if (newest := (_epochs() or [""])[-1]) >= name:  # a clock set back must not make the new epoch look old
        name = f"{newest[:15]}-{int(newest[16:22], 16) + 1:06x}"
    environment.key_file(settings.LOFTE_HOME, f"epoch-{name}.key")
    return name


def _epoch_key(name: str) -> bytes:
    try:
        found = _epoch_file(name).read_bytes()
    except FileNotFoundError:
        raise _closed(f"the epoch key {name} is not there") from None
    if len(found) != environment.KEY_BYTES:
        raise _closed(f"the epoch key {name} is damaged")
    return found


def _destroy_file(file: Path) -> None:
    handle = os.open(file, os.O_WRONLY)
    try:
        os.write(handle, os.urandom(environment.KEY_BYTES))
        os.fsync(handle)
    finally:
        os.close(handle)
    file.unlink()


# --- who may do what while an epoch ends: locks of the operating system, which a killed process leaves behind open ---


@contextmanager
def _locked(name: str, how: int) -> Iterator[None]:
    handle = os.open(_folder() / name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, how)
        yield
    finally:
        os.close(handle)


def epochs_stand() -> AbstractContextManager[None]:
    """While it lasts no epoch key is destroyed, so that keys and what they wrap can be copied together."""
    return _locked(".epochs", fcntl.LOCK_SH)


def _epochs_end() -> AbstractContextManager[None]:
    return _locked(".epochs", fcntl.LOCK_EX)


@contextmanager
def _rotating() -> Iterator[None]:
    with ExitStack() as held:
        try:
            held.enter_context(_locked(".rotating", fcntl.LOCK_EX | fcntl.LOCK_NB))
        except BlockingIOError:
            raise Problem(
                "vault.rotating",
                "another process is wrapping the keys anew",
                way_out="Wait until it is done.",
                status=409,
            ) from None
        yield
