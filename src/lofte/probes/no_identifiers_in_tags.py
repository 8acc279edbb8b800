"""What tags are told by a visitor who said yes and types a made-up name, address and number into whatever asks for them."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from lofte.probes.instruments.identified import told
from lofte.probes.probe import Probe
from lofte.probes.world import World
from lofte.rules.controls.no_identifiers_in_tags import Told


def _gather(world: World, parameters: Mapping[str, Any]) -> Told:
    return told(world, parameters.get("tags", ()))


PROBE = Probe("no_identifiers_in_tags", every=timedelta(hours=6), gather=_gather)
