"""The signing key of a log, and the copy of its last signed head in a second place.

Trust: who can read `log.key` can sign as this log; who can replace `last_signed` together with the store can roll the
log back unseen (a witness would see it). Both live in the keys directory, mode 0600, apart from the store and its
backups.
"""

import os
from pathlib import Path

from lofte.evidence import note
from lofte.evidence.checkpoint import Checkpoint, open_checkpoint
from lofte.kernel.problems import Problem

_SLOT_BYTES = 1024  # a note with one Ed25519 signature and an origin of 255 is about 700 bytes
_FLUSH_EVERY = 64  # commits; see LastSigned.write


def read_signer(path: Path) -> note.SignerKey | None:
    """The key in the file; None when there is no file. Raises Problem on a file that is no key or that others may
    read.
    """
    try:
        text = path.read_text()
        mode = path.stat().st_mode
    except FileNotFoundError:
        return None
    if mode & 0o077:
        raise Problem(
            "evidence.open-key",
            "the log's signing key can be read by other users of this machine",
            expected="file mode 0600",
            way_out="Run chmod 600 on keys/log.key.",
            status=500,
        )
    try:
        return note.SignerKey.parse(text)
    except note.NotANote as wrong:
        raise Problem(
            "evidence.bad-key",
            f"keys/log.key is not a signing key: {wrong}",
            way_out="Put the key back from its backup.",
            status=500,
        ) from wrong


def create_signer(path: Path, origin: str, seed: bytes) -> note.SignerKey:
    signer = note.SignerKey(origin, seed)
    _write_new(path, (signer.private_text() + "\n").encode())
    return signer


class LastSigned:
    """The newest signed head, in one of two slots, so that a torn write leaves the one before."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._handle = -1
        self._turn = 0
        self._unflushed = 0

    def exists(self) -> bool:
        return self._path.exists()

    def create(self, signed: str) -> None:
        _write_new(self._path, _slot(signed) + bytes(_SLOT_BYTES))

    def read(self, vkey: note.VerifierKey) -> Checkpoint | None:
        """The newer of the heads that verify; None when none does."""
        data = self._path.read_bytes()
        heads: list[tuple[int, int, Checkpoint]] = []
        for slot in (0, 1):
            text = data[slot * _SLOT_BYTES :][:_SLOT_BYTES].rstrip(b"\0")
            try:
                head = open_checkpoint(text.decode(), vkey)
            except ValueError:  # torn, empty, not UTF-8 or not signed by this log
                continue
            heads.append((head.size, slot, head))
        if not heads:
            return None
        _, slot, head = max(heads, key=lambda found: found[0])
        self._turn = 1 - slot
        return head

    def write(self, signed: str) -> None:
        """Notes a head before it is shown to anyone. Raises OSError.

        Not flushed each time: after a power cut this file may lag behind the store, which is harmless, as the check
        asks only that the store is not older than this. A killed process loses nothing.
        """
        if self._handle < 0:
            self._handle = os.open(self._path, os.O_RDWR | os.O_CLOEXEC)
        data = _slot(signed)
        if os.pwrite(self._handle, data, self._turn * _SLOT_BYTES) != len(data):
            raise OSError("the last signed head was written only in part")
        self._turn = 1 - self._turn
        self._unflushed += 1
        if self._unflushed >= _FLUSH_EVERY:
            self.flush()

    def flush(self) -> None:
        if self._handle >= 0:
            os.fdatasync(self._handle)
        self._unflushed = 0

    def close(self) -> None:
        if self._handle >= 0:
            self.flush()
            os.close(self._handle)
            self._handle = -1


def _slot(signed: str) -> bytes:
    data = signed.encode()
    if len(data) > _SLOT_BYTES:
        raise ValueError("the signed head is too long for its slot; the origin must be shorter")
    return data.ljust(_SLOT_BYTES, b"\0")


def as_slots(signed: str) -> bytes:
    """A file of last signed heads that holds this one."""
    return _slot(signed) + bytes(_SLOT_BYTES)


def replace(path: Path, data: bytes) -> None:
    """Puts a file in the place of another; what the other held is overwritten first."""
    if path.exists():
        size = path.stat().st_size
        with path.open("r+b", buffering=0) as before:
            before.write(os.urandom(size))
            os.fsync(before.fileno())
    _write_new(path, data)


def _write_new(path: Path, data: bytes) -> None:
    """Writes a file that did not exist, whole or not at all, and flushes it and its directory."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = path.with_name(path.name + ".new")
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        os.write(handle, data)
        os.fsync(handle)
    finally:
        os.close(handle)
    os.rename(fresh, path)
    directory = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
