"""The mapping file of one database, read strictly: whatever is not understood is a Problem with file, line, key and way out.

Says nothing of the database itself; `schema` holds the two against each other. Grammar: docs/howto/connect-a-database.md.
"""

import difflib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, ValidationError

from lofte.kernel.problems import Place, Problem
from lofte.rules.model import Id, Policy, Said
from lofte.rules.source import Path as KeyPath
from lofte.rules.source import Tree, parse_yaml

FORMAT = "sql/1"
IDENTIFYING = ("email", "phone", "text", "number")  # kinds a person may be found by; a name is anybody's
UNIQUE = "{unique}"
_LARGEST = 1024 * 1024  # characters; the widest honest mapping is far below
Scalar = str | int | float | bool | None
Variable = Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Z0-9_]{2,63}$")]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def _column(value: Any) -> Any:
    return {"field": value} if isinstance(value, str) else value


def _via(value: Any) -> Any:
    parts = value if isinstance(value, list) else [value]
    return [{"table": each} if isinstance(each, str) else each for each in parts]


def _list(value: Any) -> Any:
    return value if isinstance(value, list) else [value]


class Column(_Part):
    """A column that holds a declared field. ``email: email`` is short for ``email: { field: email }``."""

    field: Id
    purpose: Id | None = Field(None, description="a purpose of the policy; the table's unless given")
    erase: Literal["clear", "mask", "keep"] | None = Field(
        None, description="clear sets NULL; only where rows are cleared"
    )
    mask: str | int | float | bool | None = Field(
        None, description="what stands there afterwards, in the column's own type"
    )
    law: Said | None = Field(None, description="the statute it is kept under")


class Via(_Part):
    """Rows belong to whom the rows of another table belong to, along a foreign key, or along columns named here."""

    table: Said
    columns: dict[str, str] = Field(default_factory=dict, description="this table's column: the other table's column")


class Table(_Part):
    find: dict[Id, Annotated[list[Said], BeforeValidator(_list)]] = Field(
        default_factory=dict, description="policy field: column (or columns), the strongest first"
    )
    via: Annotated[list[Via], BeforeValidator(_via)] = Field(default_factory=list, description="another mapped table")
    key: list[Said] = Field(
        default_factory=list, description="columns that name a row, where the table has no primary key"
    )
    purpose: Id | None = Field(None, description="a purpose of the policy, for columns that name none")
    erase: Literal["delete", "clear", "keep"]
    law: Said | None = Field(None, description="the statute the rows are kept under")
    columns: dict[str, Annotated[Column, BeforeValidator(_column)]] = Field(default_factory=dict)
    not_personal: dict[str, Said] = Field(default_factory=dict, description="column: why it is not personal")
    withdrawn: dict[Id, dict[str, Scalar]] = Field(
        default_factory=dict, description="purpose: the columns to set when it is withdrawn or objected to"
    )
    restricted: dict[str, Scalar] = Field(default_factory=dict, description="columns to set when use is restricted")
    released: dict[str, Scalar] = Field(default_factory=dict, description="columns to set when a restriction ends")


class Mapping(_Part):
    """The whole file. Its name is the system's id in the policy: ``creatio.yaml`` connects ``creatio``."""

    connector: Literal["sql"]
    format: Literal["sql/1"]
    url_from: Variable = Field(description="the environment variable that holds the database's URL")
    country: Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")] = Field(
        "", description="country whose way of dialling phone numbers are written in", validate_default=False
    )
    tables: dict[str, Table] = Field(min_length=1)
    not_personal: dict[str, Said] = Field(
        default_factory=dict, description="table, or table.column: why it is not personal"
    )
    exempt: dict[str, Said] = Field(
        default_factory=dict, description="table.column: why something found there may stay"
    )


def read_file(file: Path) -> tuple[Mapping, Tree]:
    """The mapping in a file. Raises the first Problem; `problems_of` gives them all."""
    mapping, tree, problems = understand(file.name, _text(file))
    if problems or mapping is None:
        raise problems[0]
    return mapping, tree


def _text(file: Path) -> str:
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Problem(
            "source.no-mapping", f"the mapping cannot be read ({type(error).__name__})", Place(str(file)),
            expected="a YAML file in UTF-8",
        ) from None  # fmt: skip
    if len(text) > _LARGEST:
        raise Problem("source.no-mapping", "the mapping is larger than it may be", Place(str(file)))
    return text


def understand(name: str, text: str) -> tuple[Mapping | None, Tree, list[Problem]]:
    """The mapping, what it was read from, and everything that is wrong with it by itself."""
    problems: list[Problem] = []
    tree = parse_yaml(name, text, problems)
    if problems or not isinstance(tree.content, dict):
        return None, tree, problems or [Problem("source.no-mapping", "the file holds no keys", Place(name, 1))]
    try:
        mapping = Mapping.model_validate(tree.content)
    except ValidationError as error:
        return None, tree, list(_worded(error, tree))
    return mapping, tree, list(_contradictions(mapping, tree))


def _worded(error: ValidationError, tree: Tree) -> Iterator[Problem]:
    said: set[KeyPath] = set()
    for item in error.errors(include_url=False, include_input=False):
        path: KeyPath = ()
        for step in item["loc"]:
            if (*path, step) not in tree.lines:
                break
            path = (*path, step)
        if item["type"] == "missing":
            path = (*path, item["loc"][-1])
        if path in said:  # the branches of a union each complain
            continue
        said.add(path)
        name = path[-1] if path else "the file"
        match item["type"]:
            case "extra_forbidden":
                known = _known_keys(path)
                near = difflib.get_close_matches(str(name), known, 1)
                detail, expected = f"`{name}` is not a key here", f"`{near[0]}`" if near else ", ".join(known)
            case "missing":
                detail, expected = f"`{name}` is missing", _described(path)
            case "literal_error":
                detail, expected = f"`{name}` does not have a value it takes", f"one of {item['ctx']['expected']}"
            case "string_pattern_mismatch" if name == "url_from":
                # Never the value: somebody may have put the address with its password here.
                detail = "`url_from` does not name an environment variable"
                expected = "a name in capitals, whose value in the environment is the URL"
            case _:
                detail = f"`{name}` does not have a value of the form it takes"
                expected = item["msg"][:1].lower() + item["msg"][1:]
        yield Problem(
            "source.bad-mapping", detail, tree.place(*path), expected=expected,
            way_out="Mend the mapping; docs/howto/connect-a-database.md shows each key.",
        )  # fmt: skip


def _model_of(path: KeyPath) -> type[BaseModel]:
    match path[:-1]:
        case ("tables", _):
            return Table
        case ("tables", _, "columns", _):
            return Column
        case ("tables", _, "via", *_):
            return Via
        case _:
            return Mapping


def _known_keys(path: KeyPath) -> list[str]:
    return list(_model_of(path).model_fields)


def _described(path: KeyPath) -> str:
    field = _model_of(path).model_fields.get(str(path[-1])) if path else None
    if field is None:
        return ""
    return field.description or ("delete, clear or keep" if path[-1] == "erase" else "a value")


def _contradictions(mapping: Mapping, tree: Tree) -> Iterator[Problem]:
    """What can be seen without the database."""
    for name, table in mapping.tables.items():
        at: KeyPath = ("tables", name)
        if not table.find and not table.via:
            yield _wrong(tree, at, "no row of this table belongs to anybody", "`find` or `via`")
        if (table.erase == "keep") != (table.law is not None):
            yield _wrong(tree, (*at, "law"), "rows are kept under a statute, and only then", "`erase: keep` with `law`")
        if table.erase == "clear" and not table.columns:
            yield _wrong(tree, (*at, "columns"), "there is nothing to clear", "the columns that hold personal data")
        if table.erase == "clear":
            for field, columns in table.find.items():
                for column in set(columns) - set(table.columns):
                    yield _wrong(
                        tree,
                        (*at, "find", field),
                        f"`{column}` would stay when the rows are cleared",
                        "the column under `columns`",
                    )
        for via in table.via:
            if via.table == name:
                yield _wrong(tree, (*at, "via"), "a table is not found through itself", "another mapped table")
            elif via.table not in mapping.tables:
                yield _wrong(tree, (*at, "via"), f"`{via.table}` is not mapped", "a table of this file")
            elif not _is_reachable(mapping, name, frozenset()):
                yield _wrong(
                    tree, (*at, "via"), "this leads back to itself and to nobody", "a path to a table with `find`"
                )
        for column, held in table.columns.items():
            yield from _column_contradictions(table, held, (*at, "columns", column), tree)
            if column in table.not_personal:
                yield _wrong(
                    tree, (*at, "not_personal", column), "the column is mapped as personal too", "one of the two"
                )


def _column_contradictions(table: Table, column: Column, at: KeyPath, tree: Tree) -> Iterator[Problem]:
    if column.erase and table.erase != "clear":
        yield _wrong(
            tree, (*at, "erase"), f"the rows of this table are under `{table.erase}` as a whole", "no `erase` here"
        )
    if (column.erase == "mask") != (column.mask is not None):
        yield _wrong(tree, (*at, "mask"), "a mask has a value, and only a mask", "`erase: mask` with `mask`")
    if (column.erase == "keep") != (column.law is not None):
        yield _wrong(tree, (*at, "law"), "a column is kept under a statute, and only then", "`erase: keep` with `law`")


def _is_reachable(mapping: Mapping, name: str, passed: frozenset[str]) -> bool:
    table = mapping.tables.get(name)
    if table is None or name in passed:
        return False
    return bool(table.find) or any(_is_reachable(mapping, via.table, passed | {name}) for via in table.via)


def against_policy(system: str, mapping: Mapping, tree: Tree, policy: Policy) -> list[Problem]:
    """What the mapping says that the policy does not: a system, field or purpose it does not declare."""
    found: list[Problem] = []
    if system not in policy.systems:
        found.append(
            Problem(
                "source.undeclared",
                f"the policy declares no system `{system}`",
                Place(tree.file, 1),
                law="GDPR 5(1)(b)",
                expected="a file named after one of: " + ", ".join(sorted(policy.systems)),
            )
        )
    for name, table in mapping.tables.items():
        at: KeyPath = ("tables", name)
        for field in table.find:
            shape = policy.fields.get(field)
            if shape is None:
                found.append(_undeclared(tree, (*at, "find", field), f"the policy declares no field `{field}`"))
            elif shape.kind not in IDENTIFYING:
                found.append(
                    _wrong(
                        tree,
                        (*at, "find", field),
                        f"people are not told apart by a {shape.kind}",
                        "an address or a number",
                    )
                )
        for column, held in table.columns.items():
            found += _column_against_policy(held, table, (*at, "columns", column), tree, policy)
        found += [
            _undeclared(tree, (*at, "withdrawn", purpose), f"the policy declares no purpose `{purpose}`")
            for purpose in table.withdrawn
            if purpose not in policy.purposes
        ]
    return found


def _column_against_policy(column: Column, table: Table, at: KeyPath, tree: Tree, policy: Policy) -> Iterator[Problem]:
    purpose = column.purpose or table.purpose
    if column.field not in policy.fields:
        yield _undeclared(tree, (*at, "field"), f"the policy declares no field `{column.field}`")
    elif purpose is None:
        yield _wrong(tree, at, "it is not said what this is used for", "`purpose`, here or for the table")
    elif purpose not in policy.purposes:
        yield _undeclared(tree, (*at, "purpose"), f"the policy declares no purpose `{purpose}`")
    elif column.field not in policy.purposes[purpose].fields:
        yield _undeclared(tree, at, f"the policy does not use `{column.field}` for `{purpose}`")


def url_in(variable: str) -> str:
    """The address of a database, which is in the environment and nowhere else."""
    url = os.environ.get(variable, "")
    if not url:
        raise Problem(
            "source.no-url", f"the environment variable {variable} is not set", Place(key=variable), status=503,
            expected="postgresql://, mysql://, mariadb:// or sqlite:///", way_out="Set it for the process and start again.",
        )  # fmt: skip
    return url


def _wrong(tree: Tree, path: KeyPath, detail: str, expected: str) -> Problem:
    return Problem("source.bad-mapping", detail, tree.place(*path), expected=expected, way_out="Mend the mapping.")


def _undeclared(tree: Tree, path: KeyPath, detail: str) -> Problem:
    return Problem(
        "source.undeclared", detail, tree.place(*path), law="GDPR 5(1)(b), 5(1)(c)",
        way_out="Declare it in the policy and publish, or stop holding it.",
    )  # fmt: skip
