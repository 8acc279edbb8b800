"""Who is past the inactivity clock, and whether a canary that withdrew outlived the sweep."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from lofte.probes.instruments import canary
from lofte.probes.instruments.clocks import clocked
from lofte.probes.probe import Probe, Unable
from lofte.probes.world import World
from lofte.rules.controls.gone_after_withdrawal_or_inactivity import Clocked


def _gather(world: World, parameters: Mapping[str, Any]) -> Clocked:
    try:
        still_there = canary.walk(world).still_there
    except Unable:
        still_there = None
    return clocked(world, parameters.get("clock", "inactivity"), parameters.get("purpose", ""), still_there)


PROBE = Probe("gone_after_withdrawal_or_inactivity", every=timedelta(hours=3), gather=_gather)
