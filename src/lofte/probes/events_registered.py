"""How test people in every market fared who registered for an event, and what stands of everybody else."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, F

from lofte.features.outreach.events import forgetting
from lofte.features.outreach.events.models import Answer, Event, Registration
from lofte.probes.instruments.canary import events, flock
from lofte.probes.probe import Probe
from lofte.probes.world import World
from lofte.rules.controls.events_registered import Events

_GRACE = timedelta(hours=3)  # what is due is let go of once an hour
_LOOKED_AT = 500


def _gather(world: World, parameters: Mapping[str, Any]) -> Events:
    walks = events.walk(world, parameters.get("form", "event"))
    at = world.now()
    late = _overdue(at)
    return Events(
        expected=flock.markets(world),
        walks=walks,
        events=Event.objects.count(),
        overbooked=_overbooked(),
        overdue=len(late),
        longest_days=max(((at - each).days for each in late), default=0),
    )


def _overbooked() -> int:
    here = Registration.everyone.filter(state=Registration.State.REGISTERED).order_by().values("event_id")
    places = dict(Event.objects.values_list("id", "capacity"))
    return sum(each["people"] > places.get(each["event_id"], 0) for each in here.annotate(people=Count("id")))


def _overdue(at: datetime) -> list[datetime]:
    """The last days that are past of people whom no law, wish or request keeps there; the oldest first."""
    found: dict[Any, datetime] = {}
    answers = Answer.everyone.filter(due_at__lt=at - _GRACE).annotate(of=F("registration"))
    whole = Registration.everyone.filter(due_at__lt=at - _GRACE).annotate(of=F("id"))
    for rows, field in ((answers, "field"), (whole, "")):
        for row in rows.order_by("due_at")[:_LOOKED_AT]:
            if not forgetting.is_kept(row.person_id, getattr(row, field) if field else "", row.of, at):
                found.setdefault(row.person_id, row.due_at)
    return list(found.values())


PROBE = Probe("events_registered", every=timedelta(hours=6), gather=_gather)
