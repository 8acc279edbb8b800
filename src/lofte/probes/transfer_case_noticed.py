"""What went with businesses beside the cases on file, and how a sale went for a test person."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from lofte.probes.instruments import gates
from lofte.probes.probe import Probe
from lofte.probes.world import World
from lofte.rules.controls.transfer_case_noticed import Way


def _gather(world: World, parameters: Mapping[str, Any]) -> Way:
    return gates.way(
        world,
        parameters,
        gates.tried(world).merger,
        frozenset({"no-notice", "no-decision", "one-signer", "beyond-decision"}),
    )


PROBE = Probe("transfer_case_noticed", every=timedelta(hours=6), gather=_gather)
