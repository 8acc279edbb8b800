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
    bound_values: dict[tuple[str, bool], sa.BindParameter[Any]] = {}
    questions: list[tuple[str, str, sa.ColumnElement[int]]] = []
    for column in table.columns:
        if isinstance(column.type, _NEVER):
            continue
        asked = [each for each in wanted if _is_asked(each, name, column, schema, shapes)]
        for form in dict.fromkeys(each.form for each in asked):
            tests = list(_tests(column, [each for each in asked if each.form == form], dialect, bound_values))
            if tests:
                count = sa.func.coalesce(sa.func.sum(sa.case((sa.or_(*tests), 1), else_=0)), 0)
                questions.append((column.name, form, count))
    for start in range(0, len(questions), _COLUMNS_A_QUERY):
        part = questions[start : start + _COLUMNS_A_QUERY]
        query = sa.select(*(count.label(f"c{place}") for place, (_, _, count) in enumerate(part))).select_from(table)
        row = connection.execute(query).one()
        for (column_name, form, _), count in zip(part, row, strict=True):
            if count:
                yield Hit(name, column_name, form, int(count))


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
    dialect: str,
    known: dict[tuple[str, bool], sa.BindParameter[Any]],
) -> Iterator[sa.ColumnElement[bool]]:
    is_binary, is_number = (
        isinstance(column.type, types.LargeBinary),
        isinstance(column.type, types.Numeric | types.Integer),
    )
    for each in needles:
        if is_number and not each.text.isdigit():
            continue
        if is_binary:
            if each.form != "digits":
                value = known.setdefault(
                    (each.text, True), sa.bindparam(None, each.text.encode(), type_=types.LargeBinary, unique=True)
                )
                yield holds(column, value, dialect)
            continue
        value = known.setdefault((each.text, False), sa.bindparam(None, each.text, type_=types.Text, unique=True))
        text = lowered(column, dialect)
        yield holds(dialled(text) if each.form == "digits" else text, value, dialect)


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
