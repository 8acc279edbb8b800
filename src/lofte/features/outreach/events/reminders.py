"""Reminders to those with a place, as long before the event as staff said. Each is sent once, however often the duty runs."""

from datetime import UTC, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import Q

from lofte.core.retry import in_transaction
from lofte.core.tasks import duty
from lofte.features.outreach.events import letters
from lofte.features.outreach.events.models import Event, Registration

PERIODS = {
    "PT1H": timedelta(hours=1), "PT3H": timedelta(hours=3), "P1D": timedelta(days=1), "P2D": timedelta(days=2),
    "P7D": timedelta(days=7), "P14D": timedelta(days=14),
}  # fmt: skip
"""How long before an event people can be reminded of it."""
_BATCH = 200


@duty("events.remind", every=timedelta(minutes=10))
def remind(at: datetime) -> int:
    """Queue the reminders whose hour has come. Who registered after it gets none for it. Returns how many."""
    sent = 0
    for event in Event.objects.filter(state=Event.State.PUBLISHED, starts_at__gt=at):
        moments = [moment for moment in hours_of(event) if moment <= at]
        if not moments:
            continue
        due = _waiting_for(event, max(moments))
        while rows := list(due[:_BATCH]):
            sent += sum(_one(event.id, row.person_id, row.id, max(moments), at) for row in rows)
    return sent


def hours_of(event: Event) -> list[datetime]:
    """When its reminders go: days by the clock on the wall where the event is, hours as time that passes."""
    begins = event.starts_at.astimezone(ZoneInfo(event.zone))
    moments = []
    for period in event.reminders:
        moment = event.starts_at if period.startswith("PT") else begins
        moments.append((moment - PERIODS[period]).astimezone(UTC))
    return sorted(moments)


def _waiting_for(event: Event, moment: datetime):  # type: ignore[no-untyped-def]  # a queryset of our manager
    unheard = Q(reminded_at__isnull=True) | Q(reminded_at__lt=moment)
    return Registration.everyone.filter(
        unheard, event_id=event.id, state=Registration.State.REGISTERED, placed_at__lt=moment
    ).order_by("person_id")


@in_transaction
def _one(event_id: UUID, person_id: UUID, registration: UUID, moment: datetime, at: datetime) -> int:
    """The conditional UPDATE decides: whoever changes the row writes the letter, in the same transaction."""
    unheard = Q(reminded_at__isnull=True) | Q(reminded_at__lt=moment)
    mine = Registration.objects.of(person_id).filter(id=registration)
    if not mine.filter(unheard, state=Registration.State.REGISTERED).update(reminded_at=at):
        return 0
    event = Event.objects.get(pk=event_id)
    if event.state != Event.State.PUBLISHED or event.starts_at <= at:
        return 0
    return int(letters.to_one(event, mine.get(), "reminder") is not None)
