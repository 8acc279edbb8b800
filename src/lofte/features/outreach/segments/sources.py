"""What people registered or asked for, from the rooms that keep it. A room that is not there yet offers nothing."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

Kind = Literal["event", "material"]


@dataclass(frozen=True, slots=True)
class Source:
    """``offered`` lists what staff can choose among, as id and name in a language; ``asked_of`` says who asked for what."""

    offered: Callable[[str], Sequence[tuple[str, str]]]
    asked_of: Callable[[Sequence[UUID]], Mapping[UUID, frozenset[str]]]


_sources: dict[Kind, Source] = {}


def provide(kind: Kind, source: Source) -> None:
    """Called by the room when Django starts."""
    _sources[kind] = source


def offered(kind: Kind, locale: str) -> list[tuple[str, str]]:
    return list(_sources[kind].offered(locale)) if kind in _sources else []


def asked_of(kind: Kind, people: Sequence[UUID]) -> Mapping[UUID, frozenset[str]]:
    return _sources[kind].asked_of(people) if kind in _sources else {}
