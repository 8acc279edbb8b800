"""What the promises of outreach have in common: test people, one a market, walk the whole way, and what each met is judged."""

from collections.abc import Iterable, Sequence
from typing import Any

from lofte.rules.control import Verdict, broken, listed, unproved


def judge_walks(walks: Sequence[Any], wanted: Sequence[tuple[str, bool, str]]) -> Verdict | None:
    """The first thing that went otherwise than ``wanted``: what was noticed, as it must be, and the reason when it is not.

    Each walk has a ``market``; the reason names the markets where it happened.
    """
    for name, must_be, reason in wanted:
        if markets := [walk.market for walk in walks if getattr(walk, name) is not must_be]:
            return broken(reason, markets=listed(markets))
    return None


def unseen(walks: Iterable[Any], expected: Iterable[str]) -> Verdict | None:
    """Where nobody could walk nothing is proved."""
    missing = set(expected) - {walk.market for walk in walks}
    return unproved("not-walked", markets=listed(missing)) if missing else None
