"""Searches everything that is stored for what is left of a person: every column of every table the databases really have, whatever
the models say, and every file of the data directory. Looks for values as written, normalised, escaped, encoded and hashed.

Answers where and in which form, never what. `rights.erasure` decides what a hit means.
"""

import base64
import hashlib
import html
import json
import sqlite3
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import UUID

from django.conf import settings
from django.db import connections

from lofte.core import blind
from lofte.kernel.problems import Problem
from lofte.rules.model import DataField

_SHORTEST = 5  # letters: below that a value says nothing and matches everything
_LEAST_TEXT = 12  # free text is only looked for when it can hardly be anybody else's
_LARGEST_FILE = 64 * 1024 * 1024
_NEEDLES_A_QUERY = 24
_SQLITE = b"SQLite format 3\0"


@dataclass(frozen=True, slots=True)
class Needle:
    """Bytes to look for. ``form`` is raw, normal, escaped, encoded, hashed, index or handle."""

    form: str
    data: bytes
    any_case: bool = False


@dataclass(frozen=True, slots=True)
class Hit:
    """``where`` is ``database.table.column`` or ``file:name``."""

    where: str
    count: int
    form: str


@dataclass(frozen=True, slots=True)
class Searched:
    columns: int
    files: int
    hits: tuple[Hit, ...]


def needles(
    values: Iterable[tuple[str, str]], shapes: Mapping[str, DataField], person_id: UUID | None = None
) -> list[Needle]:
    """What to look for, from (field, value) pairs and the person's handle."""
    found: list[Needle] = []
    for field, value in values:
        shape = shapes.get(field)
        if shape and _is_telling(shape.kind, value):
            found += _forms(field, shape.kind, value)
        if shape and shape.kind in ("email", "phone", "name"):
            found += _index(field, shape.kind, value, person_id)
    if person_id:
        found += [Needle("handle", each) for each in (str(person_id).encode(), person_id.hex.encode(), person_id.bytes)]
    return list(dict.fromkeys(found))


def hashes(values: Iterable[tuple[str, str]], shapes: Mapping[str, DataField]) -> frozenset[str]:
    """The blind-index hashes of the values people are found by whole: a name is found by its parts, and those are many people's."""
    return frozenset(
        blind.blind_hash(field, normal)
        for field, value in values
        if field in shapes and shapes[field].indexed and shapes[field].kind != "name"
        for normal in blind.readings(shapes[field].kind, value)
    )


def _is_telling(kind: str, value: str) -> bool:
    if kind in ("email", "phone"):
        return True
    if kind in ("name", "url", "ip"):
        return len(value) >= _SHORTEST and (kind != "name" or " " in value.strip())
    return kind == "text" and len(value) >= _LEAST_TEXT


def _normal(kind: str, value: str) -> str:
    try:
        return blind.normalise(kind, value)
    except Problem:
        return ""


def _forms(field: str, kind: str, value: str) -> Iterator[Needle]:
    normal = _normal(kind, value)
    for form, text in (("raw", value), ("normal", normal)):
        for shape in {text, unicodedata.normalize("NFC", text), unicodedata.normalize("NFD", text)} - {""}:
            yield Needle(form, shape.encode(), any_case=True)
            escaped = {json.dumps(shape)[1:-1], quote(shape, safe=""), quote(shape, safe="@+"), html.escape(shape)} - {
                shape
            }
            yield from (Needle("escaped", each.encode(), any_case=True) for each in sorted(escaped))
            yield Needle("encoded", base64.b64encode(shape.encode()).rstrip(b"="))
    for text in {value, value.lower(), normal} - {""}:
        for name in ("sha256", "sha1", "md5"):  # as advertising platforms and old exports hash people
            digest = hashlib.new(name, text.encode(), usedforsecurity=False)
            yield Needle("hashed", digest.hexdigest().encode(), any_case=True)
            yield Needle("hashed", digest.digest())
            yield Needle("hashed", base64.b64encode(digest.digest()).rstrip(b"="))


def _index(field: str, kind: str, value: str, person_id: UUID | None) -> Iterator[Needle]:
    """Entries of the blind index. What several people may share is looked for as this person's entry, never as the others'."""
    if kind == "name":
        found = [blind.part_hash(field, part) for part in blind.parts(value)]
    else:
        found = [blind.blind_hash(field, normal) for normal in blind.readings(kind, value)]
    if kind != "email":
        found = [blind.entry_key(kind, each, person_id.bytes) for each in found] if person_id else []
    for entry in found:
        yield Needle("index", entry.encode())
        yield Needle("index", bytes.fromhex(entry))


def search(wanted: list[Needle]) -> Searched:
    """Look everywhere. Reads only."""
    hits: list[Hit] = []
    columns = 0
    for alias in settings.DATABASES:
        for table, names in sorted(_tables(alias).items()):
            columns += len(names)
            hits += _in_table(alias, table, names, wanted)
    more, in_files = _other_files(wanted)
    return Searched(columns + more, len(in_files[0]), tuple(_merged([*hits, *in_files[1]])))


def _merged(hits: list[Hit]) -> list[Hit]:
    together: dict[tuple[str, str], int] = {}
    for hit in hits:
        together[hit.where, hit.form] = max(together.get((hit.where, hit.form), 0), hit.count)
    return [Hit(where, count, form) for (where, form), count in sorted(together.items())]


# --- databases ------------------------------------------------------------------------------------------------------


def _tables(alias: str) -> dict[str, list[tuple[str, str]]]:
    """Every table the database really has, with its columns and their types."""
    connection = connections[alias]
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            return _sqlite_tables(cursor.execute)
        cursor.execute(
            "SELECT c.table_schema, c.table_name, c.column_name, c.data_type FROM information_schema.columns c"
            " JOIN information_schema.tables t ON t.table_schema = c.table_schema AND t.table_name = c.table_name"
            " WHERE t.table_type = 'BASE TABLE' AND c.table_schema NOT IN ('pg_catalog', 'information_schema')"
        )
        found: dict[str, list[tuple[str, str]]] = {}
        for schema, table, column, kind in cursor.fetchall():
            found.setdefault(table if schema == "public" else f"{schema}.{table}", []).append((column, kind))
        return found


def _sqlite_tables(execute: Any) -> dict[str, list[tuple[str, str]]]:
    names = [
        row[0]
        for row in execute(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
        ).fetchall()
    ]
    return {
        name: [(row[1], row[2]) for row in execute(f"PRAGMA table_info({_quoted(name)})").fetchall()] for name in names
    }


def _quoted(name: str) -> str:
    return ".".join('"' + part.replace('"', '""') + '"' for part in name.split("."))


def _in_table(alias: str, table: str, columns: list[tuple[str, str]], wanted: list[Needle]) -> Iterator[Hit]:
    connection = connections[alias]
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            yield from _in_sqlite_table(
                lambda sql, args: cursor.execute(sql, args).fetchone(), f"{alias}.{table}", table, columns, wanted, "%s"
            )
            return
        for form, group in _groups(wanted):
            parts, args = [], []
            for column, kind in columns:
                tests, given = _postgres_tests(column, kind, group)
                parts.append(f"COALESCE(SUM(CASE WHEN {' OR '.join(tests) or 'FALSE'} THEN 1 ELSE 0 END), 0)")
                args += given
            # The names come from the catalogue and are quoted.
            cursor.execute(f"SELECT {', '.join(parts)} FROM {_quoted(table)}", args)  # noqa: S608
            yield from _row_hits(cursor.fetchone(), columns, f"{alias}.{table}", form)


def _postgres_tests(column: str, kind: str, group: list[Needle]) -> tuple[list[str], list[Any]]:
    name = _quoted(column)
    if kind == "bytea":
        return [f"position(%s::bytea in {name}) > 0"] * len(group), [each.data for each in group]
    tests, given = [], []
    for each in group:
        text = _as_text(each)
        if text is None:
            continue
        tests.append(f"position(%s in {f'lower({name}::text)' if each.any_case else f'{name}::text'}) > 0")
        given.append(text.lower() if each.any_case else text)
    return tests, given


def _as_text(needle: Needle) -> str | None:
    try:
        text = needle.data.decode()
    except UnicodeDecodeError:
        return None
    return None if "\0" in text else text


def _in_sqlite_table(
    fetch: Any, where: str, table: str, columns: list[tuple[str, str]], wanted: list[Needle], mark: str
) -> Iterator[Hit]:
    for form, group in _groups(wanted):
        parts, args = [], []
        for column, _ in columns:
            tests, given = _sqlite_tests(column, group, mark)
            parts.append(f"COALESCE(SUM(CASE WHEN {' OR '.join(tests)} THEN 1 ELSE 0 END), 0)")
            args += given
        row = fetch(f"SELECT {', '.join(parts)} FROM {_quoted(table)}", args)  # noqa: S608  # names come from the catalogue, quoted
        yield from _row_hits(row, columns, where, form)


def _sqlite_tests(column: str, group: list[Needle], mark: str) -> tuple[list[str], list[Any]]:
    name = _quoted(column)
    tests: list[str] = []
    given: list[Any] = []
    for each in group:
        tests.append(f"instr(CAST({name} AS BLOB), {mark}) > 0")
        given.append(each.data)
        text = _as_text(each)
        if each.any_case and text is not None:
            tests.append(f"instr(lower(CAST({name} AS TEXT)), {mark}) > 0")
            given.append(text.lower())
    return tests, given


def _groups(wanted: list[Needle]) -> Iterator[tuple[str, list[Needle]]]:
    for form in dict.fromkeys(each.form for each in wanted):
        same = [each for each in wanted if each.form == form]
        for start in range(0, len(same), _NEEDLES_A_QUERY):
            yield form, same[start : start + _NEEDLES_A_QUERY]


def _row_hits(row: Any, columns: list[tuple[str, str]], where: str, form: str) -> Iterator[Hit]:
    for (column, _), count in zip(columns, row or (), strict=False):
        if count:
            yield Hit(f"{where}.{column}", int(count), form)


# --- files ----------------------------------------------------------------------------------------------------------


def _other_files(wanted: list[Needle]) -> tuple[int, tuple[list[Path], list[Hit]]]:
    """Other SQLite files by their tables (the evidence store, copies somebody made), everything else byte by byte."""
    home: Path = settings.LOFTE_HOME
    columns, read, hits = 0, list[Path](), list[Hit]()
    ours = {str(connections[alias].settings_dict["NAME"]) for alias in settings.DATABASES}
    readable = [each for each in wanted if each.form in ("raw", "normal", "escaped")]
    for file in sorted(home.rglob("*")):
        name = str(file.relative_to(home))
        if not file.is_file() or str(file) in ours or (name.endswith(("-wal", "-shm")) and str(file)[:-4] in ours):
            continue
        if _is_sqlite(file):
            count, found = _in_sqlite_file(file, name, wanted)
            columns, hits = columns + count, hits + found
        elif not name.endswith(("-wal", "-shm")) and file.stat().st_size <= _LARGEST_FILE:
            read.append(file)
            hits += _in_bytes(file, name, readable)
    return columns, (read, hits)


def _is_sqlite(file: Path) -> bool:
    with file.open("rb") as content:
        return content.read(len(_SQLITE)) == _SQLITE


def _in_sqlite_file(file: Path, name: str, wanted: list[Needle]) -> tuple[int, list[Hit]]:
    hits: list[Hit] = []
    with closing(sqlite3.connect(f"file:{quote(str(file))}?mode=ro", uri=True, timeout=10)) as connection:
        tables = _sqlite_tables(connection.execute)
        for table, columns in sorted(tables.items()):
            hits += _in_sqlite_table(
                lambda sql, args: connection.execute(sql, args).fetchone(),
                f"file:{name}.{table}",
                table,
                columns,
                wanted,
                "?",
            )
    return sum(len(columns) for columns in tables.values()), hits


def _in_bytes(file: Path, name: str, wanted: list[Needle]) -> list[Hit]:
    try:
        content = file.read_bytes()
    except OSError:  # removed while we walked
        return []
    lowered = content.lower()
    forms = {each.form for each in wanted if each.data in content or (each.any_case and each.data.lower() in lowered)}
    return [Hit(f"file:{name}", 1, form) for form in sorted(forms)]
