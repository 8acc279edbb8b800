"""Searches a whole database for what is left of a person: every column of every table, mapped or not, one statement a table.

Counts only: which column, how many rows, in which form.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy import types
from sqlalchemy.engine import Connection

from lofte.connectors.sql import mapping as written
from lofte.connectors.sql.dialects import dialled, holds, lowered
from lofte.connectors.sql.forms import Needle, Reach
from lofte.connectors.sql.schema import Schema
from lofte.core.systems import Left
from lofte.rules.model import DataField

_COLUMNS_A_QUERY = 24  # wide tables take a few statements
_SHORTEST_HASH = 32
_NEVER = (types.Boolean, types.Date, types.DateTime, types.Time, types.Interval, types.Float)


@dataclass(frozen=True, slots=True)
class Hit:
    table: str
    column: str
    form: str
    count: int


def search(
    connection: Connection, schema: Schema, wanted: Sequence[Needle], shapes: Mapping[str, DataField]
) -> list[Hit]:
    """Everything that is found, judged by nobody yet."""
    hits: list[Hit] = []
    if wanted:
        for name, table in sorted(schema.tables.items()):
            hits += _in_table(connection, name, table, schema, wanted, shapes)
    return hits


def _in_table(
    connection: Connection, name: str, table: sa.Table, schema: Schema, wanted: Sequence[Needle],
    shapes: Mapping[str, DataField],
) -> Iterator[Hit]:  # fmt: skip
    dialect = connection.dialect.name
    asked = {
        column.name: [each for each in wanted if _is_asked(each, name, column, schema, shapes)]
        for column in table.columns
        if not isinstance(column.type, _NEVER)
    }
    columns = [column for column in table.columns if asked.get(column.name)]
    for start in range(0, len(columns), _COLUMNS_A_QUERY):
        part = columns[start : start + _COLUMNS_A_QUERY]
        texts = _prepared(table, part, asked, dialect)
        questions = [
            (
                column.name,
                form,
                _count(column, [each for each in asked[column.name] if each.form == form], texts, dialect),
            )
            for column in part
            for form in dict.fromkeys(each.form for each in asked[column.name])
        ]
        row = connection.execute(sa.select(*(count for *_, count in questions))).one()
        for (column_name, form, _), count in zip(questions, row, strict=True):
            if count:
                yield Hit(name, column_name, form, int(count))


def _prepared(
    table: sa.Table, columns: Sequence[sa.Column[Any]], asked: Mapping[str, Sequence[Needle]], dialect: str
) -> dict[tuple[str, bool], sa.ColumnElement[Any]]:
    """Each column as it is searched: bytes, small letters, digits among digits; worked out once a row and not once a needle."""
    ready: dict[tuple[str, bool], sa.ColumnElement[Any]] = {}
    for column in columns:
        if isinstance(column.type, types.LargeBinary):
            ready[column.name, False] = column
            continue
        ready[column.name, False] = lowered(column, dialect)
        if any(each.form == "digits" for each in asked[column.name]):
            ready[column.name, True] = dialled(ready[column.name, False], dialect)
    inner = sa.select(*(each.label(f"c{place}") for place, each in enumerate(ready.values()))).select_from(table)
    match dialect:  # what keeps the engine from working it out again for each needle
        case "postgresql":
            inner = inner.offset(0)
        case "sqlite":
            inner = inner.limit(-1)
    rows = inner.subquery()
    return dict(zip(ready, rows.columns, strict=True))


def _count(
    column: sa.Column[Any],
    needles: Sequence[Needle],
    texts: Mapping[tuple[str, bool], sa.ColumnElement[Any]],
    dialect: str,
) -> sa.ColumnElement[int]:
    tests = list(_tests(column, needles, texts, dialect)) or [sa.false()]
    return sa.func.coalesce(sa.func.sum(sa.case((sa.or_(*tests), 1), else_=0)), 0)


def _is_asked(
    needle: Needle, name: str, column: sa.Column[Any], schema: Schema, shapes: Mapping[str, DataField]
) -> bool:
    """Whether this column could only hold the value because of this person."""
    mapped = next((each for each in schema.mapped if each.name == name), None)
    if mapped is None or needle.reach is Reach.EVERYWHERE:
        return True
    if needle.reach is Reach.UNMAPPED:
        return False
    held = mapped.rules.columns.get(column.name)
    kind = shapes[held.field].kind if held and held.field in shapes else ""
    found_by = [field for field, columns in mapped.rules.find.items() if column.name in columns]
    return kind != needle.kind and not any(shapes[field].kind == needle.kind for field in found_by if field in shapes)


def _tests(
    column: sa.Column[Any],
    needles: Sequence[Needle],
    texts: Mapping[tuple[str, bool], sa.ColumnElement[Any]],
    dialect: str,
) -> Iterator[sa.ColumnElement[bool]]:
    is_binary, is_number = (
        isinstance(column.type, types.LargeBinary),
        isinstance(column.type, types.Numeric | types.Integer),
    )
    for each in needles:
        text = texts[column.name, each.form == "digits" and not is_binary]
        if is_binary and each.form != "digits":
            yield holds(text, sa.bindparam(None, each.text.encode(), type_=types.LargeBinary, unique=True), dialect)
        elif not is_binary and (each.text.isdigit() or not is_number):
            found = holds(text, sa.bindparam(None, each.text, type_=types.Text, unique=True), dialect)
            # The shortest hash has 32 letters: most columns need not be looked through for one.
            yield sa.and_(sa.func.length(text) >= _SHORTEST_HASH, found) if each.form == "hashed" else found


def judged(hits: Sequence[Hit], mapping: written.Mapping, kept: Mapping[str, tuple[int, str]]) -> list[Left]:
    """Each hit with what exempts it: a named reason, or rows of the person that a statute keeps, and no more than those."""
    left = []
    for hit in hits:
        where = f"{hit.table}.{hit.column}"
        if named := mapping.exempt.get(where) or mapping.exempt.get(hit.table):
            left.append(Left(where, hit.count, hit.form, named))
            continue
        allowed, law = kept.get(where) or kept.get(hit.table) or (0, "")
        exempt = min(hit.count, allowed)
        left += [Left(where, exempt, hit.form, law)] if exempt else []
        left += [Left(where, hit.count - exempt, hit.form)] if hit.count > exempt else []
    return left
