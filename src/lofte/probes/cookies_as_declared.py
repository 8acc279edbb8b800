"""What browsers keep in every phase of consent, to be laid beside the cookie list."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from lofte.probes.instruments.newcomers import newcomers
from lofte.probes.probe import Probe
from lofte.probes.world import World
from lofte.rules.controls.cookies_as_declared import Newcomers


def _gather(world: World, parameters: Mapping[str, Any]) -> Newcomers:
    return newcomers(world)


PROBE = Probe("cookies_as_declared", every=timedelta(hours=6), gather=_gather)
