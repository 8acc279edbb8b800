"""Each market's policy page names its own controller, and the offices of the group."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from lofte.rules.control import Control, Verdict, broken, kept, listed, unproved
from lofte.rules.controls._seen import Page, lacking


@dataclass(frozen=True, slots=True)
class ControllersShown:
    """The served policy pages, and which controller names and office cities each lacks."""

    pages: tuple[Page, ...]


def _judge(seen: ControllersShown, parameters: Mapping[str, Any]) -> Verdict:
    if not seen.pages:
        return unproved("no-pages")
    if lacks := lacking(seen.pages):
        return broken("not-named", pages=listed(lacks))
    return kept(pages=len(seen.pages))


CONTROL = Control(
    id="market_contacts",
    law=("GDPR 13(1)(a)", "GDPR 14(1)(a)"),
    fresh_for=timedelta(days=2),
    needs=frozenset({"site", "publication"}),
    judge=_judge,
)
