"""What P03 and P47 have in common: a visitor types who they are, and no request of certain tags may carry it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lofte.rules.control import Verdict, broken, listed, unproved

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


def judge_told(seen: Told, parameters: Mapping[str, Any]) -> Verdict | None:
    """What speaks against *kept*, if anything. ``fields``, if given, are those that count as identifying."""
    if not seen.instrument_sees:
        return unproved("blind")
    named = parameters.get("fields")
    if leaks := {
        f"{one.host}: {one.field}{_DISGUISE.get(one.form, '')}" for one in seen.leaks if not named or one.field in named
    }:
        return broken("leak", places=listed(leaks))
    if not seen.requests:
        return unproved("never-loaded")
    return None if seen.typed else unproved("nothing-typed")
