"""What a sender had handed over when it died: a file for each batch in `<home>/mail/`, with handles of letters in it and no more.

A letter is noted just before its words are given to the mail server and just after the server has answered. So of a killed batch
it is known which letters were never begun (they go again), which were taken (they are sent), and for which only the answer is
missing: at most one a connection. Who writes holds a lock on the file, so that the death is seen at once. After a loss of power the
notes may lack their end, and then they say nothing.
"""

import fcntl
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

_SUFFIX = ".journal"
_BOOT = Path("/proc/sys/kernel/random/boot_id")
BEGUN = -1


@dataclass(slots=True)
class Journal:
    """The notes of one batch, known by its lease. Threads may write at once: each note is one write."""

    file: Path
    handle: int

    def begins(self, row: UUID) -> None:
        os.write(self.handle, f"{row} {BEGUN}\n".encode())

    def ends(self, row: UUID, code: int) -> None:
        os.write(self.handle, f"{row} {code}\n".encode())

    def close(self, *, is_settled: bool) -> None:
        """Settled, the outcomes stand in the register and the notes can go; else they are left for whoever comes next."""
        if is_settled:
            self.file.unlink(missing_ok=True)
        os.close(self.handle)


def begin(home: Path, lease: str) -> Journal:
    folder = home / "mail"
    folder.mkdir(mode=0o700, exist_ok=True)
    made = folder / f".{lease}"
    handle = os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC, 0o600)
    fcntl.flock(handle, fcntl.LOCK_EX)
    os.write(handle, f"{_boot()}\n".encode())
    file = folder / f"{lease}{_SUFFIX}"
    made.rename(file)  # locked before anybody can find it
    return Journal(file, handle)


@contextmanager
def left_behind(home: Path) -> Iterator[dict[str, Mapping[UUID, int] | None]]:
    """The notes of senders that died, by lease: letters and answers (`BEGUN` without one). None where they cannot be relied on.

    While it lasts they are ours; afterwards they are gone, unless something was raised.
    """
    found: dict[str, Mapping[UUID, int] | None] = {}
    held: list[tuple[Path, int]] = []
    try:
        for file in sorted((home / "mail").glob(f"*{_SUFFIX}")):
            if (handle := _taken(file)) is not None:
                held.append((file, handle))
                found[file.stem] = _read(file)
        yield found
        for file, _ in held:
            file.unlink(missing_ok=True)
    finally:
        for _, handle in held:
            os.close(handle)


def _taken(file: Path) -> int | None:
    """A hold on the notes of a dead sender; None while it lives, or when another took them."""
    try:
        handle = os.open(file, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        return None
    if not file.exists():  # settled between finding and locking
        os.close(handle)
        return None
    return handle


def _read(file: Path) -> Mapping[UUID, int] | None:
    lines = file.read_text(encoding="ascii").splitlines()
    if not lines or lines[0] != _boot():
        return None
    return {UUID(row): int(code) for row, code in (line.split() for line in lines[1:])}


def _boot() -> str:
    """Which start of this machine it is; empty where the system does not say, which is never the same again."""
    try:
        return _BOOT.read_text(encoding="ascii").strip()
    except OSError:
        return os.urandom(16).hex()
