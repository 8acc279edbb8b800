"""Whoever opts out at Google is not measured, whatever they answered us, and the way to opt out is linked."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from lofte.rules.control import Control, Verdict, broken, kept, listed, unproved
from lofte.rules.controls._seen import Page, lacking


@dataclass(frozen=True, slots=True)
class OptedOut:
    """How often the hosts of the tag were told something by somebody who said yes, without and with Google's opt-out, and the pages
    that must link the opt-out.
    """

    instrument_sees: bool
    without: Mapping[str, int]
    opted_out: Mapping[str, int]
    links: tuple[Page, ...]


def _judge(seen: OptedOut, parameters: Mapping[str, Any]) -> Verdict:
    if not seen.instrument_sees:
        return unproved("blind")
    if seen.opted_out:
        return broken("measured", hosts=listed(f"{host} ({count})" for host, count in seen.opted_out.items()))
    if lacks := lacking(seen.links):
        return broken("unlinked", pages=listed(lacks))
    if not seen.links:
        return unproved("no-link")
    if not seen.without:
        return unproved("never-measured")
    return kept(calls=sum(seen.without.values()), hosts=listed(seen.without), pages=len(seen.links))


CONTROL = Control(
    id="analytics_optout",
    law=("GDPR 21", "GDPR 7(3)"),
    fresh_for=timedelta(days=2),
    needs=frozenset({"browser"}),
    judge=_judge,
)
