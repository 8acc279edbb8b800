"""Whether anything can leave, or has left, for somebody who is not declared or past the gate."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from lofte.core import systems
from lofte.core.models import Action, Approval
from lofte.features.register import exports
from lofte.features.sharing import reads
from lofte.features.sharing.models import Disclosure
from lofte.probes.instruments import gates
from lofte.probes.probe import Probe
from lofte.probes.world import World
from lofte.rules.controls._gates import Left
from lofte.rules.controls.no_undeclared_disclosure import Ways

_FAULTS = ("undeclared", "no-ground", "no-evidence", "not-recalled")
_WATCHED = timedelta(days=30)


def _gather(world: World, parameters: Mapping[str, Any]) -> Ways:
    at = world.now()
    found = sorted((one for one in reads.faults(at) if one.kind in _FAULTS), key=lambda one: _FAULTS.index(one.kind))
    return Ways(
        passage=gates.tried(world).outside,
        left=tuple(Left(one.kind, one.recipient, one.count) for one in found),
        unlogged=reads.unlogged(at),
        strangers=tuple(name for name in systems.names() if name not in world.published.policy.systems),
        alone=_taken_out_alone(world),
        used=Disclosure.everyone.filter(handed_at__isnull=False).count(),
    )


def _taken_out_alone(world: World) -> int:
    """Lists of people that somebody took out more often than others let them."""
    since = world.now() - _WATCHED
    taken: dict[str, int] = {}
    for actor in Action.objects.filter(action="people.exported", at__gte=since).values_list("actor", flat=True):
        taken[actor] = taken.get(actor, 0) + 1
    return sum(max(0, count - _let(actor)) for actor, count in taken.items())


def _let(actor: str) -> int:
    rows = Approval.objects.filter(act=exports.ACT, asked_by=actor, state=Approval.State.DONE)
    return int(rows.exclude(decided_by__in=("", actor)).count())


PROBE = Probe("no_undeclared_disclosure", every=timedelta(hours=6), gather=_gather)
