"""The evidence log in one SQLite file: one writer connection, write-ahead log, a flush for every commit.

Trust: whoever can write this file can destroy evidence but not forge it (heads are signed, and copied beside the keys);
whoever can read it sees the openings that were not shredded. A second, read-only connection serves receipts while the
writer waits for the disk; only the writer ever commits or checkpoints.
"""

import fcntl
import os
import sqlite3
import threading
from collections.abc import Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

from lofte.evidence import key_book
from lofte.evidence.sqlite_rows import insert_rows
from lofte.evidence.store import Batch, Head, Row
from lofte.kernel.problems import Problem

_SCHEMA = f"""{key_book.SCHEMA}
CREATE TABLE identity (one INTEGER PRIMARY KEY CHECK (one = 1), origin TEXT NOT NULL, vkey TEXT NOT NULL) STRICT;
CREATE TABLE entries (idx INTEGER PRIMARY KEY, entry BLOB NOT NULL) STRICT;
CREATE TABLE tiles (level INTEGER, idx INTEGER, hashes BLOB NOT NULL, PRIMARY KEY (level, idx)) STRICT, WITHOUT ROWID;
CREATE TABLE heads (size INTEGER PRIMARY KEY, root BLOB NOT NULL, at TEXT NOT NULL) STRICT;
CREATE TABLE openings (
  idx INTEGER PRIMARY KEY, kind TEXT NOT NULL, key BLOB NOT NULL, fact_salt BLOB NOT NULL, fact BLOB NOT NULL,
  was_shredded INTEGER NOT NULL, who_salt BLOB, who BLOB
) STRICT;
CREATE INDEX openings_by_kind ON openings (kind);
PRAGMA user_version = 2;
"""
_SCHEMA_VERSION = 2
_FROM_1 = f"""{key_book.SCHEMA}
DROP TABLE keys;
DROP TABLE keys_filed;
PRAGMA user_version = 2;
"""
_PAGE_BYTES = 8192  # half as many pages to sum in a commit of fifty kB; with 4096 and 16384 it costs a fifth more
_CHECKPOINT_PAGES = 2000  # 16 MB of write-ahead log: a checkpoint every second or so under full load, not ten
_BUSY_MS = 5000  # only ever met while a backup tool copies the file


class SqliteStore:
    def __init__(self, path: Path) -> None:
        """Opens or creates the file. Raises Problem when another process writes it or SQLite refuses the settings."""
        self._lock = _take_lock(path.with_name(path.name + ".lock"))
        with ExitStack() as undo:
            undo.callback(os.close, self._lock)
            try:
                # Made by us and not by SQLite, so that nobody else can read it; its companions take after it.
                os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
                self._writer = undo.enter_context(closing(_connect(path)))
                _prepare(self._writer)
                self._keys = key_book.KeyBook(self._writer)
                self._reader = undo.enter_context(closing(_connect(path)))
                self._reader.execute("PRAGMA query_only = ON")
            except (sqlite3.Error, OSError) as wrong:
                raise _unreadable(wrong) from wrong
            undo.pop_all()
        self._reading = threading.Lock()

    def identity(self) -> tuple[str, str] | None:
        found = self._read("SELECT origin, vkey FROM identity")
        return (found[0][0], found[0][1]) if found else None

    def begin(self, origin: str, vkey: str) -> None:
        self._writer.execute("INSERT INTO identity VALUES (1, ?, ?)", (origin, vkey))

    def begin_anew(self, origin: str, vkey: str) -> None:
        self._writer.execute("UPDATE identity SET origin = ?, vkey = ?", (origin, vkey))

    def known(self, keys: Sequence[bytes]) -> dict[bytes, int]:
        return self._keys.known(keys)

    def commit(self, batch: Batch) -> None:
        run = self._writer.execute
        run("BEGIN IMMEDIATE")
        try:
            insert_rows(self._writer, "INSERT INTO entries", "(?,?)", list(enumerate(batch.entries, batch.first)))
            insert_rows(self._writer, _INTO_OPENINGS, "(?,?,?,?,?,0,?,?)", batch.openings)
            self._writer.executemany("INSERT INTO tiles VALUES (?,?,?)", batch.tiles)
            # The primary key on size is the guard: a second root for one size is a constraint error, not an update.
            run("INSERT INTO heads VALUES (?,?,?)", (batch.head.size, batch.head.root, batch.head.at))
            self._keys.file()
            run("COMMIT")
        except BaseException:
            self._abandon()
            raise
        self._keys.add([opening[2] for opening in batch.openings], batch.first)

    def shred(self, indexes: Sequence[int]) -> None:
        # Overwritten in place by zeroes of the same length: SQLite then moves no cell, so no page keeps a stale copy.
        self._writer.execute("BEGIN IMMEDIATE")
        try:
            self._writer.executemany(
                "UPDATE openings SET was_shredded = 1,"
                " who_salt = zeroblob(length(who_salt)), who = zeroblob(length(who))"
                " WHERE idx = ? AND was_shredded = 0 AND who IS NOT NULL",
                [(index,) for index in indexes],
            )
            self._writer.execute("COMMIT")
        except BaseException:
            self._abandon()
            raise
        self.truncate_wal()

    def truncate_wal(self) -> None:
        """Moves every page into the main file and empties the write-ahead log, where old page images would survive."""
        with self._reading:  # an open read would keep the log from being emptied
            busy = self._writer.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
        if busy:
            raise sqlite3.OperationalError("another program reads the evidence file; its write-ahead log stays")

    def size(self) -> int:
        return int(self._read("SELECT coalesce(max(idx) + 1, 0) FROM entries")[0][0])

    def last_head(self) -> Head | None:
        return self._head("ORDER BY size DESC LIMIT 1")

    def head_covering(self, index: int) -> Head | None:
        return self._head("WHERE size > ? ORDER BY size LIMIT 1", index)

    def head_of(self, size: int) -> Head | None:
        return self._head("WHERE size = ?", size)

    def entries(self, first: int, end: int) -> list[bytes]:
        return [
            row[0]
            for row in self._read("SELECT entry FROM entries WHERE idx >= ? AND idx < ? ORDER BY idx", first, end)
        ]

    def opening(self, index: int) -> Row | None:
        found = self._read("SELECT * FROM openings WHERE idx = ?", index)
        if not found:
            return None
        idx, kind, key, fact_salt, fact, was_shredded, who_salt, who = found[0]
        if was_shredded:
            who_salt = who = None
        return Row(idx, kind, key, fact_salt, fact, who_salt, who, bool(was_shredded))

    def tile(self, level: int, index: int) -> bytes | None:
        found = self._read("SELECT hashes FROM tiles WHERE level = ? AND idx = ?", level, index)
        return found[0][0] if found else None

    def find(self, kind: str, limit: int, before: int | None) -> list[int]:
        below = before if before is not None else 2**62
        sql = "SELECT idx FROM openings WHERE kind = ? AND idx < ? ORDER BY idx DESC LIMIT ?"
        return [row[0] for row in self._read(sql, kind, below, limit)]

    def close(self) -> None:
        self._reader.close()
        self._writer.close()  # the last connection moves the write-ahead log into the file
        os.close(self._lock)

    def _abandon(self) -> None:
        if self._writer.in_transaction:
            try:
                self._writer.execute("ROLLBACK")
            except sqlite3.Error:
                return  # the log is read-only from here on; the next start rolls back

    def _head(self, where: str, *values: int) -> Head | None:
        found = self._read(f"SELECT size, root, at FROM heads {where}", *values)  # noqa: S608  # `where` is one of ours
        return Head(*found[0]) if found else None

    def _read(self, sql: str, *values: Any) -> list[Any]:
        with self._reading:
            return self._reader.execute(sql, values).fetchall()


_DEMANDED: tuple[tuple[str, str | int], ...] = (
    ("journal_mode", "wal"),
    (
        "synchronous",
        2,
    ),  # FULL: in WAL mode a flush for every commit; NORMAL may lose acknowledged entries on power loss
    ("secure_delete", 1),
    ("wal_autocheckpoint", _CHECKPOINT_PAGES),
    ("cache_size", -32_768),  # kB; the default of 2 MB is less than one write-ahead log
    ("trusted_schema", 0),
)
_INTO_OPENINGS = "INSERT INTO openings (idx, kind, key, fact_salt, fact, was_shredded, who_salt, who)"


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, cached_statements=256)
    connection.execute(f"PRAGMA busy_timeout = {_BUSY_MS}")
    return connection


def _prepare(writer: sqlite3.Connection) -> None:
    writer.execute(f"PRAGMA page_size = {_PAGE_BYTES}")  # heeded by a new file only
    for pragma, wanted in _DEMANDED:
        writer.execute(f"PRAGMA {pragma} = {wanted}")
        if (got := writer.execute(f"PRAGMA {pragma}").fetchone()[0]) != wanted:
            raise Problem(
                "evidence.unsafe-store",
                f"SQLite answers {pragma} = {got}",
                expected=f"{pragma} = {wanted}",
                way_out="Put the data directory on a local disk that supports shared memory files.",
                status=500,
            )
    version = writer.execute("PRAGMA user_version").fetchone()[0]
    if version == 0:
        writer.executescript(f"BEGIN IMMEDIATE; {_SCHEMA} COMMIT;")
    elif version == 1:
        writer.executescript(f"BEGIN IMMEDIATE; {_FROM_1} COMMIT;")
    elif version != _SCHEMA_VERSION:
        raise Problem(
            "evidence.unknown-schema",
            f"the store has schema version {version}",
            expected=str(_SCHEMA_VERSION),
            way_out="Start the Löfte version that wrote it.",
            status=500,
        )


def _take_lock(path: Path) -> int:
    """A process lock that dies with its holder, so a stale file never keeps a log closed."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as taken:
        os.close(handle)
        raise Problem(
            "evidence.second-writer",
            "another process already writes this evidence log",
            way_out="Stop the other process; one log has one writer.",
            status=503,
        ) from taken
    return handle


def _unreadable(wrong: Exception) -> Problem:
    return Problem(
        "evidence.unreadable-store",
        f"the evidence file cannot be opened: {wrong}",
        way_out="Check that the file is a Löfte evidence log, owned by this user, on a disk with room.",
        status=500,
    )
