"""Django's databases as files: an SQLite file by the online backup, a PostgreSQL database by COPY in one snapshot. No Django here.

A PostgreSQL copy is a file a table, in COPY's text form, that any later version of the server reads. It holds rows only; the tables
are made by the migrations the manifest names.
"""

import os
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import UUID

from lofte.core.backup.manifest import Held, flush
from lofte.kernel.problems import Problem

Told = Callable[[int, int], None]
_SUFFIX = ".copy"
_TABLES = """
SELECT c.relname, array_agg(a.attname ORDER BY a.attnum)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid
WHERE n.nspname = 'public' AND c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
GROUP BY c.relname ORDER BY c.relname
"""
_IDENTITIES = """
SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public' AND is_identity = 'YES'
"""


def copy_sqlite(source: Path, target: Path) -> None:
    """One moment of a file that others write, in a file of its own. Writers wait for nothing."""
    os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    live = sqlite3.connect(f"file:{quote(str(source))}?mode=ro", uri=True, timeout=30)
    with closing(live), closing(sqlite3.connect(target)) as copy:
        live.backup(copy)
        copy.execute("PRAGMA journal_mode = DELETE")  # one file, which opens where nothing can be written
    flush(target)


def demand_sound_sqlite(file: Path) -> None:
    """Raises Problem when SQLite finds the file damaged."""
    try:
        with closing(open_still(file)) as copy:
            said = copy.execute("PRAGMA integrity_check(1)").fetchone()[0]
    except sqlite3.Error as wrong:
        said = type(wrong).__name__
    if said != "ok":
        raise Problem("backup.not-sound", f"{file.name} is damaged", way_out="Use another copy.", status=409)


def is_sound_live(file: Path) -> bool:
    """Whether SQLite finds nothing wrong in a file that somebody may have been writing when the machine died."""
    with closing(sqlite3.connect(f"file:{quote(str(file))}?mode=ro", uri=True, timeout=30)) as live:
        return bool(live.execute("PRAGMA integrity_check(1)").fetchone() == ("ok",))


def open_still(file: Path) -> sqlite3.Connection:
    """A file nobody writes, wherever it lies."""
    return sqlite3.connect(f"file:{quote(str(file))}?immutable=1", uri=True)


def copy_postgres(url: str, folder: Path, told: Told) -> dict[str, Held]:
    """Every table of one snapshot, a file each; returns rows and columns by file name."""
    import psycopg

    folder.mkdir(mode=0o700)
    found: dict[str, Held] = {}
    with psycopg.connect(url, application_name="lofte-copy", connect_timeout=10) as connection:
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        connection.read_only = True
        tables = connection.execute(_TABLES).fetchall()
        for number, (table, columns) in enumerate(tables, 1):
            file = folder / f"{table}{_SUFFIX}"
            handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            with open(handle, "wb") as out, connection.cursor() as cursor:
                with cursor.copy(f"COPY {_named(table, columns)} TO STDOUT".encode()) as body:
                    for chunk in body:
                        out.write(chunk)
                out.flush()
                os.fsync(out.fileno())
                found[file.name] = Held(0, "", cursor.rowcount, tuple(columns))
            told(number, len(tables))
    return found


def _named(table: str, columns: Any) -> str:
    return f'public."{table}" ({", ".join(f"{chr(34)}{column}{chr(34)}" for column in columns)})'


def is_empty_postgres(url: str) -> bool:
    """Whether there is neither a table nor a log in the database."""
    import psycopg

    with psycopg.connect(url, connect_timeout=10) as connection:
        tables = connection.execute(_TABLES).fetchall()
        log = connection.execute("SELECT to_regnamespace('lofte_evidence')").fetchone()
    return not tables and log == (None,)


def clear_postgres(url: str) -> None:
    """Takes away what a restore that was broken off had put there."""
    import psycopg

    with psycopg.connect(url, connect_timeout=10) as connection:
        connection.execute("DROP SCHEMA IF EXISTS lofte_evidence CASCADE")
        for table, _ in connection.execute(_TABLES).fetchall():
            connection.execute(f'DROP TABLE public."{table}" CASCADE'.encode())


def fill_postgres(url: str, folder: Path, tables: Mapping[str, Held], told: Told) -> None:
    """Puts the rows into tables that were just made, all or nothing. What the migrations had put there goes."""
    import psycopg

    with psycopg.connect(url, connect_timeout=10) as connection, connection.cursor() as cursor:
        there = [table for table, _ in cursor.execute(_TABLES).fetchall()]
        quoted = ", ".join(f'public."{table}"' for table in there)
        cursor.execute(f"TRUNCATE {quoted}".encode())
        for number, (name, held) in enumerate(sorted(tables.items()), 1):
            sql = f"COPY {_named(name.removesuffix(_SUFFIX), held.columns)} FROM STDIN".encode()
            with cursor.copy(sql) as into, (folder / name).open("rb") as body:
                while chunk := body.read(1 << 20):
                    into.write(chunk)
            told(number, len(tables))
        for table, column in cursor.execute(_IDENTITIES).fetchall():
            newest = cursor.execute(f'SELECT max("{column}") FROM public."{table}"'.encode()).fetchone()  # noqa: S608  # ours
            if newest and newest[0] is not None:
                cursor.execute(
                    "SELECT setval(pg_get_serial_sequence(%s, %s), %s)", (f'public."{table}"', column, newest[0])
                )


# --- reading single tables of a copy, whatever the engine ------------------------------------------------------------


def rows(
    folder: Path, store: str, table: str, columns: tuple[str, ...], tables: Mapping[str, Held]
) -> Iterator[tuple[Any, ...]]:
    """The rows of a table of a copied store: ``rows(copy, "register/register", "core_person", ("id",), manifest.files)``."""
    file = folder / f"{store}.sqlite3"
    if file.exists():
        with closing(open_still(file)) as copy:
            sql = f"SELECT {', '.join(columns)} FROM {table}"  # noqa: S608  # names of ours
            yield from copy.execute(sql)
        return
    name = f"{store}/{table}{_SUFFIX}"
    places = [tables[name].columns.index(column) for column in columns]
    with (folder / name).open("rb") as body:
        for line in body:
            cells = line.rstrip(b"\n").split(b"\t")
            yield tuple(_cell(cells[place]) for place in places)


def _cell(text: bytes) -> str | bytes:
    """COPY's text form, as far as ids, words and bytes need it: a bytea is written ``\\x…``, its backslash doubled."""
    return bytes.fromhex(text[3:].decode()) if text.startswith(b"\\\\x") else text.decode()


def as_uuid(value: Any) -> UUID:
    return UUID(str(value))


def count_lines(file: Path) -> int:
    with file.open("rb") as body:
        return sum(chunk.count(b"\n") for chunk in iter(lambda: body.read(1 << 20), b""))
