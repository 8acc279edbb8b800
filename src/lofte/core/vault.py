"""Seals what is personal: AES-256-GCM under a key of its own for each person, wrapped by the key of an epoch.

The wrapped keys are in the database `keys`, the epoch keys in files `<home>/keys/epoch-*.key`; destroying a person's key
makes every copy of what it sealed unreadable, and rotating the epoch does the same for copies of wrapped keys in old backups.
A ciphertext is bound to site, owner, record and key version: moved elsewhere it does not open.
"""

import hmac
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.db import IntegrityError, transaction

from lofte.core import clock, environment
from lofte.core.keys.models import OwnerKey, Tombstone
from lofte.kernel.problems import Problem

_NONCE_BYTES = 12  # NIST SP 800-38D, 8.2.2: random nonces; far below 2**32 uses of one person's key
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
        bound = _bound(self.owner, record, self.version)
        return _FORMAT + self.version.to_bytes(2) + nonce + AESGCM(self.key).encrypt(nonce, plain, bound)

    def open(self, record: UUID, sealed: bytes | memoryview) -> bytes:
        """The plain bytes. Raises Problem when the ciphertext is not this record's, or was altered."""
        data = bytes(sealed)
        if data[:1] != _FORMAT or int.from_bytes(data[1:3]) != self.version:
            raise Problem("vault.wrong-version", "a sealed value is of another format or key", status=500)
        nonce, body = data[3 : 3 + _NONCE_BYTES], data[3 + _NONCE_BYTES :]
        try:
            return AESGCM(self.key).decrypt(nonce, body, _bound(self.owner, record, self.version))
        except InvalidTag:
            raise Problem(
                "vault.altered", "a sealed value does not open: altered, or moved from where it was", status=500
            ) from None


def _bound(owner: UUID, record: UUID, version: int) -> bytes:
    return b"lofte/vault/1" + settings.LOFTE_SITE_ID.bytes + owner.bytes + record.bytes + version.to_bytes(2)


# --- owners' keys ---------------------------------------------------------------------------------------------------


def make_key(owner: UUID) -> None:
    """A fresh key for an owner. Refuses an owner whose key was destroyed: what was erased is not written again."""
    if Tombstone.objects.filter(pk=_mark(owner)).exists():
        raise Problem("vault.erased", "this person was erased; nothing may be written under the old name", status=409)
    key = AESGCM.generate_key(bit_length=256)
    epoch = current_epoch()
    row = OwnerKey(owner=owner, epoch=epoch, wrapped=_wrap(owner, epoch, key), made_at=clock.now())
    try:
        with transaction.atomic(using="keys"):
            row.save(force_insert=True)
    except IntegrityError:
        raise Problem("vault.has-key", "this owner has a key already", status=500) from None
    if not _epoch_file(epoch).exists():  # an epoch ended while we wrote: wrap again under the one that lives
        _rewrap(row, key, current_epoch())


def opener(owner: UUID) -> Opener:
    """The owner's key. Raises Problem when there is none: unknown, or erased."""
    row = OwnerKey.objects.filter(pk=owner).first()
    if row is None:
        raise Problem("vault.no-key", "there is no key for this person: never made, or destroyed", status=404)
    return Opener(owner, row.version, _unwrap(row))


def has_key(owner: UUID) -> bool:
    return OwnerKey.objects.filter(pk=owner).exists()


def destroy_key(owner: UUID, *, forever: bool = True) -> bool:
    """Destroy the owner's key; `forever` leaves a nameless mark so that it cannot come back. True when there was one."""
    with transaction.atomic(using="keys"):
        gone, _ = OwnerKey.objects.filter(pk=owner).delete()
        if forever:
            Tombstone.objects.get_or_create(mark=_mark(owner), defaults={"at": clock.now()})
    return gone > 0


def is_erased(owner: UUID) -> bool:
    """Whether this owner's key was destroyed for ever; a restored backup asks this of each person before it opens."""
    return Tombstone.objects.filter(pk=_mark(owner)).exists()


def _mark(owner: UUID) -> str:
    return hmac.new(settings.LOFTE_BLIND_KEY, b"lofte/tombstone/1" + owner.bytes, sha256).hexdigest()


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


def rotate_epoch() -> int:
    """Wrap every key anew and destroy the old epoch keys; returns how many were wrapped. Killed half-way, run it again."""
    fresh = _new_epoch()
    old = {name: _epoch_key(name) for name in _epochs() if name != fresh}
    count = _rewrap_all(fresh, old)
    for name in old:
        _destroy_file(_epoch_file(name))
    return count + _rewrap_all(fresh, old)  # whoever wrote under an old epoch while it ended


def _rewrap_all(fresh: str, old: Mapping[str, bytes]) -> int:
    count = 0
    while rows := list(OwnerKey.objects.filter(epoch__in=list(old))[:_BATCH]):
        for row in rows:
            count += _rewrap(row, _unwrap(row, old[row.epoch]), fresh)
    if stranger := OwnerKey.objects.exclude(epoch=fresh).exclude(epoch__in=list(old)).first():
        raise _closed(f"the epoch key {stranger.epoch} is not there")
    return count


def _rewrap(row: OwnerKey, key: bytes, fresh: str) -> int:
    wrapped = _wrap(row.owner, fresh, key)
    return OwnerKey.objects.filter(owner=row.owner, epoch=row.epoch).update(epoch=fresh, wrapped=wrapped)


def _wrap(owner: UUID, epoch: str, key: bytes) -> bytes:
    nonce = os.urandom(_NONCE_BYTES)
    return nonce + AESGCM(_epoch_key(epoch)).encrypt(nonce, key, _wrap_bound(owner, epoch))


def _unwrap(row: OwnerKey, kek: bytes | None = None) -> bytes:
    data = bytes(row.wrapped)
    try:
        return AESGCM(kek or _epoch_key(row.epoch)).decrypt(
            data[:_NONCE_BYTES], data[_NONCE_BYTES:], _wrap_bound(row.owner, row.epoch)
        )
    except InvalidTag:
        raise _closed(f"a key of epoch {row.epoch} does not unwrap") from None


def _wrap_bound(owner: UUID, epoch: str) -> bytes:
    return b"lofte/wrap/1" + settings.LOFTE_SITE_ID.bytes + owner.bytes + epoch.encode()


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
