"""How the canary fared in the portal, and what a stranger learnt."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from lofte.probes.instruments import canary
from lofte.probes.probe import Probe
from lofte.probes.world import World
from lofte.rules.controls.portal_gives_access import PortalWalk


def _gather(world: World, parameters: Mapping[str, Any]) -> PortalWalk | None:
    return canary.walk(world).portal


PROBE = Probe("portal_gives_access", every=timedelta(hours=3), gather=_gather)
