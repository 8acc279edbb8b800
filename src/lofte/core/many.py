"""Statements about very many rows at once, past the objects that a single row is worth.

What a sweep does to thousands of people is a few statements a table; made of model objects, the objects would cost more than
the statements. Everything here says in plain SQL what the ORM says elsewhere, on SQLite and PostgreSQL alike.
"""

import json
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, TypeVar
from uuid import UUID

from django.db import connections
from django.db.models import BinaryField, DateTimeField, Field, ForeignKey, JSONField, Model, UUIDField
from django.db.models.expressions import RawSQL

T = TypeVar("T")
_AT_ONCE = 2_000  # rows of an answer that are in memory at a time


def among(ids: Iterable[UUID], using: str = "default") -> RawSQL:
    """The ids as one parameter: ``filter(person_id__in=among(people))``. A mark for each of a thousand costs milliseconds."""
    sql = "SELECT value FROM json_each(%s)" if _is_sqlite(using) else "SELECT unnest(%s::uuid[])"
    return RawSQL(sql, [_text(ids, using)])  # noqa: S611  # one of two texts of ours


def _is_among(by: str, ids: Iterable[UUID], using: str) -> tuple[str, str]:
    """The condition that a column is one of the ids, and its parameter. PostgreSQL plans this well of tables it knows little of."""
    within = "IN (SELECT value FROM json_each(%s))" if _is_sqlite(using) else "= ANY (%s::uuid[])"
    return f"{by} {within}", _text(ids, using)


def _is_sqlite(using: str) -> bool:
    return connections[using].vendor == "sqlite"


def _text(ids: Iterable[UUID], using: str) -> str:
    """The ids as one text, for a driver that would take each of them in hand: JSON, or an array as PostgreSQL writes it."""
    said = ids.said if isinstance(ids, Batch) else _said(ids)
    return f"[{said}]" if _is_sqlite(using) else f"{{{said}}}"


def _said(ids: Iterable[UUID]) -> str:
    return f'"{found}"' if (found := '","'.join([each.hex for each in ids])) else ""


class Batch(dict[UUID, T]):
    """What is known of each of some people (or orders) that many statements are asked about: the asking is made once.

    Not changed once it has been asked with.
    """

    @cached_property
    def said(self) -> str:
        return _said(self)


def among_texts(texts: Iterable[str], using: str = "default") -> RawSQL:
    """As `among`, of hashes and other texts."""
    if _is_sqlite(using):
        return RawSQL("SELECT value FROM json_each(%s)", [json.dumps(list(texts))])  # a text of ours
    return RawSQL("SELECT unnest(%s::text[])", [_array(map(_element, texts))])  # a text of ours


def stored(ids: Iterable[UUID]) -> dict[Any, UUID]:
    """Each id by what `rows_of` calls it, so that a row needs no new one made."""
    return {each.hex: each for each in ids}


def id_of(stored: str) -> UUID:
    """An id as `rows_of` gave it."""
    return UUID(hex=stored)


def bytes_of(stored: str) -> bytes:
    """The sixteen bytes of an id as `rows_of` gave it."""
    return bytes.fromhex(stored)


def instant(stored: str) -> datetime:
    """An instant as `rows_of` gave it. SQLite has no type for it: Django writes UTC without saying so."""
    found = datetime.fromisoformat(stored)
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)


def stored_instant(at: datetime | None, using: str = "default") -> str | None:
    """An instant as `rows_of` would give it."""
    if at is None:
        return None
    text = str(at.astimezone(UTC).replace(tzinfo=None) if at.tzinfo is not UTC else at.replace(tzinfo=None))
    if _is_sqlite(using):
        return text
    return f"{text.rstrip('0') if '.' in text else text}+00"


def rows_of(
    model: type[Model], columns: Sequence[str], by: str, ids: Collection[UUID], also: str = "", using: str = "default",
    *, locked: bool = False,
) -> Iterator[tuple[Any, ...]]:  # fmt: skip
    """These columns of the rows whose column ``by`` is among the ids: ids and instants as texts (see `stored`, `instant`).

    ``also`` is a further condition, in SQL of ours. ``locked``: nobody else changes them before this transaction ends.
    """
    names, table = ", ".join(f'"{each}"' for each in columns), model._meta.db_table
    # SQLite's transactions have the whole database to themselves from their beginning.
    lock = " FOR UPDATE" if locked and connections[using].features.has_select_for_update else ""
    for some in _pieces(ids):
        condition, asked = _is_among(by, some, using)
        more = f" AND {also}" if also else ""
        sql = f"SELECT {names} FROM {table} WHERE {condition}{more}{lock}"  # noqa: S608  # names of ours
        yield from select(model, columns, sql, [asked], using=using)


def counted(
    model: type[Model], columns: Sequence[str], by: str, ids: Collection[UUID], using: str = "default"
) -> Iterator[tuple[Any, ...]]:
    """As `rows_of`, rows that are the same in these columns once, with how many there are; ``by`` should be one of the columns."""
    names, table = ", ".join(f'"{each}"' for each in columns), model._meta.db_table
    for some in _pieces(ids):
        condition, asked = _is_among(by, some, using)
        sql = f"SELECT {names}, count(*) AS n FROM {table} WHERE {condition} GROUP BY {names}"  # noqa: S608  # names of ours
        yield from select(model, columns, sql, [asked], "n", using=using)


def _pieces(ids: Collection[UUID]) -> Iterator[Collection[UUID]]:
    """What is asked for at once: the answer comes in one piece."""
    if len(ids) <= _AT_ONCE:
        yield ids
        return
    every = list(ids)
    for start in range(0, len(every), _AT_ONCE):
        yield every[start : start + _AT_ONCE]


def select(
    model: type[Model], columns: Sequence[str], sql: str, asked: Sequence[Any], *more: str, using: str = "default"
) -> Iterator[tuple[Any, ...]]:
    """The rows of a statement of ours that gives these columns, and ``more`` that are numbers; ids and instants as texts.

    The database gives them as one text. A driver takes every value of every row in hand, and lets other threads have the
    interpreter between any two rows, which costs more than the statement.
    """
    fields = {each.column: each for each in model._meta.concrete_fields}
    is_sqlite = _is_sqlite(using)
    cells = ", ".join([*(_cell(fields[each], is_sqlite=is_sqlite) for each in columns), *more])
    together = f"json_group_array(json_array({cells}))" if is_sqlite else f"json_agg(json_build_array({cells}))::text"
    with connections[using].cursor() as cursor:
        cursor.execute(f"SELECT {together} FROM ({sql}) AS found", asked)  # noqa: S608  # texts of ours
        (text,) = cursor.fetchone()
    binary = [place for place, each in enumerate(columns) if isinstance(fields[each], BinaryField)]
    for row in json.loads(text or "[]"):
        for place in binary:
            row[place] = None if row[place] is None else bytes.fromhex(row[place])
        yield tuple(row)


def _cell(field: "Field[Any, Any]", *, is_sqlite: bool) -> str:
    name, field = f'"{field.column}"', field.target_field if isinstance(field, ForeignKey) else field
    if isinstance(field, BinaryField):
        return f"CASE WHEN {name} IS NOT NULL THEN hex({name}) END" if is_sqlite else f"encode({name}, 'hex')"
    if is_sqlite:
        return name
    if isinstance(field, UUIDField):
        return f"encode(uuid_send({name}), 'hex')"
    return f"{name}::text" if isinstance(field, DateTimeField) else name


def delete(model: type[Model], by: str, ids: Collection[UUID], using: str = "default") -> Counter[str]:
    """Delete the rows whose column ``by`` is among the ids; how many of each, by what `rows_of` calls it (`stored`).

    Inside the caller's transaction.
    """
    condition, asked = _is_among(by, ids, using)
    table = model._meta.db_table
    with connections[using].cursor() as cursor:
        if _is_sqlite(using):  # which gives no sums of what it deletes, and lets nobody in between
            counted = f"SELECT {by} AS whose, count(*) AS n FROM {table} WHERE {condition} GROUP BY {by}"  # noqa: S608  # names of ours
            cursor.execute(f"SELECT json_group_object(whose, n) FROM ({counted})", [asked])  # noqa: S608  # as above
            if found := json.loads(cursor.fetchone()[0]):
                cursor.execute(f"DELETE FROM {table} WHERE {condition}", [asked])  # noqa: S608  # as above
            return Counter(found)
        gone = f"DELETE FROM {table} WHERE {condition} RETURNING {by}"  # noqa: S608  # names of ours
        each = f"SELECT encode(uuid_send({by}), 'hex') AS whose, count(*) AS n FROM gone GROUP BY {by}"  # noqa: S608  # as above
        sums = f"SELECT json_object_agg(whose, n)::text FROM ({each}) AS counted"  # noqa: S608  # as above
        cursor.execute(f"WITH gone AS ({gone}) {sums}", [asked])
        return Counter(json.loads(cursor.fetchone()[0] or "{}"))


def write(model: type[Model], rows: Iterable[Mapping[str, Any]], conflicts: str = "", using: str = "default") -> None:
    """Insert rows given by field name; what is not named has its default, one for all. ``conflicts`` follows ON CONFLICT.

    Inside the caller's transaction. Raises IntegrityError as any insert.
    """
    fields, table = model._meta.concrete_fields, model._meta.db_table
    names, after = ", ".join(f'"{each.column}"' for each in fields), f" ON CONFLICT {conflicts}" if conflicts else ""
    columns = [(each.attname, _saved(each, using)) for each in fields]
    lines = [[saved(row.get(name, _UNSAID)) for name, saved in columns] for row in rows]
    with connections[using].cursor() as cursor:
        if connections[using].vendor == "sqlite":
            marks = ", ".join(["%s"] * len(fields))
            cursor.executemany(f"INSERT INTO {table} ({names}) VALUES ({marks}){after}", lines)  # noqa: S608  # names of ours
        elif lines:
            sql = f"INSERT INTO {table} ({names}) SELECT * FROM {_lists(fields, using)}{after}"  # noqa: S608  # as above
            cursor.execute(sql, [_array(each) for each in zip(*lines, strict=True)])


def update(
    model: type[Model], columns: Sequence[str], rows: Collection[tuple[Any, ...]], only: str = "", using: str = "default"
) -> None:  # fmt: skip
    """Write these columns of many rows, each with values of its own; the last of each is the row's id.

    ``only`` is a further condition, in SQL of ours. Inside the caller's transaction.
    """
    known = {each.column: each for each in model._meta.concrete_fields}
    fields, table = [*(known[each] for each in columns), _key(model)], model._meta.db_table
    ready = [_saved(each, using) for each in fields]
    lines = [[saved(value) for saved, value in zip(ready, row, strict=True)] for row in rows]
    condition = f" AND {only}" if only else ""
    with connections[using].cursor() as cursor:
        if connections[using].vendor == "sqlite":
            told = ", ".join(f'"{each}" = %s' for each in columns)
            cursor.executemany(f"UPDATE {table} SET {told} WHERE id = %s{condition}", lines)  # noqa: S608  # names of ours
        elif lines:
            told = ", ".join(f'"{each}" = said.c{place}' for place, each in enumerate(columns))
            asked = ", ".join(f"c{place}" for place in range(len(fields)))
            cursor.execute(
                f"UPDATE {table} SET {told} FROM {_lists(fields, using)} AS said ({asked}) "  # noqa: S608  # names of ours
                f"WHERE {table}.id = said.c{len(columns)}{condition}",
                [_array(each) for each in zip(*lines, strict=True)],
            )


def _key(model: type[Model]) -> "Field[Any, Any]":
    assert model._meta.pk is not None
    return model._meta.pk


def _lists(fields: Sequence["Field[Any, Any]"], using: str) -> str:
    """Rows as PostgreSQL takes them in one parameter a column: a statement for each would be most of the work."""
    kinds = [str(each.db_type(connections[using])) for each in fields]
    # A cast to a length would cut off what is longer; the column itself refuses it.
    lists = [f"%s::{'text' if kind.startswith('varchar') else kind}[]" for kind in kinds]
    return f"unnest({', '.join(lists)})"


def _array(elements: Iterable[str]) -> str:
    """An array as PostgreSQL writes it; its driver would take each value in hand."""
    return f"{{{','.join(elements)}}}"


def _element(value: Any) -> str:
    """A value in an array as PostgreSQL writes it."""
    if value is None:
        return "NULL"
    if isinstance(value, bytes | memoryview):
        return f'"\\\\x{bytes(value).hex()}"'
    if isinstance(value, datetime):
        return f'"{value.isoformat()}"'
    return '"' + str(value).replace("\\", "\\\\").replace('"', '\\"') + '"'


_UNSAID, _NOTHING = object(), object()


def _saved(field: "Field[Any, Any]", using: str) -> Callable[[Any], Any]:
    """How the field's values go into the database. Many rows in turn share a value, an instant say: it is made ready once."""
    connection, before, ready = connections[using], _NOTHING, None
    is_sqlite = _is_sqlite(using)

    def prepared(value: Any) -> Any:
        given = field.get_default() if value is _UNSAID else value
        if isinstance(field, UUIDField):
            given = given.hex if given is not None else None
        elif isinstance(field, JSONField) and given is not None:
            given = json.dumps(given, cls=field.encoder)
        elif is_sqlite or not isinstance(field, BinaryField):
            given = field.get_db_prep_save(given, connection)
        return given if is_sqlite else _element(given)

    def saved(value: Any) -> Any:
        nonlocal before, ready
        if value is not before:
            ready = prepared(value)
            before = value
        return ready

    return saved
