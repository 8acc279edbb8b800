"""What is in the values browsers keep, in every phase of consent, by its kind."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from lofte.probes.instruments.newcomers import newcomers
from lofte.probes.probe import Probe
from lofte.probes.world import World
from lofte.rules.controls.cookie_data_declared import Newcomers


def _gather(world: World, parameters: Mapping[str, Any]) -> Newcomers:
    return newcomers(world)


PROBE = Probe("cookie_data_declared", every=timedelta(hours=6), gather=_gather)
