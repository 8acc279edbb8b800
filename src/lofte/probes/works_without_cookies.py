"""Opens the editions in a browser that keeps no cookie at all, and reads whether the policy says what is lost."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from lofte.kernel.problems import Problem
from lofte.probes.instruments import browser, pages
from lofte.probes.instruments.newcomers import pages_of
from lofte.probes.instruments.visitor import Seen
from lofte.probes.probe import Probe
from lofte.probes.world import World
from lofte.rules.controls._seen import Page
from lofte.rules.controls.works_without_cookies import CookielessVisit

_CONTROL = "works_without_cookies"


def _gather(world: World, parameters: Mapping[str, Any]) -> CookielessVisit:
    markets = world.published.policy.markets
    tasks = [
        {"task": "cookieless", "locale": markets[key].locales[0], "pages": pages_of(world, key)}
        for key in world.visited_markets
    ]
    seen = browser.run(world, tasks, blocks_cookies=True)
    if not seen["sees"]:
        raise Problem("probe.keeps-cookies", "the browser keeps cookies although it was told not to", status=502)
    results = seen["results"]
    return CookielessVisit(
        opened=sum(one["opened"] for one in results),
        dead=tuple(address for one in results for address in one["dead"]),
        silent=_silent(world),
    )


def _silent(world: World) -> tuple[Page, ...]:
    def lacks(market: str, locale: str, seen: Seen) -> list[str]:
        return [promise for promise in world.promises_of(_CONTROL) if not pages.clauses(seen, promise)]

    return pages.each(world, "policy", lacks)


PROBE = Probe(_CONTROL, every=timedelta(hours=6), gather=_gather)
