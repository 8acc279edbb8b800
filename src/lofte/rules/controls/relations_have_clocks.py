"""Every kind of relation is known, with purposes and a clock of its own; nobody in the register is without one."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from lofte.rules.control import Control, Verdict, broken, kept, listed, unproved


@dataclass(frozen=True, slots=True)
class Relations:
    """Declared relations with their clock ("" for none), and how many holdings have a relation or clock nobody
    declared.
    """

    clocks: Mapping[str, str]
    holdings: int
    without_clock: int


def _judge(seen: Relations, parameters: Mapping[str, Any]) -> Verdict:
    if lacking := [name for name in parameters.get("relations", ()) if name not in seen.clocks]:
        return broken("unknown-relation", relations=listed(lacking))
    if bare := [name for name, clock in seen.clocks.items() if not clock]:
        return broken("no-clock", relations=listed(bare))
    if seen.without_clock:
        return broken("holdings-without-clock", count=seen.without_clock)
    if not seen.clocks:
        return unproved("no-relations")
    return kept(relations=listed(seen.clocks, most=10), holdings=seen.holdings)


CONTROL = Control(
    id="relations_have_clocks",
    law=("GDPR 5(1)(e)", "GDPR 13(2)(a)"),
    fresh_for=timedelta(days=2),
    needs=frozenset({"publication", "register"}),
    judge=_judge,
)
