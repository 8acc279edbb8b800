"""The connected systems of this process, and what each must be able to do. `connectors` provides them, `obligations` asks them.

A system whose connector refuses to start is connected too, as the Problem it refused with: what is owed to it waits and says why.
Every method may raise Problem; whatever else it raises is an error of that attempt and is tried again.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol
from uuid import UUID

from lofte.kernel.problems import Problem
from lofte.rules.model import Policy


@dataclass(frozen=True, slots=True)
class Who:
    """For whom: what the register holds, as (policy field, value) pairs. A connector picks what it finds people by."""

    values: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Change:
    """One value put right (GDPR 16); with ``new`` empty, one that shall stand nowhere any more (GDPR 17)."""

    field: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Kept:
    """Rows that an erasure leaves, and the statute they stay under."""

    where: str
    count: int
    law: str


@dataclass(frozen=True, slots=True)
class Found:
    """What a system holds of a person before anything is done there.

    ``counts`` are rows an erasure acts upon, by table; ``memory`` is the connector's own, JSON-able, given back to it when it acts
    and when it reads back. It may name rows and values: it is kept sealed.
    """

    counts: Mapping[str, int] = field(default_factory=dict)
    kept: tuple[Kept, ...] = ()
    memory: Any = None


@dataclass(frozen=True, slots=True)
class Left:
    """Where a system still contradicts what was done: ``table.column``, how many rows, in which form. Never what stands there.

    ``exemption`` says why it may stay, if it may.
    """

    where: str
    count: int
    form: str
    exemption: str = ""


@dataclass(frozen=True, slots=True)
class Value:
    """One piece of data in a connected system: the policy's field and purpose, and the system's own name for it."""

    name: str
    field: str
    purpose: str
    value: str


@dataclass(frozen=True, slots=True)
class Record:
    """One row, document or object of a connected system."""

    where: str
    values: tuple[Value, ...]


LIFTED = "lifted"
"""The purpose of a `restrict` that ends one: the data may be used again."""


@dataclass(frozen=True, slots=True)
class Act:
    """What is to be done. ``id`` is the obligation's: the same id again must never do anything twice."""

    id: UUID
    what: str  # erase, correct, export, restrict, withdraw, share
    who: Who
    purpose: str = ""
    change: Change | None = None


class Connector(Protocol):
    """One connected system. Its acts can be repeated: done again, they leave what they left the first time."""

    def check(self, policy: Policy | None = None) -> list[Problem]:
        """Everything that stands in the way of starting, against the policy given or the one in force. Reads only."""
        ...

    def takes(self, what: str, purpose: str) -> bool:
        """Whether this act means anything to the system; what is taken is owed."""
        ...

    def find(self, who: Who) -> Found:
        """What is there. Reads only."""
        ...

    def export(self, act: Act) -> list[Record]:
        """A copy of everything held. Reads only."""
        ...

    def erase(self, act: Act, found: Found) -> None: ...

    def correct(self, act: Act, found: Found) -> None: ...

    def mark(self, act: Act, found: Found) -> None:
        """Carry a withdrawal, a restriction or its end (`LIFTED`) into the system."""
        ...

    def verify(self, act: Act, found: Found, exported: list[Record]) -> list[Left]:
        """Read back, from the system itself, what contradicts the act being done; an empty list (or only exemptions) means done."""
        ...

    def search(self, who: Who, found: Found) -> list[Left]:
        """Look everywhere in the system for what is left of a person."""
        ...


_connected: dict[str, Connector | Problem] = {}
_families: dict[str, Callable[[str], Connector]] = {}


def family(prefix: str, make: Callable[[str], Connector]) -> None:
    """Systems that come and go while we run, such as partners with an agreement: `<prefix>:<name>`, made when they are asked for.

    They are owed what is addressed to them (`obligations.owe_to`) and nothing else: `names` does not know them.
    """
    _families[prefix] = make


def connect(system: str, connector: Connector | Problem) -> None:
    _connected[system] = connector


def disconnect_all() -> None:
    _connected.clear()


def names() -> tuple[str, ...]:
    return tuple(sorted(_connected))


def get(system: str) -> Connector:
    """The connector of a system. Raises the Problem it refused with, or `system.not-connected`."""
    found = _connected.get(system)
    prefix, colon, name = system.partition(":")
    if found is None and colon and prefix in _families:
        return _families[prefix](name)
    if found is None:
        raise Problem(
            "system.not-connected", f"nothing connects {system} in this process",
            way_out="Put its mapping back into the systems folder of the data directory, and start again.", status=503,
        )  # fmt: skip
    if isinstance(found, Problem):
        # A new one each time: an exception that travels collects its traceback.
        raise Problem(found.code, found.detail, found.place, found.expected, found.way_out, found.law, found.status)
    return found


def takes(system: str, what: str, purpose: str) -> bool:
    """Whether something is owed to a system. One that refused to start may hold anything: it is owed everything."""
    found = _connected.get(system)
    return isinstance(found, Problem) or (found is not None and found.takes(what, purpose))
