"""Who is past the clock that starts when a relation ends."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from lofte.probes.instruments.clocks import clocked
from lofte.probes.probe import Probe
from lofte.probes.world import World
from lofte.rules.controls.gone_after_relation import Clocked


def _gather(world: World, parameters: Mapping[str, Any]) -> Clocked:
    return clocked(world, parameters.get("clock", "end-of-relation"))


PROBE = Probe("gone_after_relation", every=timedelta(hours=3), gather=_gather)
