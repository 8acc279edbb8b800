"""Reads every market's law pack as it stands today (sources, days, values that ran out) and tries whether it is obeyed."""

from collections.abc import Mapping
from datetime import UTC, date, timedelta
from typing import Any

from lofte.probes.instruments import local_law
from lofte.probes.probe import Probe
from lofte.probes.world import World
from lofte.rules.controls.law_pack_current import LawPacks, PackSeen
from lofte.rules.packs import NEEDED_TOPICS, LawPack, law_pack


def _gather(world: World, parameters: Mapping[str, Any]) -> LawPacks:
    today = world.now().astimezone(UTC).date()
    packs, without = [], []
    for key, market in world.published.policy.markets.items():
        try:
            packs.append(_seen(key, law_pack(market.law), today))
        except KeyError:
            without.append(key)
    return LawPacks(tuple(packs), tuple(without), tuple(local_law.ignored(world)))


def _seen(market: str, pack: LawPack, today: date) -> PackSeen:
    in_force = [row for rows in pack.topics.values() for row in rows if row.is_in_force(today)]
    topics = {row.topic for row in in_force}
    return PackSeen(
        market=market,
        law=pack.law,
        values=len(in_force),
        uncited=tuple(row.topic for row in in_force if not row.citation.strip()),
        expired=tuple(topic for topic in NEEDED_TOPICS if topic not in topics),
        checked_days=max(((today - row.checked_on).days for row in in_force), default=0),
    )


PROBE = Probe("law_pack_current", every=timedelta(hours=12), gather=_gather)
