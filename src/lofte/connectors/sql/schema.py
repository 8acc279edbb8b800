"""A mapping held against the real schema: tables, keys and paths as SQLAlchemy knows them, and everything that does not fit.

Reads the catalogue only. What it gives, `client` walks: tables in an order in which each comes after those it is found through.
"""

import re
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from lofte.connectors.sql import mapping as written
from lofte.kernel.problems import Problem
from lofte.rules.source import Tree

_SYSTEM_SCHEMAS = re.compile(r"pg_.*|information_schema|mysql|performance_schema|sys|crdb_internal")


@dataclass(frozen=True, slots=True)
class Hop:
    """One step of a path: pairs of (this table's column, the other's). ``held``: the other table's rows refer to these."""

    table: str
    pairs: tuple[tuple[str, str], ...]
    held: bool


@dataclass(frozen=True, slots=True)
class Reference:
    """A foreign key from another table to this one: its columns, ours, and what the database does when our row goes."""

    table: str
    pairs: tuple[tuple[str, str], ...]
    on_delete: str


@dataclass(frozen=True, slots=True)
class Bound:
    """One mapped table."""

    name: str
    table: sa.Table
    rules: written.Table
    key: tuple[str, ...]
    hops: tuple[Hop, ...]
    references: tuple[Reference, ...]
    led_from: tuple[str, ...] = ()  # columns along which other tables are found

    @property
    def is_held(self) -> bool:
        return any(hop.held for hop in self.hops)

    def purpose(self, column: str) -> str:
        return self.rules.columns[column].purpose or self.rules.purpose or ""


@dataclass(frozen=True, slots=True)
class Schema:
    """Every table by its name (``table``, or ``schema.table`` outside the default one), and the mapped ones in walking order."""

    tables: Mapping[str, sa.Table]
    mapped: tuple[Bound, ...] = ()
    problems: tuple[Problem, ...] = field(default=())

    def bound(self, name: str) -> Bound:
        return next(each for each in self.mapped if each.name == name)


def read_tables(engine: Engine) -> dict[str, sa.Table]:
    """Every table and materialised view of every schema but the server's own."""
    metadata, found = sa.MetaData(), dict[str, sa.Table]()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", sa.exc.SAWarning)  # a type SQLAlchemy does not know is searched as text
        with engine.connect() as connection:
            inspector = sa.inspect(connection)
            default = inspector.default_schema_name
            for name in _schemas(inspector, engine):
                metadata.reflect(
                    connection, schema=None if name == default else name, views=engine.dialect.name == "postgresql",
                    only=_only_stored(inspector, None if name == default else name, engine), resolve_fks=True,
                )  # fmt: skip
            if engine.dialect.name == "sqlite":
                _note_unique(inspector, metadata)
    for table in metadata.tables.values():
        schema = None if table.schema == default else table.schema
        found[f"{schema}.{table.name}" if schema else table.name] = table
    return found


def _note_unique(inspector: sa.Inspector, metadata: sa.MetaData) -> None:
    """SQLite tells of a column's own UNIQUE only by the index behind it."""
    for table in metadata.tables.values():
        indexes = inspector.get_indexes(table.name, include_auto_indexes=True)
        table.info["unique"] = [each["column_names"] for each in indexes if each["unique"]]


def _schemas(inspector: sa.Inspector, engine: Engine) -> list[str]:
    if engine.dialect.name != "postgresql":
        return [inspector.default_schema_name or "main"]
    return [name for name in inspector.get_schema_names() if not _SYSTEM_SCHEMAS.fullmatch(name)]


def _only_stored(inspector: sa.Inspector, schema: str | None, engine: Engine) -> list[str]:
    """Tables, and views that hold a copy; other views show what is searched anyway."""
    names = inspector.get_table_names(schema=schema)
    if engine.dialect.name == "postgresql":
        names = [*names, *inspector.get_materialized_view_names(schema=schema)]
    return names


def bind(mapping: written.Mapping, tree: Tree, tables: Mapping[str, sa.Table]) -> Schema:
    """The mapping on these tables, with every Problem; tables that cannot be bound are left out."""
    problems: list[Problem] = []
    bound = {
        name: _bound(name, mapping, tree, tables, problems)
        for name in mapping.tables
        if _is_there(name, tables, tree, problems)
    }
    for name, each in bound.items():
        ends = [
            theirs for other in bound.values() for hop in other.hops if hop.table == name for _, theirs in hop.pairs
        ]
        bound[name] = replace(each, led_from=tuple(dict.fromkeys(ends)))
    for each in bound.values():
        problems += _columns_wrong(each, tree)
        problems += _deletes_wrong(each, bound, tree)
    for name in mapping.not_personal:
        if not _names_something(name, tables):
            problems.append(_missing(tree, ("not_personal", name), name))
    for name in mapping.exempt:
        if not _names_something(name, tables):
            problems.append(_missing(tree, ("exempt", name), name))
    return Schema(tables, tuple(_in_order(bound)), tuple(problems))


def _bound(
    name: str, mapping: written.Mapping, tree: Tree, tables: Mapping[str, sa.Table], problems: list[Problem]
) -> Bound:
    rules, table = mapping.tables[name], tables[name]
    key = tuple(column.name for column in table.primary_key.columns) or tuple(rules.key)
    if not key:
        problems.append(
            _wrong(
                tree,
                ("tables", name),
                "the table has no primary key",
                "`key`: columns that name a row, or one person's rows",
            )
        )
    for column in rules.key:
        if column not in table.columns:
            problems.append(_missing(tree, ("tables", name, "key"), f"{name}.{column}"))
    hops = []
    for via in rules.via:
        if via.table in tables and (hop := _hop(name, via, tables, tree, problems)):
            hops.append(hop)
    return Bound(name, table, rules, key, tuple(hops), tuple(_references(table, tables)))


def _hop(
    name: str, via: written.Via, tables: Mapping[str, sa.Table], tree: Tree, problems: list[Problem]
) -> Hop | None:
    table, other, at = tables[name], tables[via.table], ("tables", name, "via")
    if via.columns:
        for ours, theirs in via.columns.items():
            if ours not in table.columns:
                problems.append(_missing(tree, at, f"{name}.{ours}"))
                return None
            if theirs not in other.columns:
                problems.append(_missing(tree, at, f"{via.table}.{theirs}"))
                return None
        pairs = tuple(via.columns.items())
        held = any(set(key) == set(pairs) for key in _keys_between(other, table, flip=True))
        return Hop(via.table, pairs, held)
    down, up = _keys_between(table, other), _keys_between(other, table, flip=True)
    if len(down) + len(up) == 1 or (len(down) == 1 and name == via.table):
        return Hop(via.table, (down or up)[0], not down)
    choices = [", ".join(f"{ours}: {theirs}" for ours, theirs in key) for key in [*down, *up]]
    detail = (
        f"no foreign key joins `{name}` and `{via.table}`"
        if not choices
        else f"more than one foreign key joins `{name}` and `{via.table}`"
    )
    expected = "via: { table, columns: { our column: their column } }" + (f": {' | '.join(choices)}" if choices else "")
    problems.append(_wrong(tree, at, detail, expected))
    return None


def _keys_between(table: sa.Table, other: sa.Table, *, flip: bool = False) -> list[tuple[tuple[str, str], ...]]:
    """Foreign keys from a table to another as pairs (from, to); flipped, (to, from)."""
    found = []
    for constraint in sorted(table.foreign_key_constraints, key=lambda each: [c.name for c in each.columns]):
        if constraint.referred_table is other:
            pairs = tuple((element.parent.name, element.column.name) for element in constraint.elements)
            found.append(tuple((to, of) for of, to in pairs) if flip else pairs)
    return found


def _references(table: sa.Table, tables: Mapping[str, sa.Table]) -> Iterator[Reference]:
    for name, other in tables.items():
        for constraint in other.foreign_key_constraints:
            if constraint.referred_table is table:
                pairs = tuple((element.parent.name, element.column.name) for element in constraint.elements)
                yield Reference(name, pairs, (constraint.ondelete or "NO ACTION").upper())


def _in_order(bound: Mapping[str, Bound]) -> Iterator[Bound]:
    """Each table after those it is found through; what can never be reached was reported already."""
    placed: set[str] = set()
    left = dict(bound)
    while left:
        ready = [
            name for name, each in left.items() if all(hop.table in placed or hop.table == name for hop in each.hops)
        ]
        for name in ready or list(left):
            placed.add(name)
            yield left.pop(name)


# --- what does not fit ----------------------------------------------------------------------------------------------


def _is_there(name: str, tables: Mapping[str, sa.Table], tree: Tree, problems: list[Problem]) -> bool:
    if name not in tables:
        problems.append(_missing(tree, ("tables", name), name))
    return name in tables


def _names_something(name: str, tables: Mapping[str, sa.Table]) -> bool:
    table, _, column = name.rpartition(".")
    return name in tables or (table in tables and column in tables[table].columns)


def _columns_wrong(bound: Bound, tree: Tree) -> Iterator[Problem]:
    at = ("tables", bound.name)
    rules, columns = bound.rules, bound.table.columns
    named = [
        *((("find", field_id), column) for field_id, found in rules.find.items() for column in found),
        *((("columns", column), column) for column in rules.columns),
        *((("not_personal", column), column) for column in rules.not_personal),
        *((("withdrawn", purpose), column) for purpose, set_to in rules.withdrawn.items() for column in set_to),
        *((("restricted", column), column) for column in rules.restricted),
        *((("released", column), column) for column in rules.released),
    ]
    for path, name in named:
        if name not in columns:
            yield _missing(tree, (*at, *path), f"{bound.name}.{name}")
    for purpose, set_to in rules.withdrawn.items():
        for name, value in set_to.items():
            if name in columns and (reason := _does_not_fit(columns[name], value)):
                yield _wrong(tree, (*at, "withdrawn", purpose, name), reason, f"a value for {columns[name].type}")
    for key, set_to in (("restricted", rules.restricted), ("released", rules.released)):
        for name, value in set_to.items():
            if name in columns and (reason := _does_not_fit(columns[name], value)):
                yield _wrong(tree, (*at, key, name), reason, f"a value for {columns[name].type}")
    if rules.erase == "clear":
        for name, held in rules.columns.items():
            if name in columns:
                yield from _clearing_wrong(bound, name, held, tree)


def _clearing_wrong(bound: Bound, name: str, held: written.Column, tree: Tree) -> Iterator[Problem]:
    column, at = bound.table.columns[name], ("tables", bound.name, "columns", name)
    if name in bound.key and held.erase != "keep":
        yield _wrong(
            tree, at, "the column is part of the row's key and cannot be cleared", "`erase: delete` for the table"
        )
    elif held.erase in (None, "clear") and not column.nullable:
        yield _wrong(tree, at, "the column must hold something", "`erase: mask` with a `mask`")
    elif held.erase == "mask":
        if reason := _does_not_fit(column, held.mask):
            yield _wrong(tree, (*at, "mask"), reason, f"a value for {column.type}")
        elif _is_unique(column) and written.UNIQUE not in str(held.mask):
            yield _wrong(
                tree, (*at, "mask"), "every value of this column must be another", f"{written.UNIQUE} in the mask"
            )


def _does_not_fit(column: sa.Column[Any], value: Any) -> str:
    """Why a value is not of the column's type; empty when it is."""
    if value is None:
        return "" if column.nullable else "the column must hold something"
    try:
        kind = column.type.python_type
    except NotImplementedError:
        kind = str
    if isinstance(column.type, sa.Enum):
        return "" if value in column.type.enums else "the column takes certain values only"
    if kind is str:
        length = getattr(column.type, "length", None)
        long = len(str(value).replace(written.UNIQUE, "0" * 12))
        return f"longer than the {length} letters the column takes" if length and long > length else _unless(value, str)
    if kind in (date, datetime) and isinstance(value, str):
        try:
            kind.fromisoformat(value)
        except ValueError:
            return "no day of the calendar"
        return ""
    if kind is bool:
        return _unless(value, bool, int)
    if kind is int:
        return _unless(value, int, bool)
    return _unless(value, int, float) if kind is not bytes else "bytes cannot be masked"


def _unless(value: Any, *kinds: type) -> str:
    is_one = isinstance(value, kinds) and (bool in kinds or not isinstance(value, bool))
    return "" if is_one else "the value is of another type than the column"


def typed(column: sa.Column[Any], value: Any) -> Any:
    """A scalar of the mapping as the column's own type."""
    try:
        kind = column.type.python_type
    except NotImplementedError:
        return value
    if kind in (date, datetime) and isinstance(value, str):
        return kind.fromisoformat(value)
    return bool(value) if kind is bool and value is not None else value


def _is_unique(column: sa.Column[Any]) -> bool:
    table = column.table
    assert isinstance(table, sa.Table)
    constraints = [each for each in table.constraints if isinstance(each, sa.UniqueConstraint)]
    together = [list(each.columns.keys()) for each in constraints]
    together += [list(each.columns.keys()) for each in table.indexes if each.unique]
    together += table.info.get("unique", [])
    return column.unique is True or [column.name] in together


def _deletes_wrong(bound: Bound, mapped: Mapping[str, Bound], tree: Tree) -> Iterator[Problem]:
    """A delete must neither stop at rows that refer to it nor take rows along that nobody decided on."""
    if bound.rules.erase != "delete":
        return
    at = ("tables", bound.name, "erase")
    for reference in bound.references:
        other = mapped.get(reference.table)
        columns = ", ".join(of for of, _ in reference.pairs)
        which = f"`{reference.table}` ({columns})"
        if reference.table == bound.name or reference.on_delete in ("SET NULL", "SET DEFAULT"):
            continue
        if other is None:
            fate = "would go silently with it" if reference.on_delete == "CASCADE" else "would stop the delete"
            yield _wrong(tree, at, f"rows of {which} refer to these and {fate}", f"`{reference.table}` mapped too")
        elif other.rules.erase != "delete":
            fate = "would go with it" if reference.on_delete == "CASCADE" else "would stop the delete"
            yield _wrong(tree, at, f"rows of {which} stay, refer to these and {fate}", "`erase: clear` here")


def _missing(tree: Tree, path: tuple[str, ...], name: str) -> Problem:
    return Problem(
        "source.no-column", f"the database has no `{name}`", tree.place(*path),
        way_out="Was it renamed or removed? See what is there with: lofte source scan", status=409,
    )  # fmt: skip


def _wrong(tree: Tree, path: tuple[str, ...], detail: str, expected: str) -> Problem:
    return Problem(
        "source.does-not-fit", detail, tree.place(*path), expected=expected, way_out="Mend the mapping.", status=409
    )
