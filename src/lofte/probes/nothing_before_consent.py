"""What a newcomer's browser keeps and whom it asks, before a choice and after a no."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from lofte.probes.instruments.newcomers import newcomers
from lofte.probes.probe import Probe
from lofte.probes.world import World
from lofte.rules.controls.nothing_before_consent import Newcomers


def _gather(world: World, parameters: Mapping[str, Any]) -> Newcomers:
    return newcomers(world)


PROBE = Probe("nothing_before_consent", every=timedelta(hours=6), gather=_gather)
