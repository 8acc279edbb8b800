"""Looks through samples of columns for what is personal and not mapped. Values are looked at one by one and kept nowhere."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy import types
from sqlalchemy.engine import Connection, Engine

from lofte.connectors.sql import mapping as written
from lofte.connectors.sql.detectors import Seen, look, telling_name
from lofte.connectors.sql.dialects import engine_for, reading, talking
from lofte.connectors.sql.mapping import url_in
from lofte.connectors.sql.schema import Schema, read_tables
from lofte.kernel.problems import Place, Problem

SAMPLE = 500  # values a column
_LONGEST = 4000  # letters of one value
_NEVER = (types.Boolean, types.Time, types.Interval, types.Float, types.LargeBinary, types.Uuid)
_DATES = (types.Date, types.DateTime)
_NUMBERS = (types.Integer, types.Numeric)


@dataclass(frozen=True, slots=True)
class Likely:
    """A column that looks personal, and what says so."""

    table: str
    column: str
    seen: tuple[Seen, ...]


def likely(engine: Engine, tables: dict[str, sa.Table], mapping: written.Mapping | None = None) -> Iterator[Likely]:
    """Columns that look personal and that the mapping, if there is one, says nothing of."""
    with reading(engine) as connection:
        for name, table in sorted(tables.items()):
            for column in table.columns:
                if mapping is None or not _is_answered(mapping, name, column.name):
                    found = _look(connection, table, column)
                    if found:
                        yield Likely(name, column.name, tuple(found))


def everything(variable: str) -> list[Likely]:
    """Every column of a database that looks personal; ``variable`` names where its address is."""
    engine = engine_for(url_in(variable), variable, read_only=True)
    with talking("scanning"):
        return list(likely(engine, read_tables(engine)))


def unmapped(engine: Engine, mapping: written.Mapping, schema: Schema, file: str) -> list[Problem]:
    """The same as Problems: with one of them the connector does not start."""
    return [
        Problem(
            "source.unmapped",
            f"`{each.table}.{each.column}` looks personal ({', '.join(map(str, each.seen))}) and is not mapped",
            Place(file, key=f"tables.{each.table}.columns.{each.column}"),
            law="GDPR 5(1)(a), 30(1)(c)",
            expected="the column under `columns`, or under `not_personal` with the reason",
            status=409,
        )
        for each in likely(engine, dict(schema.tables), mapping)
    ]


def _is_answered(mapping: written.Mapping, table: str, column: str) -> bool:
    if table in mapping.not_personal or f"{table}.{column}" in mapping.not_personal:
        return True
    rules = mapping.tables.get(table)
    if rules is None:
        return False
    found_by = [name for columns in rules.find.values() for name in columns]
    # Where the rows go as a whole, a column by which people are found needs no second line; elsewhere it does.
    return column in rules.columns or column in rules.not_personal or (column in found_by and rules.erase == "delete")


def _look(connection: Connection, table: sa.Table, column: sa.Column[Any]) -> list[Seen]:
    kind = "number" if isinstance(column.type, _NUMBERS) else "date" if isinstance(column.type, _DATES) else "text"
    if isinstance(column.type, _NEVER):
        return []
    named = telling_name(column.name, kind)
    if kind == "date":
        return [named] if named else []
    seen = look(_sample(connection, table, column))
    return seen or ([named] if named else [])


def _sample(connection: Connection, table: sa.Table, column: sa.Column[Any]) -> Iterator[str]:
    """Values that are there, cut to a length: an empty column has none, a rare one is looked at where it is filled."""
    query = sa.select(sa.func.substr(sa.cast(column, sa.Text), 1, _LONGEST)).where(column.is_not(None)).limit(SAMPLE)
    for (value,) in connection.execute(query):
        if value is not None and str(value).strip():
            yield str(value)
