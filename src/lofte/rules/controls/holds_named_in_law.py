"""Whatever is kept longer is kept by a named statute, for named fields, until a named day."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from lofte.rules.control import Control, Verdict, broken, kept, listed, unproved


@dataclass(frozen=True, slots=True)
class StatuteWalk:
    """A test person whose clocks have struck, with a hold and a record that a statute keeps. ``let_through`` are holds that had
    to be refused; ``lost`` fields the law needs and that went all the same, ``stayed`` those it does not need and that stayed;
    ``outlived`` whether anything was left after the last day.
    """

    trials: int
    let_through: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()
    stayed: tuple[str, ...] = ()
    outlived: bool = False
    held: bool = False
    recorded: bool = False


@dataclass(frozen=True, slots=True)
class Statutes:
    """Holds that stand: ``lawless`` name no statute or no end, ``over`` are past their end and still there, ``unreviewed`` past the
    day somebody should have looked. ``without_law`` are markets of the promise whose law pack keeps no record of the kind declared.
    """

    holds: int
    lawless: int = 0
    over: int = 0
    unreviewed: int = 0
    without_law: tuple[str, ...] = ()
    walk: StatuteWalk | None = None


def _judge(seen: Statutes, parameters: Mapping[str, Any]) -> Verdict:
    for count, reason in ((seen.lawless, "lawless"), (seen.over, "over"), (seen.unreviewed, "unreviewed")):
        if count:
            return broken(reason, count=count)
    walk = seen.walk
    if walk is None:
        return unproved("nobody")
    if walk.let_through:
        return broken(f"passed-{walk.let_through[0]}")
    if walk.lost:
        return broken("lost", fields=listed(walk.lost))
    if walk.stayed:
        return broken("stayed", fields=listed(walk.stayed))
    if walk.outlived:
        return broken("outlived")
    if not walk.held:
        return unproved("nobody")
    if seen.without_law:
        return unproved("without-law", markets=listed(seen.without_law))
    return kept(holds=seen.holds, trials=walk.trials)


CONTROL = Control(
    id="holds_named_in_law",
    law=("GDPR 6(1)(c)", "GDPR 17(3)(b)"),
    fresh_for=timedelta(days=1),
    needs=frozenset({"register"}),
    judge=_judge,
)
