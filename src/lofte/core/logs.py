"""One line of JSON a record, with nothing personal in it by construction.

A message is the constant text the programmer wrote: its arguments are never interpolated, because a path, an address or
a database error may hold a person. What may be said beside it goes in ``extra={"fields": {...}}``, short and non-personal.
Of an exception the line keeps its type and where it was raised, never its text.
"""

import json
import logging
import traceback
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

_MAY_SPEAK = ("uvicorn.error",)  # its arguments are host, port and process id


class JsonFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "from": record.name,
            "event": _event(record),
        }
        if isinstance(fields := getattr(record, "fields", None), dict):
            line["fields"] = {
                key: value for key, value in fields.items() if isinstance(value, str | int | bool | float)
            }
        if isinstance(status := getattr(record, "status_code", None), int):
            line["status"] = status
        if record.exc_info and record.exc_info[0]:
            line |= {"error": record.exc_info[0].__name__, "raised": _places(record.exc_info[2])}
        return json.dumps(line, ensure_ascii=False)


def _event(record: logging.LogRecord) -> str:
    if record.name in _MAY_SPEAK:
        return record.getMessage()
    status = getattr(record, "status_code", None)
    if record.name == "django.request" and isinstance(status, int):  # its message is nothing but a path
        return HTTPStatus(status).phrase
    return str(record.msg)


def _places(trace: Any) -> list[str]:
    """The innermost frames as module file and line; file names are ours or a library's, never data."""
    return [f"{frame.filename.rsplit('/', 1)[-1]}:{frame.lineno}" for frame in traceback.extract_tb(trace)[-4:]]
