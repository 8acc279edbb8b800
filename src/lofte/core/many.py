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
from django.db.models import DateTimeField, Field, Model, UUIDField
from django.db.models.expressions import RawSQL

_INSTANT: "Field[Any, Any]" = DateTimeField()
T = TypeVar("T")
_AT_ONCE = 2_000  # rows of an answer that are in memory at a time


def among(ids: Iterable[UUID], using: str = "default") -> RawSQL:
    """The ids as one parameter: ``filter(person_id__in=among(people))``. A mark for each of a thousand costs milliseconds."""
    sql, asked = _among(ids, using)
    return RawSQL(sql, [asked])  # noqa: S611  # one of two texts of ours


def _among(ids: Iterable[UUID], using: str) -> tuple[str, Any]:
    if connections[using].vendor == "sqlite":
        return "SELECT value FROM json_each(%s)", ids.as_text if isinstance(ids, Batch) else _text(ids)
    return "SELECT unnest(%s::uuid[])", list(ids)


def _text(ids: Iterable[UUID]) -> str:
    return f'["{found}"]' if (found := '","'.join([each.hex for each in ids])) else "[]"


class Batch(dict[UUID, T]):
    """What is known of each of some people (or orders) that many statements are asked about: the asking is made once.

    Not changed once it has been asked with.
    """

    @cached_property
    def as_text(self) -> str:
        return _text(self)


def among_texts(texts: Iterable[str], using: str = "default") -> RawSQL:
    """As `among`, of hashes and other texts."""
    asked = list(texts)
    if connections[using].vendor == "sqlite":
        return RawSQL("SELECT value FROM json_each(%s)", [json.dumps(asked)])  # a text of ours
    return RawSQL("SELECT unnest(%s::text[])", [asked])  # a text of ours


def stored(ids: Iterable[UUID], using: str = "default") -> dict[Any, UUID]:
    """Each id by what the database calls it, so that a row needs no new one made."""
    if connections[using].features.has_native_uuid_field:
        return {each: each for each in ids}
    return {each.hex: each for each in ids}


def id_of(stored: Any) -> UUID:
    """An id as the driver gave it."""
    return stored if isinstance(stored, UUID) else UUID(hex=stored)


def bytes_of(stored: Any) -> bytes:
    """The sixteen bytes of an id as the driver gave it."""
    return stored.bytes if isinstance(stored, UUID) else bytes.fromhex(stored)


def instant(stored: Any) -> datetime:
    """An instant as the driver gave it."""
    if isinstance(stored, str):  # SQLite has no type for it: Django writes UTC without saying so
        return datetime.fromisoformat(stored).replace(tzinfo=UTC)
    assert isinstance(stored, datetime)
    return stored


def stored_instant(at: datetime | None, using: str = "default") -> Any:
    """An instant as the driver would give it."""
    if at is not None and at.tzinfo is UTC and connections[using].vendor == "sqlite":
        return str(at.replace(tzinfo=None))
    return _INSTANT.get_db_prep_value(at, connections[using])


def rows_of(
    model: type[Model], columns: Sequence[str], by: str, ids: Collection[UUID], also: str = "", using: str = "default",
    *, locked: bool = False,
) -> Iterator[tuple[Any, ...]]:  # fmt: skip
    """These columns of the rows whose column ``by`` is among the ids, as the database's driver gives them.

    ``also`` is a further condition, in SQL of ours. ``locked``: nobody else changes them before this transaction ends.
    """
    inner, asked = _among(ids, using)
    names, table = ", ".join(_plain(model, each, using) for each in columns), model._meta.db_table
    condition = f" AND {also}" if also else ""
    # SQLite's transactions have the whole database to themselves from their beginning.
    lock = " FOR UPDATE" if locked and connections[using].features.has_select_for_update else ""
    with connections[using].cursor() as cursor:
        cursor.execute(f"SELECT {names} FROM {table} WHERE {by} IN ({inner}){condition}{lock}", [asked])  # noqa: S608  # names of ours
        while some := cursor.fetchmany(_AT_ONCE):
            yield from some


def counted(
    model: type[Model], columns: Sequence[str], by: str, ids: Collection[UUID], using: str = "default"
) -> Iterator[tuple[Any, ...]]:
    """As `rows_of`, rows that are the same in these columns once, with how many there are."""
    inner, asked = _among(ids, using)
    names = ", ".join(_plain(model, each, using) for each in columns)
    grouped = ", ".join(f'"{each}"' for each in columns)
    sql = f"SELECT {names}, count(*) FROM {model._meta.db_table} WHERE {by} IN ({inner}) GROUP BY {grouped}"  # noqa: S608  # names of ours
    with connections[using].cursor() as cursor:
        cursor.execute(sql, [asked])
        while some := cursor.fetchmany(_AT_ONCE):
            yield from some


def _plain(model: type[Model], column: str, using: str) -> str:
    """The column, past the reading of instants that Django teaches SQLite's driver: most are only compared."""
    field = next(each for each in model._meta.concrete_fields if each.column == column)
    is_instant = isinstance(field, DateTimeField) and connections[using].vendor == "sqlite"
    return f'CAST("{column}" AS TEXT)' if is_instant else f'"{column}"'


def delete(model: type[Model], by: str, ids: Collection[UUID], using: str = "default") -> Counter[Any]:
    """Delete the rows whose column ``by`` is among the ids; how many of each, by what the database calls it (`stored`)."""
    inner, asked = _among(ids, using)
    with connections[using].cursor() as cursor:
        cursor.execute(
            f"DELETE FROM {model._meta.db_table} WHERE {by} IN ({inner}) RETURNING {by}",  # noqa: S608  # names of ours
            [asked],
        )
        return Counter(each for (each,) in cursor.fetchall())


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
            cursor.execute(sql, [list(each) for each in zip(*lines, strict=True)])


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
                [list(each) for each in zip(*lines, strict=True)],
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


_UNSAID, _NOTHING = object(), object()


def _saved(field: "Field[Any, Any]", using: str) -> Callable[[Any], Any]:
    """How the field's values go into the database. Many rows in turn share a value, an instant say: it is made ready once."""
    connection, before, ready = connections[using], _NOTHING, None
    is_text = isinstance(field, UUIDField) and not connection.features.has_native_uuid_field

    def saved(value: Any) -> Any:
        nonlocal before, ready
        if value is not before:
            given = field.get_default() if value is _UNSAID else value
            ready = given.hex if is_text and given is not None else field.get_db_prep_save(given, connection)
            before = value
        return ready

    return saved
