"""Reads every policy page as a visitor and looks for the supervisory authority of its market."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from lofte.probes.instruments import pages
from lofte.probes.instruments.visitor import Seen
from lofte.probes.probe import Probe
from lofte.probes.world import World
from lofte.rules.controls.contact_route import RoutesShown


def _gather(world: World, parameters: Mapping[str, Any]) -> RoutesShown:
    def lacks(market: str, locale: str, seen: Seen) -> list[str]:
        values = pages.values_of(world, market, locale)
        return pages.not_in(seen.page.text, [values["authority.name"].text])

    return RoutesShown(pages.each(world, "policy", lacks))


PROBE = Probe("contact_route", every=timedelta(hours=3), gather=_gather)
