"""Many rows to a statement: each SQLite statement lets go of the interpreter lock and must then queue for it again."""

import sqlite3
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import chain
from typing import Any


def insert_rows(connection: sqlite3.Connection, into: str, row: str, rows: Sequence[Sequence[Any]]) -> None:
    """`into` is ``INSERT INTO table (columns)``, `row` the question marks of one row: ``(?,?)``."""
    for chunk in _chunks(rows):
        connection.execute(_insert(into, row, len(chunk)), list(chain.from_iterable(chunk)))


def _chunks(rows: Sequence[Any]) -> Iterator[Sequence[Any]]:
    """Powers of two, largest first: few statements, and few different ones to keep prepared."""
    at, left = 0, len(rows)
    while left:
        step = 1 << left.bit_length() - 1
        yield rows[at : at + step]
        at, left = at + step, left - step


@cache
def _insert(into: str, row: str, count: int) -> str:
    return f"{into} VALUES {','.join([row] * count)}"
