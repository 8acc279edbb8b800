"""What a log needs of its store. Two native writers fulfil it: `sqlite_store` and `postgres_store`.

Only the sequencer thread calls `known`, `commit` and `shred`; any thread may read. `commit` is one transaction that is
flushed to stable storage before it returns; it either returns or raises, and after a raise the log never calls it
again.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

Filled = tuple[int, int, bytes]
"""A full tile: level, index, bytes."""


@dataclass(frozen=True, slots=True)
class Head:
    size: int
    root: bytes
    at: str  # server time of the commit, RFC 3339; for operators, proves nothing


@dataclass(frozen=True, slots=True)
class Row:
    """The opening of one entry, kept apart from the log proper. `key` is the first half of SHA-256(idempotency key)."""

    index: int
    kind: str
    key: bytes
    fact_salt: bytes
    fact: bytes
    who_salt: bytes | None = None
    who: bytes | None = None
    was_shredded: bool = False


@dataclass(frozen=True, slots=True)
class Batch:
    """One commit. Openings are plain tuples in the order of `Row` without the last field: a thousand are made at a
    time.
    """

    first: int
    entries: Sequence[bytes]
    openings: Sequence[tuple[int, str, bytes, bytes, bytes, bytes | None, bytes | None]]
    tiles: Sequence[Filled]
    head: Head


class Store(Protocol):
    def identity(self) -> tuple[str, str] | None:
        """(origin, vkey) this store was begun with; None for a new one."""

    def begin(self, origin: str, vkey: str) -> None: ...

    def begin_anew(self, origin: str, vkey: str) -> None:
        """Gives what is here to another log. Only `succession.branch` may."""

    def known(self, keys: Sequence[bytes]) -> dict[bytes, int]:
        """Which idempotency keys are taken, and by which index."""

    def commit(self, batch: Batch) -> None: ...

    def shred(self, indexes: Sequence[int]) -> None:
        """Overwrites salt and payload of `who`, then drives the old bytes out of the write-ahead log."""

    def size(self) -> int: ...

    def last_head(self) -> Head | None: ...

    def head_covering(self, index: int) -> Head | None:
        """The first head whose tree holds the entry: the one of its own commit."""

    def head_of(self, size: int) -> Head | None: ...

    def entries(self, first: int, end: int) -> list[bytes]: ...

    def opening(self, index: int) -> Row | None: ...

    def tile(self, level: int, index: int) -> bytes | None:
        """A full tile."""

    def find(self, kind: str, limit: int, before: int | None) -> list[int]:
        """Indexes of a kind, newest first."""

    def close(self) -> None: ...
