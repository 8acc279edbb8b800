"""Chooses every edition with the site's own switch in a real browser and comes back to the front door."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from lofte.probes.instruments import browser
from lofte.probes.instruments.newcomers import home_of
from lofte.probes.probe import Probe
from lofte.probes.world import World
from lofte.rules.controls.language_remembered import LanguageChoices, Switch


def _gather(world: World, parameters: Mapping[str, Any]) -> LanguageChoices:
    markets = list(world.published.policy.markets)
    others = dict(zip(markets, [*markets[1:], markets[0]], strict=True))
    tasks = [
        {"task": "language", "edition": home_of(world, key), "start": home_of(world, others[key])}
        for key in world.visited_markets
    ]
    results = browser.run(world, tasks)["results"]
    switches = tuple(Switch(one["edition"], one["landed"]) for one in results if one["has_switch"])
    return LanguageChoices(switches, has_switch=len(switches) == len(results))


PROBE = Probe("language_remembered", every=timedelta(hours=6), gather=_gather)
