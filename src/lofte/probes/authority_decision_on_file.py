"""What authorities were given beside the decisions on file, and how a decision went for a test person."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from lofte.probes.instruments import gates
from lofte.probes.probe import Probe
from lofte.probes.world import World
from lofte.rules.controls.authority_decision_on_file import Way


def _gather(world: World, parameters: Mapping[str, Any]) -> Way:
    return gates.way(
        world, parameters, gates.tried(world).authority, frozenset({"no-decision", "one-signer", "beyond-decision"})
    )


PROBE = Probe("authority_decision_on_file", every=timedelta(hours=6), gather=_gather)
