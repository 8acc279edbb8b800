"""Telling those who come that an event was changed or called off: some at a time, each once, however often the work is cut short.

The acts of `planning` only say that there is news. Who was told, their letter and their new deadlines are written together, in the
event's turn: whatever ends this work, nobody is left out and nobody hears it twice.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from lofte.core import ports
from lofte.core.retry import in_transaction
from lofte.core.tasks import duty
from lofte.features.outreach.events import letters, seats, terms
from lofte.features.outreach.events.models import Event, Registration

_BATCH = 100


@duty("events.tell", every=timedelta(minutes=1))
def tell(at: datetime) -> int:
    """Write the letters that are owed. Returns how many."""
    told = 0
    for event_id in list(Event.objects.filter(has_news=True).values_list("id", flat=True)):
        while (written := _some(event_id, at)) is not None:
            told += written
    return told


def waiting(event: Event) -> int:
    """How many have not been told yet."""
    return _untold(event).filter(state__in=_reached(event)).count() if event.has_news else 0


@in_transaction
def _some(event_id: UUID, at: datetime) -> int | None:
    """The next of them; None when everybody knows."""
    seats.take_turn(event_id)
    event = Event.objects.filter(pk=event_id).first()
    if event is None:
        return None
    rows = list(_untold(event).order_by("person_id")[:_BATCH])
    if not rows:
        Event.objects.filter(pk=event_id).update(has_news=False)
        return None
    Registration.everyone.filter(id__in=[row.id for row in rows], person_id__in=[row.person_id for row in rows]).update(
        told=event.sequence
    )
    if event.state == Event.State.CANCELLED:
        _bring_forward(event, rows)
        return _write(event, rows, "called_off")
    return _write(event, rows, "changed") if event.ends_at > at else 0


def _bring_forward(event: Event, rows: Sequence[Registration]) -> None:
    """What did not take place ended the day it was called off: what was answered goes by that."""
    for row in rows:
        terms.renew(event, row)
    ports.register().refresh_due_of([row.person_id for row in rows])


def _write(event: Event, rows: Sequence[Registration], kind: str) -> int:
    reached = _reached(event)
    return sum(letters.to_one(event, row, kind) is not None for row in rows if row.state in reached)


def _reached(event: Event) -> Sequence[str]:
    """Whom it concerns: a change those with a place, its end also those who wait for one."""
    return seats.COMING if event.state == Event.State.CANCELLED else (Registration.State.REGISTERED,)


def _untold(event: Event):  # type: ignore[no-untyped-def]  # a queryset of our manager
    return Registration.everyone.filter(event_id=event.id, told__lt=event.sequence)
