"""What P20 to P23 have in common: a way out is tried, what has left is looked over, and nothing may have left by itself."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lofte.rules.control import Verdict, broken, kept, listed, unproved


@dataclass(frozen=True, slots=True)
class Passage:
    """A way out tried on a test person: what had to be refused (``let_through`` names what was not), then the whole way.

    ``beyond`` are fields that left and were not agreed or decided. ``told``: the letter to the person came. ``logged``: the log had
    it. ``recalled``: after the person's erasure the recipient is told to erase. ``done``: something left as it should.
    """

    trials: int
    done: bool = False
    let_through: tuple[str, ...] = ()
    beyond: tuple[str, ...] = ()
    told: bool = True
    logged: bool = True
    recalled: bool = True


@dataclass(frozen=True, slots=True)
class Left:
    """``count`` disclosures to a recipient that contradict the promise in one way."""

    fault: str
    recipient: str
    count: int


@dataclass(frozen=True, slots=True)
class Way:
    """One way out, as tried and as used. ``used`` is how many disclosures went that way; ``lacking`` what is not on file."""

    passage: Passage | None
    left: tuple[Left, ...] = ()
    used: int = 0
    lacking: tuple[str, ...] = ()


def judge_way(seen: Way, parameters: Mapping[str, Any]) -> Verdict:
    """What has left without its ground weighs most; then what a trial got through; then what was not done on the way."""
    if seen.left:
        worst = seen.left[0].fault
        return broken(
            worst, recipients=listed(f"{one.recipient} ({one.count})" for one in seen.left if one.fault == worst)
        )
    if seen.lacking:
        return broken("not-on-file", recipients=listed(seen.lacking))
    passage = seen.passage
    if passage is None:
        return unproved("no-way")
    if passage.let_through:
        return broken(f"passed-{passage.let_through[0]}")
    if passage.beyond:
        return broken("beyond", fields=listed(passage.beyond))
    for is_so, reason in ((passage.told, "untold"), (passage.logged, "unlogged"), (passage.recalled, "unrecalled")):
        if not is_so:
            return broken(reason)
    if not passage.done:
        return unproved("not-walked")
    return kept(trials=passage.trials, used=seen.used)
