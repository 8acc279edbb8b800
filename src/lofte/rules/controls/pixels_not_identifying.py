"""No pixel request carries what ties it to a person, and each platform's own policy is linked where people read and choose."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from lofte.rules.control import Control, Verdict, broken, kept, listed
from lofte.rules.controls._seen import Page, lacking
from lofte.rules.controls._told import Told, judge_told


@dataclass(frozen=True, slots=True)
class PixelsTold:
    """What the pixels were told, and the pages that must link the platforms' policies: what one lacks it does not link."""

    told: Told
    links: tuple[Page, ...]


def _judge(seen: PixelsTold, parameters: Mapping[str, Any]) -> Verdict:
    """``fields``, if given, are those that count as identifying."""
    against = judge_told(seen.told, parameters)
    if against and against.reason == "leak":
        return against
    if lacks := lacking(seen.links):
        return broken("unlinked", pages=listed(lacks))
    requests = seen.told.requests or {}
    return against or kept(
        typed=seen.told.typed, requests=sum(requests.values()), hosts=listed(requests), pages=len(seen.links)
    )


CONTROL = Control(
    id="pixels_not_identifying",
    law=("GDPR 5(1)(c)", "GDPR 13(1)(e)"),
    fresh_for=timedelta(days=2),
    needs=frozenset({"browser"}),
    judge=_judge,
)
