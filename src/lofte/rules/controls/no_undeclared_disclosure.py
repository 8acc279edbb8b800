"""Nothing leaves for anybody who is not declared, and whatever leaves goes through the one gate and stands in the log."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from lofte.rules.control import Control, Verdict, broken, kept, listed, unproved
from lofte.rules.controls._gates import Left, Passage

__all__ = ["CONTROL", "Ways"]


@dataclass(frozen=True, slots=True)
class Ways:
    """``passage`` is what was tried to get past the gate, ``left`` what has left and may not have. ``unlogged`` disclosures wait
    for the log too long. ``strangers`` are connected systems the policy does not name; ``alone`` are lists of people that one
    member of staff took out without a second one.
    """

    passage: Passage | None
    left: tuple[Left, ...] = ()
    unlogged: int = 0
    strangers: tuple[str, ...] = ()
    alone: int = 0
    used: int = 0


def _judge(seen: Ways, parameters: Mapping[str, Any]) -> Verdict:
    if seen.left:
        worst = seen.left[0].fault
        return broken(
            worst, recipients=listed(f"{one.recipient} ({one.count})" for one in seen.left if one.fault == worst)
        )
    if seen.unlogged:
        return broken("unlogged", count=seen.unlogged)
    if seen.strangers:
        return broken("strangers", systems=listed(seen.strangers))
    if seen.alone:
        return broken("alone", count=seen.alone)
    if seen.passage is None:
        return unproved("not-tried")
    if seen.passage.let_through:
        return broken(f"passed-{seen.passage.let_through[0]}")
    if not seen.passage.done:
        return unproved("not-tried")
    return kept(trials=seen.passage.trials, used=seen.used)


CONTROL = Control(
    id="no_undeclared_disclosure",
    law=("GDPR 13(1)(e)", "GDPR 5(1)(f)"),
    fresh_for=timedelta(days=1),
    needs=frozenset({"register", "log", "mailbox"}),
    judge=_judge,
)
