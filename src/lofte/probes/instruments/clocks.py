"""Who in the register is past a clock, whether the register's last days are the policy's, and when the sweep last ran."""

import os
from datetime import timedelta
from uuid import UUID

from lofte.core import publication
from lofte.core.models import Person
from lofte.core.progress import verbs as progress
from lofte.features.register import due
from lofte.features.register.models import Holding, Signal
from lofte.features.retention import brake
from lofte.features.retention import verbs as retention
from lofte.features.retention.models import Sweep
from lofte.probes.instruments import lifetime
from lofte.probes.world import World
from lofte.rules.controls._clocked import Clocked

_GRACE = timedelta(hours=1)  # the sweep runs every few minutes; what it has not reached by then it misses
_LOOKED_AT = 100  # people a round, others each time


def clocked(world: World, name: str, purpose: str = "", still_there: bool | None = None) -> Clocked:
    """The holdings under one clock (and one purpose, if named), as the rows themselves say, and as a test person met them."""
    at = world.now()
    rows = Holding.everyone.filter(clock=name)
    rows = rows.filter(purpose=purpose) if purpose else rows
    late = rows.filter(due_at__lt=at - _GRACE)
    oldest = late.order_by("due_at").values_list("due_at", flat=True).first()
    swept = Sweep.objects.filter(finished_at__isnull=False).order_by("-finished_at").first()
    looked, put_off = world.once("put-off", _put_off)
    return Clocked(
        people=rows.values("person_id").distinct().count(),
        overdue=late.values("person_id").distinct().count(),
        longest_days=(at - oldest).days if oldest else 0,
        swept_hours=int((at - swept.finished_at).total_seconds() // 3600) if swept and swept.finished_at else None,
        still_there=still_there,
        looked=looked,
        put_off=put_off.get(name, 0),
        untrue_signals=_untrue_signals(world, name),
        led=lifetime.led(world, name),
    )


def _put_off() -> tuple[int, dict[str, int]]:
    """Of people picked at random: holdings whose last day is missing or later than the clocks of the policy give, by clock.

    While a new publication's last days are still being worked out nothing is said.
    """
    published = publication.current()
    if progress.unfinished(retention.RECOMPUTING, brake.rules_now()) is not None:
        return 0, {}
    people, found = _some_people(), dict[str, int]()
    for person_id in people:
        around = due.surroundings(person_id)
        for row in Holding.objects.of(person_id).defer("sealed"):
            wanted = due.due_of(row, around, published)
            if wanted is not None and (row.due_at is None or row.due_at - wanted.at > _GRACE):
                found[wanted.clock] = found.get(wanted.clock, 0) + 1
    return len(people), found


def _some_people() -> list[UUID]:
    start = UUID(bytes=os.urandom(16))
    rows = Person.objects.filter(provisional=False).order_by("id").values_list("id", flat=True)
    after = list(rows.filter(id__gte=start)[:_LOOKED_AT])
    return after + list(rows.filter(id__lt=start)[: _LOOKED_AT - len(after)])


def _untrue_signals(world: World, name: str) -> int:
    """Signs of interest that lie in the future: nobody has shown them yet, and they would move the clock."""
    kinds = world.published.policy.clocks[name].signals if name in world.published.policy.clocks else ()
    return int(Signal.everyone.filter(kind__in=kinds, at__gt=world.now() + _GRACE).count())
