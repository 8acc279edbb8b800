"""Pixels yield sizes of groups: nothing about a single person has come in from their platforms.

Never *kept* yet: only a connection to the platforms can show that what they do yield are sizes.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from lofte.rules.control import Control, Verdict, broken, listed, unproved


@dataclass(frozen=True, slots=True)
class PixelYield:
    """``platforms`` by name; ``single`` counts what is on file about single people by its source, where that is one of them."""

    platforms: tuple[str, ...]
    single: Mapping[str, int]


def _judge(seen: PixelYield, parameters: Mapping[str, Any]) -> Verdict:
    if seen.single:
        return broken("single", sources=listed(f"{source} ({count})" for source, count in sorted(seen.single.items())))
    return unproved("no-sizes", platforms=listed(seen.platforms))


CONTROL = Control(
    id="pixels_aggregate",
    law=("GDPR 26", "GDPR 5(1)(c)"),
    fresh_for=timedelta(days=2),
    needs=frozenset({"register"}),
    judge=_judge,
)
