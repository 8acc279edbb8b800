"""Which idempotency keys the SQLite log has seen, without a random index insert for every event.

Keys are digests, so an index over them touches a new page for each (measured: 18 of 26 us CPU an entry at 190 000
entries, and four times the time of a commit). So new keys stay in memory, where a start can read them again from the
openings, and are filed into the table a generation at a time and in key order, a few with each commit. The sequencer
alone calls this.
"""

import sqlite3
from collections.abc import Iterable, Sequence

from lofte.evidence.sqlite_rows import insert_rows, select_in

GENERATION = 65_536  # keys before they are filed; at most two generations in memory, about 20 MB
_FILED_FOR_EACH_NEW = 2  # so that a generation is filed long before the next is full

SCHEMA = """
CREATE TABLE keys (key BLOB PRIMARY KEY, idx INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE keys_filed (one INTEGER PRIMARY KEY CHECK (one = 1), below INTEGER NOT NULL) STRICT;
INSERT INTO keys_filed VALUES (1, 0);
"""


class KeyBook:
    def __init__(self, writer: sqlite3.Connection, generation: int = GENERATION) -> None:
        self._writer = writer
        self._generation = generation
        below = writer.execute("SELECT below FROM keys_filed").fetchone()[0]
        self._recent: dict[bytes, int] = dict(writer.execute("SELECT key, idx FROM openings WHERE idx >= ?", (below,)))
        self._has_filed = writer.execute("SELECT EXISTS (SELECT 1 FROM keys)").fetchone() == (1,)
        self._filing: dict[bytes, int] = {}
        self._unfiled: list[tuple[bytes, int]] = []  # of `_filing`, largest key first

    def known(self, keys: Sequence[bytes]) -> dict[bytes, int]:
        found: dict[bytes, int] = {}
        strange: list[bytes] = []
        for key in keys:
            index = self._recent.get(key)
            index = self._filing.get(key) if index is None else index
            if index is None:
                strange.append(key)
            else:
                found[key] = index
        if self._has_filed:
            found.update(select_in(self._writer, "SELECT key, idx FROM keys WHERE key IN", strange))
        return found

    def file(self, new: int) -> None:
        """Files some keys, inside the commit of `new` entries."""
        if not self._unfiled:
            if len(self._recent) < self._generation:
                return
            self._filing, self._recent = self._recent, {}
            self._unfiled = sorted(self._filing.items(), reverse=True)
        portion = self._unfiled[-_FILED_FOR_EACH_NEW * new :]
        del self._unfiled[-len(portion) :]
        # OR IGNORE: a start after a kill reads a half-filed generation again.
        insert_rows(self._writer, "INSERT OR IGNORE INTO keys", "(?,?)", portion[::-1])
        self._has_filed = True
        if not self._unfiled:
            self._writer.execute("UPDATE keys_filed SET below = ?", (max(self._filing.values()) + 1,))

    def add(self, keys: Iterable[tuple[bytes, int]]) -> None:
        """Notes the keys of a commit that has succeeded."""
        if not self._unfiled:
            self._filing = {}
        self._recent.update(keys)
