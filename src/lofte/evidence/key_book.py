"""Which idempotency keys the SQLite log has seen, without an index on disk that every event must touch.

Keys are digests, so an index over them touches a new page for each: measured, 12 of 30 us CPU an entry at 100 000 entries even
when filed in sorted portions, and more write-ahead log than the entries themselves. So the index is in memory, ten bytes an entry:
the first six bytes of a key and the place of its entry, where the whole key is read before anybody is told that it is known. What a
start needs to make it again is written in one row for each 65 536 entries; younger keys are read from their openings. The
sequencer alone calls this.
"""

import sqlite3
from collections.abc import Iterable, Sequence

RUN = 65_536  # entries whose keys are written together
_PART, _HELD = 2, 6  # the part of the index is chosen by the first two bytes of a key; the next four are written there
_MARK = _HELD - _PART
_PLACE = 5  # bytes of an index: a million million entries
_RECORD = _MARK + _PLACE

SCHEMA = "CREATE TABLE key_runs (first INTEGER PRIMARY KEY, keys BLOB NOT NULL) STRICT;"
"""``keys`` holds the first six bytes of the key of each entry from ``first`` on, in the order of the entries."""


class KeyBook:
    def __init__(self, writer: sqlite3.Connection, run: int = RUN) -> None:
        self._writer, self._run = writer, run
        self._parts: dict[bytes, bytearray] = {}
        self._since = 0  # entries from here on are in no run yet
        self._young = bytearray()
        for first, held in writer.execute("SELECT first, keys FROM key_runs ORDER BY first"):
            self._note((held[at : at + _HELD] for at in range(0, len(held), _HELD)), first)
            self._since = first + len(held) // _HELD
        for (key,) in writer.execute("SELECT key FROM openings WHERE idx >= ? ORDER BY idx", (self._since,)):
            self._note((key,), self._since + len(self._young) // _HELD)
            self._young += key[:_HELD]

    def known(self, keys: Sequence[bytes]) -> dict[bytes, int]:
        """The entry of each key that has one."""
        parts, found = self._parts, {}
        for key in keys:
            part = parts.get(key[:_PART])
            if part is not None and (at := part.find(key[_PART:_HELD])) >= 0:
                index = self._entry_of(key, part, at)
                if index is not None:
                    found[key] = index
        return found

    def file(self) -> None:
        """Writes the keys of a run that is full, inside the commit of the next entries."""
        if len(self._young) >= self._run * _HELD:
            self._writer.execute("INSERT INTO key_runs VALUES (?, ?)", (self._since, bytes(self._young)))

    def add(self, keys: Sequence[bytes], first: int) -> None:
        """Notes the keys of a commit that has succeeded, of entries from ``first`` on."""
        if len(self._young) >= self._run * _HELD:  # they were written in this commit
            self._since, self._young = first, bytearray()
        self._note(keys, first)
        self._young += b"".join([key[:_HELD] for key in keys])

    def _note(self, keys: Iterable[bytes], first: int) -> None:
        parts = self._parts
        for index, key in enumerate(keys, first):
            record = key[_PART:_HELD] + index.to_bytes(_PLACE)
            part = parts.get(key[:_PART])
            if part is None:
                parts[key[:_PART]] = bytearray(record)
            else:
                part += record

    def _entry_of(self, key: bytes, part: bytearray, at: int) -> int | None:
        """Looks where the index points: six bytes may be those of another key, or stand across two records."""
        while at >= 0:
            if at % _RECORD == 0:
                index = int.from_bytes(part[at + _MARK : at + _RECORD])
                if self._writer.execute("SELECT key FROM openings WHERE idx = ?", (index,)).fetchone() == (key,):
                    return index
            at = part.find(key[_PART:_HELD], at + 1)
        return None
