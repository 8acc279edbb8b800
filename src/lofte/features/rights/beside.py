"""A second process that works out what a crowd is searched for by while this one goes on erasing: two processors, two jobs.

It is given values and gives back bytes (`rights.marks`), keeps nothing, writes nothing, and ends with its standard input: with
whoever started it, however that died. What it has not made is made here; nothing depends on it but time.
"""

import json
import logging
import os
import struct
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from contextlib import suppress
from typing import IO
from uuid import UUID

from lofte.core import collector
from lofte.features.rights import residue
from lofte.features.rights.marks import Marks, marks_of
from lofte.rules.model import DataField

MANY = 1_000  # people in a batch, below which a process costs more than it brings
_HEAD = struct.Struct("!I")
_SIZES = struct.Struct("!II")
_logger = logging.getLogger("lofte.erasure")

Values = Sequence[tuple[str, str]]


class Beside:
    """The process, and what it was asked. `close` it when the crowd is searched."""

    def __init__(self) -> None:
        command = [sys.executable, "-m", "lofte.features.rights.beside"]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)  # noqa: S603  # our own
        self._thread = ThreadPoolExecutor(1, "beside")
        self._asked: dict[UUID, Future[dict[UUID, Marks]]] = {}

    def ask(self, orders: Mapping[UUID, tuple[UUID, Values]], shapes: Mapping[str, DataField]) -> None:
        """Work out the marks of each order: whom it is about and what was held of them."""
        asked = {
            "shapes": {field: shape.model_dump(mode="json") for field, shape in shapes.items()},
            "orders": [[person.hex, list(values)] for person, values in orders.values()],
        }
        future = self._thread.submit(self._answered, list(orders), json.dumps(asked).encode())
        self._asked |= dict.fromkeys(orders, future)

    def _answered(self, orders: list[UUID], asked: bytes) -> dict[UUID, Marks]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        _send(self._process.stdin, asked)
        return dict(zip(orders, _marks_in(_received(self._process.stdout)), strict=True))

    def made(self, order: UUID) -> Marks | None:
        """What was worked out for an order, once; None when it was not asked for, or the process is gone."""
        future = self._asked.pop(order, None)
        if future is None:
            return None
        try:
            return future.result().pop(order, None)
        except (OSError, EOFError, ValueError, CancelledError) as error:
            _logger.warning("the process beside has ended", extra={"fields": {"error": type(error).__name__}})
            self._asked.clear()
            return None

    def close(self) -> None:
        self._thread.shutdown(cancel_futures=True)
        self._asked.clear()
        for pipe in (self._process.stdin, self._process.stdout):
            with suppress(OSError):  # what was still to be sent to a process that is gone
                if pipe:
                    pipe.close()
        self._process.wait()


_beside: Beside | None = None
_held = threading.Lock()  # two sweeps of one process may begin and end it


def ask(orders: Mapping[UUID, tuple[UUID, Values]], shapes: Mapping[str, DataField]) -> None:
    """Hand a batch to the process beside, where there is a second processor and the batch is worth it."""
    global _beside
    if len(orders) < MANY or len(os.sched_getaffinity(0)) < 2:
        return
    with _held:
        if _beside is None:
            _beside = Beside()
        _beside.ask(orders, shapes)


def made(order: UUID) -> Marks | None:
    there = _beside
    return there.made(order) if there else None


def close() -> None:
    """The crowd has been searched: the process ends, and nothing it made is left."""
    global _beside
    with _held:
        ended, _beside = _beside, None
    if ended is not None:
        ended.close()


# --- what goes between them: a length and so many bytes ---------------------------------------------------------------


def _send(pipe: IO[bytes], data: bytes) -> None:
    pipe.write(_HEAD.pack(len(data)) + data)
    pipe.flush()


def _received(pipe: IO[bytes]) -> bytes:
    head = pipe.read(_HEAD.size)
    if len(head) < _HEAD.size:
        raise EOFError
    (size,) = _HEAD.unpack(head)
    data = pipe.read(size)
    if len(data) < size:
        raise EOFError
    return data


def _marks_in(data: bytes) -> list[Marks]:
    found, place = [], 0
    while place < len(data):
        long, short = _SIZES.unpack_from(data, place)
        place += _SIZES.size
        found.append(Marks(data[place : place + long], data[place + long : place + long + short]))
        place += long + short
    return found


def _answer(asked: bytes) -> bytes:
    question = json.loads(asked)
    shapes = {field: DataField.model_validate(shape) for field, shape in question["shapes"].items()}
    parts = []
    for person, values in question["orders"]:
        held = [(field, value) for field, value in values]
        marks = marks_of(residue.needles(held, shapes, UUID(hex=person), brief=True))
        parts += [_SIZES.pack(len(marks.long), len(marks.short)), marks.long, marks.short]
    return b"".join(parts)


def main() -> None:
    """The other side: answers until there is nobody to answer."""
    with suppress(EOFError, BrokenPipeError, KeyboardInterrupt), collector.seldom():
        while True:
            _send(sys.stdout.buffer, _answer(_received(sys.stdin.buffer)))


if __name__ == "__main__":
    main()
