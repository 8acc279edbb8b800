"""The relations the publication declares with their clocks, and holdings that no declared clock will ever end."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from lofte.features.register.models import Holding, Relation
from lofte.probes.probe import Probe
from lofte.probes.world import World
from lofte.rules.controls.relations_have_clocks import Relations


def _gather(world: World, parameters: Mapping[str, Any]) -> Relations:
    policy = world.published.policy
    clocks = {key: one.clock if one.clock in policy.clocks else "" for key, one in policy.relations.items()}
    strangers = Relation.everyone.exclude(relation__in=list(policy.relations)).count()
    unclocked = Holding.everyone.exclude(clock__in=list(policy.clocks)).count()
    return Relations(clocks, Holding.everyone.count(), strangers + unclocked)


PROBE = Probe("relations_have_clocks", every=timedelta(hours=3), gather=_gather)
