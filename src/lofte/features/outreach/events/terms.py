"""When what an event knows of somebody must be gone: for each field a period after its end, never later than the policy says."""

from datetime import UTC, datetime, timedelta

from lofte.core import publication
from lofte.features.outreach.events.models import Answer, Event, Registration
from lofte.rules import clocks
from lofte.rules.model import ClockKind

KNOWN_AFTER_LEAVING = "P7D"
AFTER_LEAVING = timedelta(days=7)
"""How long we know of somebody who gave up their place, or never got one: until then they may change their mind or complain."""


def ended(event: Event) -> datetime:
    """When the event was over: at its end, or when it was called off before that."""
    if event.state == Event.State.CANCELLED and event.cancelled_at:
        return min(event.cancelled_at, event.ends_at)
    return event.ends_at


def due(event: Event, registration: Registration, field: str) -> datetime:
    """From when this field of this registration must no longer be there."""
    end = ended(event)
    period = event.retention.get(field, event.keep)
    latest = [clocks.add_period(end.astimezone(UTC), period), *_ceiling(registration)]
    if registration.state == Registration.State.LEFT and registration.left_at:
        latest.append(min(registration.left_at, end) + AFTER_LEAVING)
    elif registration.state == Registration.State.WAITING:
        latest.append(end + AFTER_LEAVING)
    return min(latest)


def last_due(event: Event, registration: Registration) -> datetime:
    """From when nothing of the registration may be there."""
    return max(due(event, registration, field) for field in ("*", *event.retention))


def longest(purpose: str) -> str:
    """The period the policy itself gives the purpose, counted from the registration; empty where it gives none."""
    policy = publication.current().policy
    declared = policy.purposes.get(purpose)
    found = policy.clocks.get(declared.clock) if declared and declared.clock else None
    return found.period or "" if found and found.kind is ClockKind.FIXED_AGE else ""


def is_longer(period: str, than: str, *, at: datetime) -> bool:
    """Whether one period ends later than another that begins at the same time."""
    return clocks.add_period(at, period) > clocks.add_period(at, than)


def _ceiling(registration: Registration) -> list[datetime]:
    period = longest(registration.purpose)
    return [clocks.add_period(registration.made_at.astimezone(UTC), period)] if period else []


def renew(event: Event, registration: Registration) -> None:
    """Write down anew when the registration and each of its answers must be gone."""
    mine = Registration.objects.of(registration.person_id).filter(id=registration.id)
    if (until := last_due(event, registration)) != registration.due_at:
        mine.update(due_at=until)
        registration.due_at = until
    for answer in Answer.objects.of(registration.person_id).filter(registration=registration.id).defer("sealed"):
        if (until := due(event, registration, answer.field)) != answer.due_at:
            Answer.objects.of(registration.person_id).filter(id=answer.id).update(due_at=until)
