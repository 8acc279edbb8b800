"""Reads every policy page as a visitor and looks for the controller's name and the offices of the group."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from lofte.probes.instruments import pages
from lofte.probes.instruments.visitor import Seen
from lofte.probes.probe import Probe
from lofte.probes.world import World
from lofte.rules.controls.market_contacts import ControllersShown


def _gather(world: World, parameters: Mapping[str, Any]) -> ControllersShown:
    policy = world.published.policy

    def lacks(market: str, locale: str, seen: Seen) -> list[str]:
        controller = policy.controllers[policy.markets[market].controller]
        offices = [office.city for office in policy.organisation.offices]
        return pages.not_in(seen.page.text, [controller.name, *offices])

    return ControllersShown(pages.each(world, "policy", lacks))


PROBE = Probe("market_contacts", every=timedelta(hours=3), gather=_gather)
