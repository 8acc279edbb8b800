"""What was left of the canary after it erased itself."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from lofte.probes.instruments import canary
from lofte.probes.probe import Probe
from lofte.probes.world import World
from lofte.rules.controls.erasure_complete import ErasureWalk


def _gather(world: World, parameters: Mapping[str, Any]) -> ErasureWalk | None:
    return canary.walk(world).erasure


PROBE = Probe("erasure_complete", every=timedelta(hours=3), gather=_gather)
