"""Reads everything that is stored once, for any number of people at a time, in bounded memory and in steps that can be stopped.

Every column of every table the databases really have, whatever the models say, and every file of the data directory. A quick
automaton over many rows at once says where something could be; only there each value is judged exactly.
"""

import os
import sqlite3
import struct
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple, Protocol
from urllib.parse import quote

import ahocorasick_rs
from django.conf import settings
from django.db import connections

Row = tuple[bytes, ...]
Columns = list[tuple[str, str]]

_SLICE = 20_000  # rows between two places where a search can go on
_PIECE = 500  # rows the database puts together
_LONG_ROW = 1 << 14  # bytes
_BUFFER = 1 << 20  # bytes looked through at once
_BLOCK = 1 << 22  # bytes of a file at once
_MOST_LETTERS = 5  # letters with two shapes in a pattern of the automaton: 2**5 patterns at most
_FEW_PATTERNS = 3_000  # above, an automaton that is slower and much smaller
_ROW_BYTES = 512  # what a piece of a file counts as, beside rows
_STORED_ROW_BYTES = 250  # about what a row of ours takes in PostgreSQL
_SQLITE = b"SQLite format 3\0"
_NEVER = ("boolean", "date", "timestamp with time zone", "timestamp without time zone", "interval", "smallint")
_AS_IT_IS = ("bytea", "uuid", "text", "character varying", "character")
_COPY_HEAD = 15  # bytes before the length of the extension in PostgreSQL's binary format


class Needle(NamedTuple):
    """Bytes to look for. ``form`` is raw, normal, escaped, encoded, hashed, index or handle."""

    form: str
    data: bytes
    any_case: bool = False


@dataclass(frozen=True, slots=True)
class Place:
    """Where a search is: a table or file, and how far in it; ``row`` -1 when it is done with."""

    name: str
    row: int


@dataclass(frozen=True, slots=True)
class Step:
    """What one step looked through and found: hits are (whose, where, form) with how many rows."""

    place: Place
    rows: int
    columns: int
    files: int
    hits: Mapping[tuple[str, str, str], int]


class Sieve(Protocol):
    """Takes the rows of one table as they come, whole or as one piece of bytes with their values in it without a break."""

    hits: Counter[tuple[str, str, str]]

    def row(self, row: Row) -> None: ...
    def line(self, line: bytes) -> None: ...
    def flush(self) -> None: ...


class Seeker(Protocol):
    """Who is looked for, and how: a few exactly (`Wanted`), or very many, to clear those who are nowhere (`crowd.Crowd`)."""

    longest: int

    def may_hold(self, data: bytes) -> bool: ...
    def held(self, value: bytes) -> set[tuple[str, str]]: ...
    def sieve(self, where: str, columns: Columns, read: Callable[[bytes], Row] | None = None) -> Sieve: ...


class Wanted:
    """Needles of any number of people, each known by a key of the caller."""

    def __init__(self, wanted: Mapping[str, Sequence[Needle]]) -> None:
        self._of: list[list[tuple[str, Needle]]] = []
        places: dict[bytes, int] = {}
        for whose, needles in wanted.items():
            for needle in needles:
                for pattern in patterns(needle):
                    place = places.setdefault(pattern, len(places))
                    if place == len(self._of):
                        self._of.append([])
                    self._of[place].append((whose, needle))
        self.longest = max(map(len, places), default=1)
        self._automaton = automaton(places) if places else None

    def sieve(self, where: str, columns: Columns, read: Callable[[bytes], Row] | None = None) -> Sieve:
        return _Sieve(self, where, columns, read)

    def may_hold(self, data: bytes) -> bool:
        """Whether anything could be in there: no means no."""
        return self._automaton is not None and bool(self._automaton.find_matches_as_indexes(data.lower()))

    def held(self, value: bytes) -> set[tuple[str, str]]:
        """(whose, form) of what one value holds, exactly."""
        if self._automaton is None:
            return set()
        matches = self._automaton.find_matches_as_indexes(value.lower(), overlapping=True)
        could = {each for place in {match[0] for match in matches} for each in self._of[place]}
        if not could:
            return set()
        small = value.decode(errors="surrogateescape").lower()
        return {(whose, needle.form) for whose, needle in could if _is_in(needle, value, small)}


def automaton(patterns: Collection[bytes]) -> ahocorasick_rs.BytesAhoCorasick:
    """Finds any of the patterns, each by its place among them."""
    many = len(patterns) > _FEW_PATTERNS
    kind = ahocorasick_rs.Implementation.ContiguousNFA if many else ahocorasick_rs.Implementation.DFA
    return ahocorasick_rs.BytesAhoCorasick(list(patterns), implementation=kind)


def _is_in(needle: Needle, value: bytes, small: str) -> bool:
    return needle.data in value or (needle.any_case and needle.data.decode().lower() in small)


def patterns(needle: Needle) -> set[bytes]:
    """Patterns of which at least one is in whatever holds the needle, once that is in small ASCII letters."""
    if not needle.any_case:
        return {needle.data.lower()}
    text = _window(needle.data.decode())
    shapes = [{each, each.lower(), each.upper()} if _has_two(each) else {each} for each in text]
    return {"".join(each).encode().lower() for each in product(*shapes)}


def _window(text: str) -> str:
    """The whole text, or its longest part with few enough letters that have two shapes beyond ASCII."""
    if sum(map(_has_two, text)) <= _MOST_LETTERS:
        return text
    best, start, here = "", 0, list[int]()
    for place, letter in enumerate(text):
        if _has_two(letter):
            here.append(place)
        if len(here) > _MOST_LETTERS:
            start = here.pop(0) + 1
        if place + 1 - start > len(best):
            best = text[start : place + 1]
    return best


@lru_cache(maxsize=4096)
def _has_two(letter: str) -> bool:
    return not letter.isascii() and letter.lower() != letter.upper()


# --- all there is -----------------------------------------------------------------------------------------------------


def size() -> int:
    """About how many rows a search reads."""
    rows = sum(_rows_in(alias) for alias in settings.DATABASES)
    for file in _other_files():
        with _unless_removed(file):
            rows += _rows_in_file(file)
    return rows


def _rows_in_file(file: Path) -> int:
    if not _is_sqlite(file):
        return file.stat().st_size // _ROW_BYTES
    with closing(_opened(file)) as connection:
        run = connection.execute
        return sum(_last_row(run, table, names) for table, names in _sqlite_tables(run).items())


def steps(wanted: Seeker, after: Place | None = None, *, but: frozenset[str] = frozenset()) -> Iterator[Step]:
    """Look everywhere, from the start or after a place an earlier search came to, but in these columns. Reads only."""
    for alias in sorted(settings.DATABASES):
        for table, there in sorted(tables(alias).items()):
            name = f"{alias}.{table}"
            columns = [each for each in there if f"{name}.{each[0]}" not in but]
            if (start := _start(name, after)) is not None:
                yield from _in_table(alias, table, columns, name, start, wanted)
    for file in sorted(_other_files()):
        # Files come after databases, whatever these are called.
        name = f"file:{file.relative_to(settings.LOFTE_HOME)}"
        if (start := _start(name, after)) is None:
            continue
        if _is_sqlite(file):
            yield from _in_sqlite_file(file, name, wanted)
        else:
            yield _in_file(file, name, wanted)


def _start(name: str, after: Place | None) -> int | None:
    """The row to go on after; None for what was done before the search was stopped."""
    if after is None:
        return 0
    mine, theirs = (name.startswith("file:"), name), (after.name.startswith("file:"), after.name)
    if mine == theirs:
        return None if after.row < 0 else after.row
    return 0 if mine > theirs else None


class _Sieve:
    """Takes rows as they come, looks through many at once, and judges value by value only where something could be."""

    def __init__(
        self, wanted: Wanted, where: str, columns: Columns, read: Callable[[bytes], Row] | None = None
    ) -> None:
        self._wanted, self._where, self._columns, self._read = wanted, where, columns, read
        self._rows: list[Row] = []
        self._lines: list[bytes] = []
        self._bytes = 0
        self.hits: Counter[tuple[str, str, str]] = Counter()

    def row(self, row: Row) -> None:
        self._rows.append(row)
        self.line(b"\0".join(row))

    def line(self, line: bytes) -> None:
        """A whole row as one piece of bytes, its values in it without a break."""
        self._lines.append(line)
        self._bytes += len(line)
        if self._bytes >= _BUFFER:
            self.flush()

    def flush(self) -> None:
        if self._wanted.may_hold(b"\0".join(self._lines)):
            for number, line in enumerate(self._lines):
                if self._wanted.may_hold(line):
                    self._judge(self._rows[number] if self._read is None else self._read(line))
        self._rows, self._lines, self._bytes = [], [], 0

    def _judge(self, row: Row) -> None:
        for (column, _), value in zip(self._columns, row, strict=False):
            for whose, form in self._wanted.held(value):
                self.hits[whose, f"{self._where}.{column}", form] += 1


def _in_table(alias: str, table: str, columns: Columns, name: str, start: int, wanted: Seeker) -> Iterator[Step]:
    connection = connections[alias]
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            yield from _in_sqlite_table(_run_in_django(cursor), name, table, columns, name, start, wanted)
    elif connection.in_atomic_block:  # must see what this transaction wrote
        with connection.cursor() as cursor:
            yield _whole(list(_in_postgres_table(cursor, table, columns, name, wanted)))
    else:  # a session of its own, so that the caller can write down how far it is in between
        with closing(connection.copy()) as apart, apart.cursor() as cursor:
            yield from _in_postgres_table(cursor, table, columns, name, wanted)


def _whole(parts: list[Step]) -> Step:
    return replace(parts[-1], rows=sum(each.rows for each in parts))


def _run_in_django(cursor: Any) -> Callable[[str], Iterable[Any]]:
    def run(sql: str) -> Iterable[Any]:
        cursor.execute(sql)
        return iter(cursor.fetchone, None)

    return run


# --- SQLite -----------------------------------------------------------------------------------------------------------


def _in_sqlite_table(
    run: Callable[[str], Iterable[Any]], where: str, table: str, columns: Columns, name: str, start: int, wanted: Seeker
) -> Iterator[Step]:  # fmt: skip
    """In slices by row number, each a short look: nothing is held open in between, and a row that changes keeps its number."""
    number = _row_number(run, table, columns)
    cells = ", ".join(f"CAST(ifnull({quoted(column)}, '') AS BLOB)" for column, _ in columns)
    sieve, count = wanted.sieve(where, columns), 0
    while number:
        last, before = start, count
        # Names come from the catalogue and are quoted; the rest are numbers of ours.
        if isinstance(wanted, Wanted):
            sql = f"SELECT {number}, {cells} FROM {quoted(table)} WHERE {number} > {start} ORDER BY 1 LIMIT {_SLICE}"  # noqa: S608
            for found in run(sql):
                last = found[0]
                sieve.row(found[1:])
                count += 1
        else:
            read, last = _read_pieces(run, table, columns, number, start, sieve)
            count += read
        sieve.flush()
        if count - before < _SLICE:
            break
        yield Step(Place(name, last), count - before, 0, 0, sieve.hits)
        sieve, start, count = wanted.sieve(where, columns), last, 0
    else:
        for found in run(f"SELECT {cells} FROM {quoted(table)}"):  # noqa: S608  # as above
            sieve.row(found)
            count += 1
        sieve.flush()
    yield Step(Place(name, -1), count, len(columns), 0, sieve.hits)


def _read_pieces(
    run: Callable[[str], Iterable[Any]], table: str, columns: Columns, number: str, start: int, sieve: Sieve
) -> tuple[int, int]:  # fmt: skip
    """A slice, its rows put together by the database, some hundred to a piece: four times as quick as row by row, where it does
    not matter in which row something is. A long row, such as one with a file in it, comes by itself.
    """
    together = " || x'00' || ".join(f"ifnull({quoted(column)}, '')" for column, _ in columns)
    apart = ", ".join(f"CAST(ifnull({quoted(column)}, '') AS BLOB)" for column, _ in columns)
    short = f"CASE WHEN length(line) > {_LONG_ROW} THEN '' ELSE line END"
    count, last = 0, start
    while count < _SLICE:
        rows = f"FROM {quoted(table)} WHERE {number} > {last} ORDER BY {number} LIMIT {_PIECE}"
        # Names come from the catalogue and are quoted; the rest are numbers of ours.
        inner = f"SELECT {number} AS n, CAST({together} AS BLOB) AS line {rows}"
        sql = f"SELECT max(n), count(*), max(length(line)), CAST(group_concat({short}) AS BLOB) FROM ({inner})"  # noqa: S608
        end, read, longest, piece = next(iter(run(sql)))
        if not read:
            break
        sieve.line(piece)
        if longest > _LONG_ROW:
            for row in run(f"SELECT {number}, {apart} {rows}"):
                sieve.row(row[1:])
        count, last = count + read, end
        if read < _PIECE:
            break
    return count, last


def _row_number(run: Callable[[str], Iterable[Any]], table: str, columns: Columns) -> str:
    """What the table's rows are numbered by; empty for a table without."""
    taken = {column.lower() for column, _ in columns}
    name = next((each for each in ("rowid", "_rowid_", "oid") if each not in taken), "")
    if not name or any("WITHOUT ROWID" in str(row[0]).upper() for row in run(_made_as(table))):
        return ""
    return name


def _made_as(table: str) -> str:
    literal = table.replace("'", "''")
    return f"SELECT sql FROM sqlite_master WHERE type = 'table' AND name = '{literal}'"  # noqa: S608  # a name of the catalogue


def _sqlite_tables(run: Callable[[str], Iterable[Any]]) -> dict[str, Columns]:
    names = [
        row[0] for row in run("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'")
    ]  # fmt: skip
    return {name: [(row[1], row[2]) for row in run(f"PRAGMA table_info({quoted(name)})")] for name in names}


def _last_row(run: Callable[[str], Iterable[Any]], table: str, columns: Columns) -> int:
    number = _row_number(run, table, columns)
    asked = f"max({number})" if number else "count(*)"
    return int(next(iter(run(f"SELECT {asked} FROM {quoted(table)}")))[0] or 0)  # noqa: S608  # a name of the catalogue


# --- PostgreSQL -------------------------------------------------------------------------------------------------------


def _in_postgres_table(cursor: Any, table: str, columns: Columns, name: str, wanted: Seeker) -> Iterator[Step]:
    """One statement a table, so one state of it: rows move when they change, and would slip past a search in slices."""
    asked = [(column, kind) for column, kind in columns if kind not in _NEVER]
    sieve, count = wanted.sieve(name, asked, _copied), 0
    if asked:
        cells = ", ".join(quoted(column) if kind in _AS_IT_IS else f"{quoted(column)}::text" for column, kind in asked)
        # Names come from the catalogue and are quoted.
        with cursor.copy(f"COPY (SELECT {cells} FROM {quoted(table)}) TO STDOUT (FORMAT binary)") as copy:  # noqa: S608
            for line in copy:
                sieve.line(bytes(line))
                count += 1
                if count == _SLICE:
                    yield Step(Place(name, 0), count, 0, 0, {})
                    count = 0
        sieve.flush()
    yield Step(Place(name, -1), count, len(columns), 0, sieve.hits)


def _copied(line: bytes) -> Row:
    """The values of one row in PostgreSQL's binary format; the first comes with the head of the stream before it."""
    place = 0
    if line.startswith(b"PGCOPY\n\xff\r\n\0"):
        place = _COPY_HEAD + 4 + int(struct.unpack_from("!i", line, _COPY_HEAD)[0])
    (count,) = struct.unpack_from("!h", line, place)
    place += 2
    values = []
    for _ in range(max(count, 0)):
        (length,) = struct.unpack_from("!i", line, place)
        place += 4
        values.append(line[place : place + max(length, 0)])
        place += max(length, 0)
    return tuple(values)


def _rows_in(alias: str) -> int:
    connection = connections[alias]
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            run = _run_in_django(cursor)
            return sum(_last_row(run, table, columns) for table, columns in tables(alias).items())
        cursor.execute(
            "SELECT COALESCE(SUM(pg_relation_size(c.oid)), 0)::bigint FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
            " WHERE c.relkind = 'r' AND n.nspname NOT IN ('pg_catalog', 'information_schema')"
        )
        return int(cursor.fetchone()[0]) // _STORED_ROW_BYTES


# What information_schema says of the tables we may read, without asking each of its thousands of columns who may: a fiftieth of the
# time.
_POSTGRES_TABLES = """
    SELECT n.nspname, c.relname, a.attname, format_type(a.atttypid, NULL)
    FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p') AND c.relpersistence <> 't' AND a.attnum > 0 AND NOT a.attisdropped
      AND n.nspname NOT IN ('pg_catalog', 'information_schema')
      AND (pg_has_role(c.relowner, 'USAGE') OR has_column_privilege(c.oid, a.attnum, 'SELECT, INSERT, UPDATE, REFERENCES'))
    ORDER BY a.attnum"""


def tables(alias: str) -> dict[str, Columns]:
    """Every table the database really has, with its columns and their types."""
    connection = connections[alias]
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            return _sqlite_tables(lambda sql: list(_run_in_django(cursor)(sql)))
        cursor.execute(_POSTGRES_TABLES)
        found: dict[str, Columns] = {}
        for schema, table, column, kind in cursor.fetchall():
            found.setdefault(table if schema == "public" else f"{schema}.{table}", []).append((column, kind))
        return found


def quoted(name: str) -> str:
    return ".".join('"' + part.replace('"', '""') + '"' for part in name.split("."))


# --- files ------------------------------------------------------------------------------------------------------------


def _other_files() -> list[Path]:
    """Everything in the data directory that is no part of our own databases. Files and folders may come and go meanwhile."""
    ours = {str(connections[alias].settings_dict["NAME"]) for alias in settings.DATABASES}
    there = (Path(folder, name) for folder, _, names in os.walk(settings.LOFTE_HOME) for name in names)
    return [file for file in there if file.is_file() and not _is_part_of(str(file), ours)]


def _is_part_of(file: str, ours: set[str]) -> bool:
    """Our own databases; and the side files of any, which are read with it."""
    return file in ours or (file.endswith(("-wal", "-shm", "-journal")) and Path(file.rpartition("-")[0]).exists())


def _is_sqlite(file: Path) -> bool:
    try:
        with file.open("rb") as content:
            return content.read(len(_SQLITE)) == _SQLITE
    except OSError:  # removed while we walked
        return False


def _opened(file: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{quote(str(file))}?mode=ro", uri=True, timeout=10)


def _in_sqlite_file(file: Path, name: str, wanted: Seeker) -> Iterator[Step]:
    """Other SQLite files by their tables: the evidence store, copies somebody made. Begun anew when it was stopped within."""
    hits: Counter[tuple[str, str, str]] = Counter()
    columns = 0
    with _unless_removed(file), closing(_opened(file)) as connection:
        run = connection.execute
        for table, names in sorted(_sqlite_tables(lambda sql: run(sql).fetchall()).items()):
            columns += len(names)
            for step in _in_sqlite_table(run, f"{name}.{table}", table, names, name, 0, wanted):
                hits.update(step.hits)
                yield Step(Place(name, 0), step.rows, 0, 0, {})
    yield Step(Place(name, -1), 0, columns, 0, hits)


@contextmanager
def _unless_removed(file: Path) -> Iterator[None]:
    """Copies come and go; what is not there any more holds nothing."""
    try:
        yield
    except (OSError, sqlite3.OperationalError):
        if file.exists():
            raise


def _in_file(file: Path, name: str, wanted: Seeker) -> Step:
    """Block by block, each with the end of the one before."""
    found: set[tuple[str, str]] = set()
    kept, read = b"", 0
    try:
        with file.open("rb") as content:
            while block := content.read(_BLOCK):
                read += len(block)
                if wanted.may_hold(kept + block):
                    found |= wanted.held(kept + block)
                kept = (kept + block)[-4 * wanted.longest :]
    except OSError:  # removed while we walked
        pass
    return Step(Place(name, -1), read // _ROW_BYTES, 0, 1, {(whose, name, form): 1 for whose, form in found})
