"""When the hosts of social platforms are asked."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from lofte.probes.instruments.newcomers import newcomers
from lofte.probes.probe import Probe
from lofte.probes.world import World
from lofte.rules.controls.pixels_after_consent import Newcomers


def _gather(world: World, parameters: Mapping[str, Any]) -> Newcomers:
    return newcomers(world)


PROBE = Probe("pixels_after_consent", every=timedelta(hours=6), gather=_gather)
