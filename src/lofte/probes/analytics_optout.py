"""Two people say yes to everything in a real browser; one has Google's opt-out add-on. Only the other may be measured."""

from collections import Counter
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from lofte.probes.instruments import browser, pages
from lofte.probes.instruments.newcomers import declared_host, pages_of
from lofte.probes.probe import Probe
from lofte.probes.world import World
from lofte.rules.controls._seen import host_matches
from lofte.rules.controls.analytics_optout import OptedOut


def _gather(world: World, parameters: Mapping[str, Any]) -> OptedOut:
    policy = world.published.policy
    tasks = [
        {
            "task": "opted_out",
            "market": key,
            "locale": policy.markets[key].locales[0],
            "pages": pages_of(world, key)[:1],
        }
        for key in world.visited_markets
    ]
    seen = browser.run(world, tasks)
    tag = policy.tags.get(str(parameters.get("tag", "")))
    hosts = tuple(tag.hosts) if tag else ()
    recipient = policy.recipients.get(tag.recipient) if tag else None
    return OptedOut(
        seen["sees"],
        _told(world, hosts, [one["without"] for one in seen["results"]]),
        _told(world, hosts, [one["with"] for one in seen["results"]]),
        pages.linking(world, [recipient.optout_url] if recipient and recipient.optout_url else []),
    )


def _told(world: World, patterns: tuple[str, ...], visits: list[Mapping[str, int]]) -> Mapping[str, int]:
    told: Counter[str] = Counter()
    for visit in visits:
        for seen, count in visit.items():
            host = declared_host(world, seen)
            if any(host_matches(host, one) for one in patterns):
                told[host] += count
    return told


PROBE = Probe("analytics_optout", every=timedelta(hours=6), gather=_gather)
