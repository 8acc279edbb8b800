"""How the canary left, and what came afterwards."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from lofte.probes.instruments import canary
from lofte.probes.probe import Probe
from lofte.probes.world import World
from lofte.rules.controls.withdrawal_at_once import WithdrawalWalk


def _gather(world: World, parameters: Mapping[str, Any]) -> WithdrawalWalk | None:
    return canary.walk(world).withdrawal


PROBE = Probe("withdrawal_at_once", every=timedelta(hours=3), gather=_gather)
