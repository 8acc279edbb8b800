"""A visitor who chose language and region gets that edition again; only declared storage is used for it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from lofte.rules.control import Control, Verdict, broken, kept, listed, unproved


@dataclass(frozen=True, slots=True)
class Switch:
    """A visitor chose an edition and came back to the front door; ``landed`` is the edition they then got."""

    chosen: str
    landed: str


@dataclass(frozen=True, slots=True)
class LanguageChoices:
    switches: tuple[Switch, ...]
    has_switch: bool = True


def _judge(seen: LanguageChoices, parameters: Mapping[str, Any]) -> Verdict:
    if not seen.has_switch:
        return broken("no-switch")
    if forgotten := [f"{one.chosen}: {one.landed or '-'}" for one in seen.switches if one.landed != one.chosen]:
        return broken("forgotten", editions=listed(forgotten))
    if not seen.switches:
        return unproved("not-tried")
    return kept(editions=len(seen.switches))


CONTROL = Control(
    id="language_remembered",
    law=("ePrivacy 5(3)",),
    fresh_for=timedelta(days=2),
    needs=frozenset({"browser"}),
    judge=_judge,
)
