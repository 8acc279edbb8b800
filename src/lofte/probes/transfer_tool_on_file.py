"""Which transfer tools are on file for whoever takes data abroad, and whether anybody unknown was contacted."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from lofte.probes.instruments.recipients import recipients
from lofte.probes.probe import Probe
from lofte.probes.world import World
from lofte.rules.controls.transfer_tool_on_file import Recipients


def _gather(world: World, parameters: Mapping[str, Any]) -> Recipients:
    return recipients(world)


PROBE = Probe("transfer_tool_on_file", every=timedelta(hours=6), gather=_gather)
