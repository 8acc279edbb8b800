"""How a test person in every market was given a material, and the links of everybody else."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.db.models import F

from lofte.features.outreach.materials.models import Grant
from lofte.probes.instruments.canary import flock, materials
from lofte.probes.probe import Probe
from lofte.probes.world import World
from lofte.rules.clocks import add_period
from lofte.rules.controls.materials_by_grant import Materials

_A_MOMENT = timedelta(hours=1)


def _gather(world: World, parameters: Mapping[str, Any]) -> Materials:
    walks = materials.walk(world, parameters.get("form", "material"))
    at, valid = world.now(), parameters.get("link_valid", "P7D")
    standing = Grant.everyone.filter(ends_at__gt=at, left__gt=0)
    return Materials(
        expected=flock.markets(world),
        walks=walks,
        links=standing.count(),
        late=Grant.everyone.filter(taken_at__gt=F("ends_at"), taken_at__gte=F("asked_at")).count(),
        endless=standing.filter(ends_at__gt=add_period(at, valid) + _A_MOMENT).count(),
    )


PROBE = Probe("materials_by_grant", every=timedelta(hours=6), gather=_gather)
