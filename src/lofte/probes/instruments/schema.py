"""Lays a JSON document beside its JSON Schema (2020-12), for the keywords our own schemas use.

Anything else is refused aloud.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

_TYPES: Mapping[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "null": (type(None),),
}
_NOTES = frozenset(("$schema", "$defs", "$id", "title", "description", "default", "examples"))
_FORMATS: Mapping[str, Callable[[str], object]] = {"date-time": datetime.fromisoformat, "uuid": UUID}


def errors(document: Any, schema: Mapping[str, Any]) -> list[str]:
    """Places that do not fit, as ``holdings[2].since: format``; empty when all fits."""
    return list(_errors(document, schema, schema, ""))


def _errors(value: Any, schema: Mapping[str, Any], root: Mapping[str, Any], place: str) -> Iterator[str]:
    for keyword, wanted in schema.items():
        if keyword in _NOTES:
            continue
        if keyword not in _CHECKS:
            raise ValueError(f"the schema uses {keyword}, which this reader does not know")
        yield from _CHECKS[keyword](value, wanted, schema, root, place)


def _ref(value: Any, wanted: str, schema: Any, root: Mapping[str, Any], place: str) -> Iterator[str]:
    found: Any = root
    for part in wanted.removeprefix("#/").split("/"):
        found = found[part]
    yield from _errors(value, found, root, place)


def _type(value: Any, wanted: Any, schema: Any, root: Any, place: str) -> Iterator[str]:
    names = [wanted] if isinstance(wanted, str) else wanted
    fits = any(isinstance(value, _TYPES[name]) and (name == "boolean" or not isinstance(value, bool)) for name in names)
    if not fits:
        yield f"{place or '.'}: type"


def _properties(value: Any, wanted: Mapping[str, Any], schema: Any, root: Any, place: str) -> Iterator[str]:
    if isinstance(value, dict):
        for name, part in wanted.items():
            if name in value:
                yield from _errors(value[name], part, root, f"{place}.{name}".lstrip("."))


def _required(value: Any, wanted: list[str], schema: Any, root: Any, place: str) -> Iterator[str]:
    if isinstance(value, dict):
        yield from (f"{place}.{name}: required".lstrip(".") for name in wanted if name not in value)


def _additional(value: Any, wanted: Any, schema: Mapping[str, Any], root: Any, place: str) -> Iterator[str]:
    if not isinstance(value, dict):
        return
    for name in sorted(set(value) - set(schema.get("properties", {}))):
        if wanted is False:
            yield f"{place}.{name}: additionalProperties".lstrip(".")
        elif isinstance(wanted, dict):
            yield from _errors(value[name], wanted, root, f"{place}.{name}".lstrip("."))


def _items(value: Any, wanted: Mapping[str, Any], schema: Any, root: Any, place: str) -> Iterator[str]:
    if isinstance(value, list):
        for number, item in enumerate(value):
            yield from _errors(item, wanted, root, f"{place}[{number}]")


def _any_of(value: Any, wanted: list[Mapping[str, Any]], schema: Any, root: Any, place: str) -> Iterator[str]:
    if all(list(_errors(value, one, root, place)) for one in wanted):
        yield f"{place or '.'}: anyOf"


def _enum(value: Any, wanted: list[Any], schema: Any, root: Any, place: str) -> Iterator[str]:
    if value not in wanted:
        yield f"{place or '.'}: enum"


def _const(value: Any, wanted: Any, schema: Any, root: Any, place: str) -> Iterator[str]:
    if value != wanted:
        yield f"{place or '.'}: const"


def _pattern(value: Any, wanted: str, schema: Any, root: Any, place: str) -> Iterator[str]:
    if isinstance(value, str) and not re.search(wanted, value):
        yield f"{place or '.'}: pattern"


def _format(value: Any, wanted: str, schema: Any, root: Any, place: str) -> Iterator[str]:
    if isinstance(value, str) and wanted in _FORMATS:
        try:
            _FORMATS[wanted](value)
        except ValueError:
            yield f"{place or '.'}: format"


_CHECKS: Mapping[str, Any] = {
    "$ref": _ref,
    "type": _type,
    "properties": _properties,
    "required": _required,
    "additionalProperties": _additional,
    "items": _items,
    "anyOf": _any_of,
    "enum": _enum,
    "const": _const,
    "pattern": _pattern,
    "format": _format,
}
