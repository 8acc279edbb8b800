"""On what basis customers' data rests: declared, held and said."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from lofte.probes.instruments.basis import basis
from lofte.probes.probe import Probe
from lofte.probes.world import World
from lofte.rules.controls.customer_on_contract import BasisSeen


def _gather(world: World, parameters: Mapping[str, Any]) -> BasisSeen:
    return basis(world, "customer_on_contract", parameters)


PROBE = Probe("customer_on_contract", every=timedelta(hours=3), gather=_gather)
