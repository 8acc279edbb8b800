"""One connected SQL database: finds a person along its foreign keys, copies, erases and corrects, and reads back what it did.

Finding is one statement a table; acting is one transaction. What was found is remembered by row key before anything is done, so
that reading back looks at those very rows, whatever the act did to the columns they were found by.
"""

import hashlib
import secrets
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from lofte.connectors.sql import forms, residue, scan
from lofte.connectors.sql import mapping as written
from lofte.connectors.sql.cells import as_json, from_json, shown
from lofte.connectors.sql.dialects import dialled, engine_for, lowered, reading, settle, talking, trimmed
from lofte.connectors.sql.schema import Bound, Schema, bind, read_tables, typed
from lofte.core import clock, publication
from lofte.core.systems import LIFTED, Act, Change, Found, Kept, Left, Record, Value, Who
from lofte.kernel.problems import Problem
from lofte.rules.model import DataField, Policy

SHARED = "it holds another person's data too"
_CHUNK = 400  # keys a statement
_CHECK_EVERY = timedelta(hours=24)  # the schema and its columns are looked at again: somebody may have added one
_FEWEST_LETTERS = 1


@dataclass(frozen=True, slots=True)
class Row:
    """One row of one person: its key, and the mapped columns as they are now."""

    key: tuple[Any, ...]
    values: Mapping[str, Any]
    is_shared: bool = False


@dataclass(slots=True)
class _Walk:
    """What one look through the database has found so far, by table."""

    rows: dict[str, list[Row]] = field(default_factory=dict)


def connect(system: str, file: Path) -> "SqlSource":
    """What `lofte.connectors` calls: the source of a mapping file. Raises Problem; the database is not asked yet."""
    mapping, tree = written.read_file(file)
    return SqlSource(system, mapping, tree)


class SqlSource:
    """`lofte.core.systems.Connector` over a mapping. Starts at the first act, and refuses to act while anything does not fit."""

    def __init__(self, system: str, mapping: written.Mapping, tree: Any) -> None:
        self.system = system
        self.mapping = mapping
        self._tree = tree
        self._schema: Schema | None = None
        self._checked_at: datetime | None = None
        self._starting = threading.Lock()

    # --- starting ---------------------------------------------------------------------------------------------------

    def check(self, policy: Policy | None = None) -> list[Problem]:
        policy = policy or publication.current().policy
        engine = self._engine(read_only=True)
        with talking("reading the schema"):
            schema = bind(self.mapping, self._tree, read_tables(engine))
        found = [*written.against_policy(self.system, self.mapping, self._tree, policy), *schema.problems]
        with talking("looking for unmapped columns"):
            found += scan.unmapped(engine, self.mapping, schema, self._tree.file)
        self._schema = schema if not found else None
        return found

    def start(self) -> Schema:
        """The bound schema. Raises the first Problem when something does not fit."""
        with self._starting:
            now = clock.now()
            if self._schema is None or self._checked_at is None or now - self._checked_at > _CHECK_EVERY:
                if problems := self.check():
                    raise problems[0]
                self._checked_at = now
            assert self._schema is not None
            return self._schema

    def _engine(self, *, read_only: bool) -> Engine:
        return engine_for(written.url_in(self.mapping.url_from), self.mapping.url_from, read_only=read_only)

    # --- the connector ----------------------------------------------------------------------------------------------

    def takes(self, what: str, purpose: str) -> bool:
        tables = self.mapping.tables.values()
        if what == "withdraw":
            return any(purpose in each.withdrawn for each in tables)
        if what == "restrict":
            return any(each.released if purpose == LIFTED else each.restricted for each in tables)
        return True

    def find(self, who: Who) -> Found:
        schema = self.start()
        with talking("finding a person"), reading(self._engine(read_only=True)) as connection:
            return self._found(schema, self._walk(connection, schema, who))

    def export(self, act: Act) -> list[Record]:
        schema = self.start()
        with talking("copying a person's rows"), reading(self._engine(read_only=True)) as connection:
            walk = self._walk(connection, schema, act.who)
        return [
            Record(bound.name, self._values(bound, row))
            for bound in schema.mapped
            if bound.rules.columns
            for row in walk.rows[bound.name]
        ]

    def erase(self, act: Act, found: Found) -> None:
        schema, engine = self.start(), self._engine(read_only=False)
        with talking("erasing"), engine.begin() as connection:
            keys = self._keys(connection, schema, self._walk(connection, schema, act.who), found)
            for bound in schema.mapped:
                if bound.rules.erase == "clear":
                    self._clear(connection, bound, keys[bound.name])
            for bound in _children_first(schema):
                self._delete(connection, bound, keys[bound.name])
        with talking("closing the files"):
            settle(engine)

    def correct(self, act: Act, found: Found) -> None:
        schema, change = self.start(), act.change
        if change is None:
            raise Problem("obligation.no-change", "a correction says what is right", status=500)
        with talking("correcting"), self._engine(read_only=False).begin() as connection:
            walk = self._walk(connection, schema, act.who)
            for bound in schema.mapped:
                for row in self._known(connection, bound, walk, found):
                    if wrong := self._wrong_columns(bound, row, change):
                        fresh = {name: self._as_column(bound, name, change.new) for name in wrong}
                        fresh |= _emptied(bound, wrong) if not change.new else {}
                        connection.execute(sa.update(bound.table).where(_is_row(bound, row.key)).values(fresh))

    def mark(self, act: Act, found: Found) -> None:
        schema = self.start()
        with talking("carrying a decision into the database"), self._engine(read_only=False).begin() as connection:
            keys = self._keys(connection, schema, self._walk(connection, schema, act.who), found)
            for bound in schema.mapped:
                if marks := _marks(bound, act):
                    for chunk in _chunks(sorted(keys[bound.name], key=repr)):
                        connection.execute(sa.update(bound.table).where(_are_rows(bound, chunk)).values(marks))

    def verify(self, act: Act, found: Found, exported: list[Record]) -> list[Left]:
        schema = self.start()
        with talking("reading back"), reading(self._engine(read_only=True)) as connection:
            walk = self._walk(connection, schema, act.who)
            match act.what:
                case "erase":
                    left = list(self._still_there(connection, schema, walk, found))
                case "correct":
                    left = list(self._still_wrong(connection, schema, walk, found, act.change))
                case "export":
                    return list(self._not_exported(schema, walk, exported))
                case _:
                    return list(self._still_unmarked(connection, schema, walk, found, act))
        return [*left, *self.search(act.who, found)] if act.what == "erase" else left

    def search(self, who: Who, found: Found) -> list[Left]:
        schema = self.start()
        values = [*who.values, *((name, value) for name, value in (found.memory or {}).get("values", []))]
        wanted = forms.needles(values, self._shapes(), self.mapping.country)
        with talking("searching"), reading(self._engine(read_only=True)) as connection:
            walk = self._walk(connection, schema, who)
            hits = residue.search(connection, schema, wanted, self._shapes())
        return residue.judged(hits, self.mapping, _kept_rows(schema, walk, self._remembered(found)))

    # --- finding ----------------------------------------------------------------------------------------------------

    def _walk(self, connection: Connection, schema: Schema, who: Who) -> _Walk:
        walk, raw = _Walk(), dict[str, list[Mapping[str, Any]]]()
        for bound in schema.mapped:
            raw[bound.name] = self._rows_of(connection, bound, raw, who)
            rows = [Row(tuple(each[name] for name in bound.key), each) for each in raw[bound.name]]
            walk.rows[bound.name] = rows
        for bound in schema.mapped:
            if bound.is_held and walk.rows[bound.name]:
                shared = _shared(connection, bound, schema, walk)
                walk.rows[bound.name] = [Row(row.key, row.values, row.key in shared) for row in walk.rows[bound.name]]
        return walk

    def _rows_of(
        self, connection: Connection, bound: Bound, raw: Mapping[str, list[Mapping[str, Any]]], who: Who
    ) -> list[Mapping[str, Any]]:
        wanted = _columns_to_read(bound)
        found: dict[tuple[Any, ...], Mapping[str, Any]] = {}
        conditions = [self._is_theirs(bound, who, connection)] if bound.rules.find else []
        for hop in bound.hops:
            ends = {tuple(row[theirs] for _, theirs in hop.pairs) for row in raw[hop.table]}
            ends = {each for each in ends if None not in each}
            names = [ours for ours, _ in hop.pairs]
            conditions += [_among(bound, names, chunk) for chunk in _chunks(sorted(ends, key=repr))]
        for condition in _together(conditions):
            query = sa.select(*(bound.table.columns[name] for name in wanted)).where(condition)
            for values in connection.execute(query):
                row = dict(zip(wanted, values, strict=True))
                found[tuple(row[name] for name in bound.key)] = row
        return list(found.values())

    def _is_theirs(self, bound: Bound, who: Who, connection: Connection) -> sa.ColumnElement[bool]:
        """Found by the first column that names the person; by a weaker one only where the stronger ones are empty.

        A switchboard's number, or an address many share, never makes another person's row theirs.
        """
        dialect, matches = connection.dialect.name, list[sa.ColumnElement[bool]]()
        empty: list[sa.ColumnElement[bool]] = []
        for field_id, columns in bound.rules.find.items():
            values = [value for name, value in who.values if name == field_id and len(value) >= _FEWEST_LETTERS]
            texts = [lowered(bound.table.columns[name], dialect) for name in columns]
            hits = [hit for text in texts if (hit := self._equals(text, field_id, values, dialect)) is not None]
            if hits:
                matches.append(sa.and_(*empty, sa.or_(*hits)))
            empty += [sa.func.coalesce(trimmed(text), "") == "" for text in texts]
        return sa.or_(*matches) if matches else sa.false()

    def _equals(self, text: Any, field_id: str, values: Sequence[str], dialect: str) -> sa.ColumnElement[bool] | None:
        kind = self._shapes()[field_id].kind
        if kind == "email":
            written_forms = {form for value in values for form in forms.emails(value)}
            text = trimmed(text)
        elif kind == "phone":
            written_forms = {form for value in values for form in forms.phones(value, self.mapping.country)}
            text = dialled(text, dialect)
        else:
            written_forms = {value.strip().lower() for value in values} - {""}
            text = trimmed(text)
        return text.in_(sorted(written_forms)) if written_forms else None

    def _found(self, schema: Schema, walk: _Walk) -> Found:
        counts: dict[str, int] = {}
        kept: list[Kept] = []
        memory: dict[str, Any] = {"rows": {}, "values": []}
        for bound in schema.mapped:
            rows = walk.rows[bound.name]
            if not rows:
                continue
            goes = [row for row in rows if not row.is_shared]
            if bound.rules.erase == "keep":
                kept.append(Kept(bound.name, len(rows), bound.rules.law or ""))
            else:
                counts |= {bound.name: len(goes)} if goes else {}
                kept += [Kept(bound.name, len(rows) - len(goes), SHARED)] if len(goes) < len(rows) else []
            memory["rows"][bound.name] = [_remember(bound, row) for row in rows]
            if bound.rules.find:
                memory["values"] += self._own_values(bound, rows)
        return Found(counts, tuple(kept), memory)

    def _own_values(self, bound: Bound, rows: Iterable[Row]) -> list[list[str]]:
        """Values the source knows of the person and the register may not: they are searched for as well."""
        found = {
            (column.field, str(row.values[name]))
            for row in rows
            for name, column in bound.rules.columns.items()
            if row.values[name] not in (None, "")
        }
        return [list(each) for each in sorted(found)]

    # --- acting -----------------------------------------------------------------------------------------------------

    def _keys(
        self, connection: Connection, schema: Schema, walk: _Walk, found: Found
    ) -> dict[str, set[tuple[Any, ...]]]:
        """The rows to act upon: those found now, and those remembered that are still the same rows; never a shared one."""
        keys = {}
        for bound in schema.mapped:
            memory, seen = self._remembered(found).get(bound.name, {}), {row.key for row in walk.rows[bound.name]}
            keys[bound.name] = {
                row.key
                for row in self._known(connection, bound, walk, found)
                if not (row.is_shared or memory.get(row.key, {}).get("shared"))
                and (row.key in seen or _is_the_same(bound, row, memory[row.key]))
            }
        return keys

    def _remembered(self, found: Found) -> dict[str, dict[tuple[Any, ...], Any]]:
        rows = (found.memory or {}).get("rows", {})
        return {name: {tuple(map(from_json, row["key"])): row for row in each} for name, each in rows.items()}

    def _clear(self, connection: Connection, bound: Bound, keys: set[tuple[Any, ...]]) -> None:
        fixed, unique = _blank(bound)
        for chunk in _chunks(sorted(keys, key=repr)):
            if fixed:
                connection.execute(sa.update(bound.table).where(_are_rows(bound, chunk)).values(fixed))
            for key in chunk if unique else ():
                fresh = {name: mask.replace(written.UNIQUE, secrets.token_hex(6)) for name, mask in unique.items()}
                connection.execute(sa.update(bound.table).where(_is_row(bound, key)).values(fresh))

    def _delete(self, connection: Connection, bound: Bound, keys: set[tuple[Any, ...]]) -> None:
        own = [pair[0] for each in bound.references if each.table == bound.name for pair in each.pairs]
        loose = {name: None for name in own if bound.table.columns[name].nullable}
        for chunk in _chunks(sorted(keys, key=repr)):
            if loose:  # rows of the table that refer to each other
                connection.execute(sa.update(bound.table).where(_are_rows(bound, chunk)).values(loose))
        for chunk in _chunks(sorted(keys, key=repr)):
            connection.execute(sa.delete(bound.table).where(_are_rows(bound, chunk)))

    def _wrong_columns(self, bound: Bound, row: Row, change: Change) -> list[str]:
        """Columns of the field that hold the old value; in the table people are found in, its only column of the field anyway."""
        if bound.rules.erase == "keep":
            return []
        kind, country = self._shapes()[change.field].kind, self.mapping.country
        named = [
            name for name, each in bound.rules.columns.items() if each.field == change.field and each.erase != "keep"
        ]
        found_by = bound.rules.find.get(change.field, ())
        named += [name for name in found_by if name not in bound.rules.columns]
        is_only = bool(bound.rules.find) and len(named) == 1
        if not change.new:
            return [name for name in named if forms.same(kind, row.values[name], change.old, country)]
        return [
            name
            for name in named
            if not forms.same(kind, row.values[name], change.new, country)
            and (is_only or forms.same(kind, row.values[name], change.old, country))
        ]

    def _as_column(self, bound: Bound, name: str, text: str) -> Any:
        column = bound.table.columns[name]
        try:
            kind = column.type.python_type
        except NotImplementedError:
            return text
        if kind is int:
            digits = "".join(filter(str.isdigit, text))
            return int(digits) if digits else None
        return typed(column, text) if kind is not str else text

    # --- reading back -----------------------------------------------------------------------------------------------

    def _known(self, connection: Connection, bound: Bound, walk: _Walk, found: Found) -> list[Row]:
        """The rows as they are now: those found now, and those remembered that are still there."""
        rows = {row.key: row for row in walk.rows[bound.name]}
        gone_from_sight = [key for key in self._remembered(found).get(bound.name, {}) if key not in rows]
        wanted = _columns_to_read(bound)
        for chunk in _chunks(gone_from_sight):
            query = sa.select(*(bound.table.columns[name] for name in wanted)).where(_are_rows(bound, chunk))
            for values in connection.execute(query):
                row = dict(zip(wanted, values, strict=True))
                key = tuple(row[name] for name in bound.key)
                rows[key] = Row(key, row)
        return list(rows.values())

    def _still_there(self, connection: Connection, schema: Schema, walk: _Walk, found: Found) -> Iterator[Left]:
        remembered = self._remembered(found)
        for bound in schema.mapped:
            rows, memory = self._known(connection, bound, walk, found), remembered.get(bound.name, {})
            shared = [row for row in rows if row.is_shared or memory.get(row.key, {}).get("shared")]
            theirs = [row for row in rows if row not in shared]
            match bound.rules.erase:
                case "keep":
                    if rows:
                        yield Left(bound.name, len(rows), "row", bound.rules.law or "")
                    continue
                case "delete":
                    seen = {row.key for row in walk.rows[bound.name]}
                    theirs = [row for row in theirs if row.key in seen or _is_the_same(bound, row, memory[row.key])]
                    if theirs:
                        yield Left(bound.name, len(theirs), "row")
                case _:
                    yield from _not_cleared(bound, theirs)
            if shared:
                yield Left(bound.name, len(shared), "row", SHARED)

    def _still_wrong(
        self, connection: Connection, schema: Schema, walk: _Walk, found: Found, change: Change | None
    ) -> Iterator[Left]:
        assert change is not None
        for bound in schema.mapped:
            rows = self._known(connection, bound, walk, found)
            wrong = [name for row in rows for name in self._wrong_columns(bound, row, change)]
            yield from (Left(f"{bound.name}.{name}", wrong.count(name), "value") for name in sorted(set(wrong)))

    def _not_exported(self, schema: Schema, walk: _Walk, exported: list[Record]) -> Iterator[Left]:
        for bound in schema.mapped:
            there = len(walk.rows[bound.name]) if bound.rules.columns else 0
            given = sum(1 for each in exported if each.where == bound.name)
            if there > given:
                yield Left(bound.name, there - given, "row")

    def _still_unmarked(
        self, connection: Connection, schema: Schema, walk: _Walk, found: Found, act: Act
    ) -> Iterator[Left]:
        for bound in schema.mapped:
            marks = _marks(bound, act)
            rows = self._known(connection, bound, walk, found) if marks else []
            for name, value in marks.items():
                if count := sum(1 for row in rows if row.values[name] != value):
                    yield Left(f"{bound.name}.{name}", count, "value")

    # --- small ------------------------------------------------------------------------------------------------------

    def _shapes(self) -> Mapping[str, DataField]:
        return publication.current().policy.fields

    def _values(self, bound: Bound, row: Row) -> tuple[Value, ...]:
        return tuple(
            Value(name, column.field, bound.purpose(name), shown(row.values[name]))
            for name, column in bound.rules.columns.items()
            if row.values[name] is not None
        )


# --- rows and keys --------------------------------------------------------------------------------------------------


def _columns_to_read(bound: Bound) -> list[str]:
    """Key, mapped columns, and what paths and marks need: one statement a table serves every act."""
    names = [
        *bound.key,
        *bound.rules.columns,
        *(column for columns in bound.rules.find.values() for column in columns),
        *(ours for hop in bound.hops for ours, _ in hop.pairs),
        *(column for set_to in bound.rules.withdrawn.values() for column in set_to),
        *bound.rules.restricted,
        *bound.rules.released,
        *(theirs for reference in bound.references for _, theirs in reference.pairs),
        *bound.led_from,
        # Nothing personal to know a row again by: then everything in it.
        *(() if bound.rules.columns or bound.rules.find else bound.table.columns.keys()),
    ]
    return list(dict.fromkeys(names))


def _among(bound: Bound, names: Sequence[str], ends: Sequence[tuple[Any, ...]]) -> sa.ColumnElement[bool]:
    columns = [bound.table.columns[name] for name in names]
    if len(columns) == 1:
        return columns[0].in_([end[0] for end in ends])
    return sa.or_(*(sa.and_(*(column == value for column, value in zip(columns, end, strict=True))) for end in ends))


def _are_rows(bound: Bound, keys: Sequence[tuple[Any, ...]]) -> sa.ColumnElement[bool]:
    whole = [key for key in keys if None not in key]
    parts = [_among(bound, bound.key, whole)] if whole else []
    return sa.or_(*parts, *(_is_row(bound, key) for key in keys if None in key))


def _is_row(bound: Bound, key: tuple[Any, ...]) -> sa.ColumnElement[bool]:
    # == None becomes IS NULL
    return sa.and_(*(bound.table.columns[name] == value for name, value in zip(bound.key, key, strict=True)))


def _chunks(keys: Iterable[tuple[Any, ...]]) -> Iterator[list[tuple[Any, ...]]]:
    whole = list(keys)
    for start in range(0, len(whole), _CHUNK):
        yield whole[start : start + _CHUNK]


def _together(conditions: Sequence[sa.ColumnElement[bool]]) -> Iterator[sa.ColumnElement[bool]]:
    """One statement for what fits into one; more only where a person has very many rows."""
    for start in range(0, len(conditions), 4):
        yield sa.or_(*conditions[start : start + 4])


def _shared(connection: Connection, bound: Bound, schema: Schema, walk: _Walk) -> set[tuple[Any, ...]]:
    """Rows that rows of somebody else refer to as well: an address two people live at."""
    mapped = {each.name: each for each in schema.mapped}
    shared: set[tuple[Any, ...]] = set()
    for reference in bound.references:
        if reference.table == bound.name:
            continue
        table, other = schema.tables[reference.table], mapped.get(reference.table)
        own = {row.key for row in walk.rows[reference.table]} if other else set()
        theirs = [to for _, to in reference.pairs]
        columns = [table.columns[of] for of, _ in reference.pairs]
        keys = [table.columns[name] for name in other.key] if other else []
        by_end = {tuple(row.values[name] for name in theirs): row.key for row in walk.rows[bound.name]}
        for chunk in _chunks(by_end):
            ends = sa.or_(*(sa.and_(*(c == v for c, v in zip(columns, end, strict=True))) for end in chunk))
            for found in connection.execute(sa.select(*columns, *keys).where(ends)):
                end, key = tuple(found[: len(columns)]), tuple(found[len(columns) :])
                if other is None or key not in own:
                    shared.add(by_end[end])
    return shared


def _remember(bound: Bound, row: Row) -> dict[str, Any]:
    return {"key": [as_json(each) for each in row.key], "shared": row.is_shared, **_prints(bound, row)}


def _prints(bound: Bound, row: Row) -> dict[str, Any]:
    """By what a row is known again: a digest of each personal value, and one of everything that was read."""
    personal = {*bound.rules.columns, *(name for names in bound.rules.find.values() for name in names)}
    own = {name: _digest(row.values[name]) for name in sorted(personal) if row.values[name] not in (None, "")}
    return {"own": own, "whole": _digest([shown(value) for value in row.values.values()])}


def _digest(value: Any) -> str:
    return hashlib.blake2b(shown(value).encode(), digest_size=8).hexdigest()


def _is_the_same(bound: Bound, row: Row, memory: Mapping[str, Any]) -> bool:
    """Whether a row under a remembered key is the one remembered, and not a later one that was given the same number."""
    now = _prints(bound, row)
    if not memory["own"]:
        return bool(now["whole"] == memory["whole"])
    return any(memory["own"].get(name) == digest for name, digest in now["own"].items())


def _kept_rows(schema: Schema, walk: _Walk, remembered: Mapping[str, Any]) -> dict[str, tuple[int, str]]:
    """By table, or ``table.column``: how many rows of the person stay, and why."""
    kept = {}
    for bound in schema.mapped:
        rows, memory = walk.rows[bound.name], remembered.get(bound.name, {})
        shared = {row.key for row in rows if row.is_shared} | {key for key, each in memory.items() if each["shared"]}
        count = len({row.key for row in rows} | set(memory))
        if bound.rules.erase == "keep":
            kept[bound.name] = (count, bound.rules.law or "")
        elif shared:
            kept[bound.name] = (len(shared), SHARED)
        for name, column in bound.rules.columns.items():
            if column.law:
                kept[f"{bound.name}.{name}"] = (count, column.law)
    return kept


# --- what an erasure leaves in a cleared row --------------------------------------------------------------------------


def _blank(bound: Bound) -> tuple[dict[str, Any], dict[str, str]]:
    """What columns are set to: one value for all rows, or masks that differ from row to row."""
    fixed: dict[str, Any] = {}
    unique: dict[str, str] = {}
    for name, column in bound.rules.columns.items():
        match column.erase:
            case "keep":
                continue
            case "mask" if isinstance(column.mask, str) and written.UNIQUE in column.mask:
                unique[name] = column.mask
            case "mask":
                fixed[name] = typed(bound.table.columns[name], column.mask)
            case _:
                fixed[name] = None
    return fixed, unique


def _emptied(bound: Bound, names: Iterable[str]) -> dict[str, Any]:
    """What stands in columns after their value was removed: their mask, else nothing, else an empty text."""
    fixed, unique = _blank(bound)
    masks = {name: mask.replace(written.UNIQUE, secrets.token_hex(6)) for name, mask in unique.items()}
    return {name: masks.get(name, fixed.get(name)) if _may_be(bound, name, fixed, masks) else "" for name in names}


def _may_be(bound: Bound, name: str, fixed: Mapping[str, Any], masks: Mapping[str, str]) -> bool:
    return name in masks or fixed.get(name) is not None or bool(bound.table.columns[name].nullable)


def _not_cleared(bound: Bound, rows: Sequence[Row]) -> Iterator[Left]:
    fixed, unique = _blank(bound)
    for name, blank in fixed.items():
        if count := sum(1 for row in rows if row.values[name] != blank):
            yield Left(f"{bound.name}.{name}", count, "value")
    for name, mask in unique.items():
        before, _, after = mask.partition(written.UNIQUE)
        if count := sum(
            1
            for row in rows
            if not (str(row.values[name]).startswith(before) and str(row.values[name]).endswith(after))
        ):
            yield Left(f"{bound.name}.{name}", count, "value")


def _marks(bound: Bound, act: Act) -> dict[str, Any]:
    if act.what == "withdraw":
        set_to = bound.rules.withdrawn.get(act.purpose, {})
    else:
        set_to = bound.rules.released if act.purpose == LIFTED else bound.rules.restricted
    return {name: typed(bound.table.columns[name], value) for name, value in set_to.items()}


def _children_first(schema: Schema) -> Iterator[Bound]:
    """Tables whose rows go, each before those it refers to."""
    left = {each.name: each for each in schema.mapped if each.rules.erase == "delete"}
    while left:
        free = [
            name
            for name, each in left.items()
            if not any(reference.table in left and reference.table != name for reference in each.references)
        ]
        for name in free or list(left):
            yield left.pop(name)
