"""Personal data is encrypted where it is stored and where it travels; proved in part today."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from lofte.rules.control import Control, Verdict, broken, listed, unproved


@dataclass(frozen=True, slots=True)
class Stores:
    """``in_clear`` are tables and columns where the canary's data was found readable; ``loose_keys`` key files
    others may read.
    """

    searched: int
    in_clear: tuple[str, ...] = ()
    loose_keys: tuple[str, ...] = ()
    over_tls: bool = False


def _judge(seen: Stores, parameters: Mapping[str, Any]) -> Verdict:
    if seen.in_clear:
        return broken("in-clear", places=listed(seen.in_clear))
    if seen.loose_keys:
        return broken("loose-keys", files=listed(seen.loose_keys))
    if not seen.searched:
        return unproved("nothing-searched")
    return unproved("partly" if seen.over_tls else "no-tls", columns=seen.searched)


CONTROL = Control(
    id="data_secured",
    law=("GDPR 32(1)", "GDPR 5(1)(f)"),
    fresh_for=timedelta(days=2),
    needs=frozenset({"register"}),
    judge=_judge,
)
