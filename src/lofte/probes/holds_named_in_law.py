"""The holds that stand, whether each market's law keeps what the policy says it does, and what a test person met."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from lofte.features.retention import holds
from lofte.probes.instruments import statutes
from lofte.probes.probe import Probe
from lofte.probes.world import World
from lofte.rules.controls.holds_named_in_law import Statutes

_LATE = timedelta(hours=3)  # the duty that takes away what is past its end runs every hour


def _gather(world: World, parameters: Mapping[str, Any]) -> Statutes:
    at, policy = world.now(), world.published.policy
    markets = [one for one in parameters.get("markets", ()) if one in policy.markets]
    record = statutes.record_of_customers(policy)
    return Statutes(
        holds=len(holds.standing()),
        lawless=len(holds.lawless()),
        over=len(holds.past_end(at - _LATE)),
        unreviewed=len(holds.past_review(at)),
        without_law=tuple(one for one in markets if record and statutes.keeps_until(policy, one, record, at) is None),
        walk=statutes.walk(world),
    )


PROBE = Probe("holds_named_in_law", every=timedelta(hours=6), gather=_gather)
