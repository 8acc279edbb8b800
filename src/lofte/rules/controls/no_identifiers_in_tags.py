"""No request of a tag carries what identifies the visitor, in clear or disguised, whatever the visitor types."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from lofte.rules.control import Control, Verdict, broken, kept, listed, unproved

_DISGUISE = {"encoded": " (Base64)", "hashed": " (hash)"}


@dataclass(frozen=True, slots=True)
class Leak:
    """``form`` is raw, normal, escaped, encoded or hashed."""

    host: str
    field: str
    form: str


@dataclass(frozen=True, slots=True)
class Told:
    """What tags were told by somebody who said yes and typed who they are. ``requests`` counts those read, by host."""

    instrument_sees: bool
    typed: int = 0
    requests: Mapping[str, int] | None = None
    leaks: tuple[Leak, ...] = ()


def _judge(seen: Told, parameters: Mapping[str, Any]) -> Verdict:
    """``fields``, if given, are those that count as identifying."""
    if not seen.instrument_sees:
        return unproved("blind")
    named = parameters.get("fields")
    if leaks := {
        f"{one.host}: {one.field}{_DISGUISE.get(one.form, '')}" for one in seen.leaks if not named or one.field in named
    }:
        return broken("leak", places=listed(leaks))
    if not seen.requests:
        return unproved("never-loaded")
    if not seen.typed:
        return unproved("nothing-typed")
    return kept(typed=seen.typed, requests=sum(seen.requests.values()), hosts=listed(seen.requests))


CONTROL = Control(
    id="no_identifiers_in_tags",
    law=("GDPR 5(1)(c)", "GDPR 25(2)"),
    fresh_for=timedelta(days=2),
    needs=frozenset({"browser"}),
    judge=_judge,
)
