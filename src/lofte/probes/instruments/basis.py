"""On what basis purposes rest: as declared, in the register, and in the words readers are shown."""

from collections.abc import Mapping
from typing import Any

from lofte.features.register.models import Holding
from lofte.probes.instruments import pages
from lofte.probes.instruments.visitor import Seen
from lofte.probes.world import World
from lofte.rules.controls._basis import BasisSeen


def basis(world: World, control_id: str, parameters: Mapping[str, Any]) -> BasisSeen:
    """``parameters`` name the ``purpose`` and the ``basis`` it must rest on."""
    purpose, wanted = parameters.get("purpose", ""), parameters.get("basis", "contract")
    declared = world.published.policy.purposes.get(purpose)
    held = Holding.everyone.filter(purpose=purpose)

    def lacks(market: str, locale: str, seen: Seen) -> list[str]:
        return [promise for promise in world.promises_of(control_id) if not pages.clauses(seen, promise)]

    return BasisSeen(
        declared={purpose: declared.basis.value} if declared else {},
        holdings=held.count(),
        otherwise=held.exclude(basis=wanted).count(),
        pages=pages.each(world, "policy", lacks),
    )
