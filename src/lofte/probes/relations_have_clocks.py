"""The relations the publication declares with their clocks, and holdings that no declared clock will ever end."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.db.models import Exists, OuterRef, Q

from lofte.features.register.due import AT_ONCE, PUTS_OFF
from lofte.features.register.models import Holding, Relation
from lofte.probes.probe import Probe
from lofte.probes.world import World
from lofte.rules.controls.relations_have_clocks import Relations
from lofte.rules.model import Policy


def _gather(world: World, parameters: Mapping[str, Any]) -> Relations:
    policy = world.published.policy
    clocks = {key: one.clock if one.clock in policy.clocks else "" for key, one in policy.relations.items()}
    strangers = Relation.everyone.exclude(relation__in=list(policy.relations)).count()
    return Relations(clocks, Holding.everyone.count(), strangers + _unclocked(policy))


def _unclocked(policy: Policy) -> int:
    """Holdings no clock will ever end. While a relation lasts, what waits for its end has none running yet."""
    waits = {
        key for key, one in policy.purposes.items() if one.clock and policy.clocks[one.clock].kind == "end_of_relation"
    }
    ends = [*policy.clocks, AT_ONCE, *PUTS_OFF]  # a statute or a hold names its end as well as a clock does
    bare = Holding.everyone.exclude(clock__in=ends)
    lasting = Relation.everyone.filter(person_id=OuterRef("person_id"), ended_at__isnull=True)
    in_force = Exists(
        lasting.filter(relation__in=[key for key, one in policy.relations.items() if waits & set(one.purposes)])
    )
    return int(bare.exclude(Q(purpose__in=waits) & in_force).count())


PROBE = Probe("relations_have_clocks", every=timedelta(hours=3), gather=_gather)
