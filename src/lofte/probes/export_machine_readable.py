"""The file the canary downloaded, beside its schema and the register."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from lofte.probes.instruments import canary
from lofte.probes.probe import Probe
from lofte.probes.world import World
from lofte.rules.controls.export_machine_readable import ExportWalk


def _gather(world: World, parameters: Mapping[str, Any]) -> ExportWalk | None:
    return canary.walk(world).export


PROBE = Probe("export_machine_readable", every=timedelta(hours=3), gather=_gather)
