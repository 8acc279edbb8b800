"""Values of cells as JSON and back, for row keys that are remembered; and as text, for people."""

import base64
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any
from uuid import UUID


def as_json(value: Any) -> Any:
    """A value that JSON keeps: as it is, or as a pair of its type and its text."""
    match value:
        case None | bool() | int() | str():
            return value
        case UUID():
            return ["uuid", str(value)]
        case Decimal():
            return ["decimal", str(value)]
        case datetime():
            return ["datetime", value.isoformat()]
        case date():
            return ["date", value.isoformat()]
        case time():
            return ["time", value.isoformat()]
        case bytes() | memoryview():
            return ["bytes", base64.b64encode(bytes(value)).decode()]
        case float():
            return ["float", value.hex()]
        case _:
            return ["text", str(value)]


def from_json(value: Any) -> Any:
    if not isinstance(value, list):
        return value
    kind, text = value
    return {
        "uuid": UUID, "decimal": Decimal, "datetime": datetime.fromisoformat, "date": date.fromisoformat,
        "time": time.fromisoformat, "bytes": base64.b64decode, "float": float.fromhex, "text": str,
    }[kind](text)  # type: ignore[operator]  # each of them takes the text  # fmt: skip


def shown(value: Any) -> str:
    """As a person reads it."""
    match value:
        case bytes() | memoryview():
            return base64.b64encode(bytes(value)).decode()
        case datetime() | date() | time():
            return value.isoformat()
        case _:
            return str(value)
