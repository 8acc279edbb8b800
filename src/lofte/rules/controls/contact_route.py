"""Whoever asks or complains finds the way: the market's contact and the supervisory authority.

That answers come is not observed yet.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from lofte.rules.control import Control, Verdict, broken, listed, unproved
from lofte.rules.controls._seen import Page, lacking


@dataclass(frozen=True, slots=True)
class RoutesShown:
    """Policy pages, and the authorities each should name and does not."""

    pages: tuple[Page, ...]


def _judge(seen: RoutesShown, parameters: Mapping[str, Any]) -> Verdict:
    if lacks := lacking(seen.pages):
        return broken("no-authority", pages=listed(lacks))
    if not seen.pages:
        return unproved("no-pages")
    return unproved("partly", pages=len(seen.pages))


CONTROL = Control(
    id="contact_route",
    law=("GDPR 13(2)(d)", "GDPR 12(2)", "GDPR 77"),
    fresh_for=timedelta(days=2),
    needs=frozenset({"site", "publication"}),
    judge=_judge,
)
