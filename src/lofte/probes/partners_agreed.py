"""What partners were given beside the agreements on file, and how a referral went for a test person."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from lofte.probes.instruments import gates
from lofte.probes.probe import Probe
from lofte.probes.world import World
from lofte.rules.controls.partners_agreed import Way

_FAULTS = frozenset({"not-agreed"})


def _gather(world: World, parameters: Mapping[str, Any]) -> Way:
    return gates.way(world, parameters, gates.tried(world).partner, _FAULTS)


PROBE = Probe("partners_agreed", every=timedelta(hours=6), gather=_gather)
