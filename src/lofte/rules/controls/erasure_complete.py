"""Erasure leaves nothing: every store is searched for the person afterwards, and the receipt verifies."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from lofte.rules.control import Control, Verdict, broken, kept, listed, unproved


@dataclass(frozen=True, slots=True)
class ErasureWalk:
    """What was left of the canary after it pressed the button. ``residue`` names table and column, here or
    in a connected system, never the value. ``obligations_open`` are systems that have not confirmed an erasure, this one or one
    that is overdue.
    """

    asked: bool
    searched: int
    residue: tuple[str, ...] = ()
    obligations_open: tuple[str, ...] = ()
    in_log: bool = False
    systems: int = 0
    back: int = 0


def _judge(seen: ErasureWalk, parameters: Mapping[str, Any]) -> Verdict:
    if seen.back:
        return broken("back", count=seen.back)
    if not seen.asked:
        return broken("not-possible")
    if seen.residue:
        return broken("residue", places=listed(seen.residue))
    if seen.obligations_open:
        return broken("elsewhere", systems=listed(seen.obligations_open))
    if not seen.in_log:
        return broken("no-evidence")
    if not seen.searched:
        return unproved("not-searched")
    return kept(searched=seen.searched, systems=seen.systems)


CONTROL = Control(
    id="erasure_complete",
    law=("GDPR 17(1)", "GDPR 19"),
    fresh_for=timedelta(days=2),
    needs=frozenset({"site", "register", "log"}),
    judge=_judge,
)
