"""Copies of a log: out of a store that is being written, into one SQLite file; and from such a file into an empty store.

The log only grows, so a copy is a prefix of it: all up to one committed head. It is read in short pieces, since a long read of an
SQLite file would keep a shredding from emptying the write-ahead log. A copy is the same file whatever the store is, and is checked
by the same sums as the log itself.
"""

import fcntl
import os
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, closing
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import quote

from lofte.evidence import tiles
from lofte.evidence.selfcheck import differences, read_tree
from lofte.evidence.sqlite_store import SqliteStore
from lofte.evidence.store import Head
from lofte.evidence.tree import EMPTY_ROOT
from lofte.kernel.problems import Problem

_PIECE = 4_096  # entries read at once: some milliseconds
Told = Callable[[int, int], None]
Opening = tuple[int, str, bytes, bytes, bytes, int, bytes | None, bytes | None]
_OPENING = "idx, kind, key, fact_salt, fact, was_shredded, who_salt, who"


def nobody(done: int, total: int) -> None:
    """Tells nobody how far it is."""


class Reading(Protocol):
    """A store that somebody else may be writing."""

    def rows(self, sql: str, *values: Any) -> list[Any]: ...
    def close(self) -> None: ...


class _SqliteReading:
    def __init__(self, path: Path, *, is_still: bool = False) -> None:
        mode = "immutable=1" if is_still else "mode=ro"
        self._connection = sqlite3.connect(f"file:{quote(str(path))}?{mode}", uri=True, isolation_level=None)
        self._connection.execute("PRAGMA busy_timeout = 5000")

    def rows(self, sql: str, *values: Any) -> list[Any]:
        return self._connection.execute(sql, values).fetchall()

    def close(self) -> None:
        self._connection.close()


class _PostgresReading:
    def __init__(self, url: str) -> None:
        import psycopg  # an extra: only who uses it needs it

        self._connection = psycopg.connect(url, autocommit=True, application_name="lofte-copy", connect_timeout=10)
        self._connection.execute("SET search_path TO lofte_evidence")

    def rows(self, sql: str, *values: Any) -> list[Any]:
        return self._connection.execute(sql.replace("?", "%s").encode(), values).fetchall()

    def close(self) -> None:
        self._connection.close()


def is_postgres(location: str | Path) -> bool:
    return str(location).startswith(("postgresql://", "postgres://"))


def read(location: str | Path) -> AbstractContextManager[Reading]:
    """Reads beside the writer, whoever it is. Raises Problem when there is no log."""
    try:
        found: Reading = _PostgresReading(str(location)) if is_postgres(location) else _SqliteReading(Path(location))
        found.rows("SELECT origin FROM identity")
    except Exception as wrong:  # two drivers; a message may quote an address with its password
        raise _no_log(type(wrong).__name__) from None
    return closing(found)


def is_being_written(location: str | Path) -> bool:
    """Whether a process holds the log open to write."""
    if is_postgres(location):
        with read(location) as reading:
            held = reading.rows("SELECT 1 FROM lease WHERE holder IS NOT NULL AND expires_at > clock_timestamp()")
            return bool(held)
    lock = Path(location).with_name(Path(location).name + ".lock")
    try:
        handle = os.open(lock, os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(handle)
    return False


def head_of(reading: Reading) -> Head:
    """The newest committed head."""
    found = reading.rows("SELECT size, root, at FROM heads ORDER BY size DESC LIMIT 1")
    return Head(int(found[0][0]), bytes(found[0][1]), found[0][2]) if found else Head(0, EMPTY_ROOT, "")


def copy_out(reading: Reading, target: Path, told: Told = nobody) -> Head:
    """Writes the log up to its newest head into a new file, and flushes it. Returns that head."""
    head = head_of(reading)
    identity = reading.rows("SELECT origin, vkey FROM identity")
    with closing(_Filling(target)) as copy:
        if identity and identity[0][0] is not None:
            copy.begin(*identity[0])
        for piece in _pieces(reading, head.size):
            copy.take(*piece)
            told(piece[0], head.size)
    _settle(target)
    return head


def _pieces(reading: Reading, size: int) -> Iterator[tuple[int, list[Any], list[Opening], list[Any], list[Any]]]:
    """(end, entries, openings, tiles, heads), each piece what came with the entries up to its end."""
    for first in range(0, size, _PIECE):
        end = min(first + _PIECE, size)
        entries = reading.rows("SELECT idx, entry FROM entries WHERE idx >= ? AND idx < ? ORDER BY idx", first, end)
        if len(entries) != end - first:
            raise _torn(f"entries between {first} and {end - 1} are missing")
        openings = [
            _opening(row)
            for row in reading.rows(f"SELECT {_OPENING} FROM openings WHERE idx >= ? AND idx < ? ORDER BY idx", first, end)  # noqa: S608  # ours
        ]  # fmt: skip
        found = []
        level = 0
        while full := tiles.full_tiles(level, end):
            sql = "SELECT level, idx, hashes FROM tiles WHERE level = ? AND idx >= ? AND idx < ?"
            found += reading.rows(sql, level, tiles.full_tiles(level, first), full)
            level += 1
        heads = reading.rows("SELECT size, root, at FROM heads WHERE size > ? AND size <= ? ORDER BY size", first, end)
        yield end, entries, openings, found, heads


def _opening(row: Sequence[Any]) -> Opening:
    index, kind, key, fact_salt, fact, was_shredded, who_salt, who = row
    if was_shredded or who is None:
        who_salt = who = None
    return index, kind, key, fact_salt, fact, int(was_shredded), who_salt, who


class _Filling(SqliteStore):
    """A new file that takes rows as they are. Flushed once, at the end."""

    def __init__(self, path: Path) -> None:
        if path.exists():
            raise FileExistsError(f"{path.name} is there already")
        super().__init__(path)
        self._writer.execute("PRAGMA synchronous = OFF")

    def take(self, end: int, entries: list[Any], openings: list[Opening], found: list[Any], heads: list[Any]) -> None:
        run = self._writer.executemany
        self._writer.execute("BEGIN")
        run("INSERT INTO entries VALUES (?,?)", entries)
        run(f"INSERT INTO openings ({_OPENING}) VALUES (?,?,?,?,?,?,?,?)", openings)  # noqa: S608  # ours
        run("INSERT INTO tiles VALUES (?,?,?)", found)
        run("INSERT INTO heads VALUES (?,?,?)", heads)
        self._writer.execute("COMMIT")

    def close(self) -> None:
        self._writer.execute("PRAGMA synchronous = FULL")
        self._reader.execute("PRAGMA query_only = OFF")
        self._reader.close()
        # A copy is one file that can be read where nothing can be written.
        self._writer.execute("PRAGMA journal_mode = DELETE")
        self._writer.close()
        os.close(self._lock)


def _settle(file: Path) -> None:
    file.with_name(file.name + ".lock").unlink(missing_ok=True)
    handle = os.open(file, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


class Copied(SqliteStore):
    """A copy, read only and locked by nobody; it may lie where nothing can be written."""

    def __init__(self, path: Path) -> None:
        self._still = _SqliteReading(path, is_still=True)
        self._guard = threading.Lock()

    def _read(self, sql: str, *values: Any) -> list[Any]:
        with self._guard:
            return self._still.rows(sql, *values)

    def close(self) -> None:
        self._still.close()


def demand_whole(path: Path, *, every_entry: bool = True) -> Head:
    """The head of a copy whose entries, openings and tiles all lead to it. Raises Problem naming what does not."""
    try:
        with closing(Copied(path)) as copy:
            head = copy.last_head() or Head(0, EMPTY_ROOT, "")
            tree = read_tree(copy, copy.size())
            if head.size != copy.size() or tree is None or tree.root(head.size) != head.root:
                raise _torn(next(differences(copy), "the entries do not lead to the head"))
            if every_entry and (wrong := next(differences(copy), "")):
                raise _torn(wrong)
            return head
    except sqlite3.Error as wrong_file:
        raise _torn(f"the file cannot be read ({type(wrong_file).__name__})") from wrong_file


def root_of(path: Path, size: int) -> bytes | None:
    """The root of the copy's tree of ``size`` entries; None when it has no such tree."""
    with closing(Copied(path)) as copy:
        tree = read_tree(copy, copy.size()) if size <= copy.size() else None
        try:
            return tree.root(size) if tree is not None else None
        except (LookupError, ValueError):
            return None


def copy_in(file: Path, url: str, holder: str, told: Told = nobody) -> None:
    """Fills a PostgreSQL database that holds no log yet from a copy, all or nothing."""
    from lofte.evidence.postgres_store import PostgresStore

    class Filling(PostgresStore):
        def take_all(self, reading: Reading, size: int) -> None:
            writer, run = self._writer, self._writer.cursor()
            with writer.transaction():
                for origin, vkey in reading.rows("SELECT origin, vkey FROM identity"):
                    self.begin(origin, vkey)
                for end, entries, openings, found, heads in _pieces(reading, size):
                    for table, columns, rows in (
                        ("entries", "idx, entry", entries),
                        ("openings", _OPENING, [(*row[:5], bool(row[5]), *row[6:]) for row in openings]),
                        ("tiles", "level, idx, hashes", found),
                        ("heads", "size, root, at, holder", [(*row, self._me) for row in heads]),
                    ):
                        with run.copy(f"COPY lofte_evidence.{table} ({columns}) FROM STDIN".encode()) as into:
                            for row in rows:
                                into.write_row(row)
                    told(end, size)

    store = Filling(url, holder)
    try:
        if store.size() or store.identity():
            raise Problem(
                "restore.not-empty", "the database holds an evidence log already",
                way_out="Name an empty database; a log is never written over.", status=409,
            )  # fmt: skip
        reading = _SqliteReading(file, is_still=True)
        with closing(reading):
            store.take_all(reading, head_of(reading).size)
    finally:
        store.close()


def people_in(reading: Reading, first: int = 0) -> Iterator[tuple[int, str, bytes, bytes]]:
    """(index, kind, fact, who) of every entry from ``first`` on whose `who` has not been shredded."""
    size = head_of(reading).size
    for begin in range(first, size, _PIECE):
        yield from (
            (int(index), kind, bytes(fact), bytes(who))
            for index, kind, fact, who, was_shredded in reading.rows(
                "SELECT idx, kind, fact, who, was_shredded FROM openings"
                " WHERE idx >= ? AND idx < ? AND who IS NOT NULL ORDER BY idx",
                begin, begin + _PIECE,
            )
            if not was_shredded
        )  # fmt: skip


def _torn(detail: str) -> Problem:
    return Problem("backup.torn-log", detail, way_out="Use another copy.", status=409)


def _no_log(kind: str) -> Problem:
    return Problem(
        "backup.no-log", f"there is no evidence log to read ({kind})",
        way_out="Start the server once, so that there is a log; for PostgreSQL, is it running?", status=409,
    )  # fmt: skip
