"""Who is past the inactivity clock, whether a canary that withdrew outlived the sweep, and who can let go what the brake holds."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from lofte.probes.instruments import brakes, canary
from lofte.probes.instruments.clocks import clocked
from lofte.probes.probe import Probe, Unable
from lofte.probes.world import World
from lofte.rules.controls.gone_after_withdrawal_or_inactivity import Clocked


def _gather(world: World, parameters: Mapping[str, Any]) -> Clocked:
    try:
        still_there = canary.walk(world).still_there
    except Unable:
        still_there = None
    seen = clocked(world, parameters.get("clock", "inactivity"), parameters.get("purpose", ""), still_there)
    return replace(seen, let_alone=brakes.let_alone(), is_brake_loose=brakes.is_loose())


PROBE = Probe("gone_after_withdrawal_or_inactivity", every=timedelta(hours=3), gather=_gather)
