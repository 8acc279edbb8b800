"""Where the offices' recipients are, declared and contacted."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from lofte.probes.instruments.recipients import recipients
from lofte.probes.probe import Probe
from lofte.probes.world import World
from lofte.rules.controls.no_transfer_outside_eea import Recipients


def _gather(world: World, parameters: Mapping[str, Any]) -> Recipients:
    return recipients(world)


PROBE = Probe("no_transfer_outside_eea", every=timedelta(hours=6), gather=_gather)
