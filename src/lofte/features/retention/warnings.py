"""Before a clock takes what is held, the person is asked. They press keep, or it goes on the day they were told."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from lofte.features.retention.models import Notice


def graces_of(people: Sequence[UUID]) -> Mapping[UUID, Mapping[str, datetime]]:
    """Until when those who were asked too late may still answer, by clock."""
    found: dict[UUID, dict[str, datetime]] = {}
    rows = Notice.everyone.filter(person_id__in=people, wait_until__isnull=False).exclude(state=Notice.State.KEPT)
    for person_id, name, until in rows.order_by("wait_until").values_list("person_id", "clock", "wait_until"):
        found.setdefault(person_id, {})[name] = until
    return found


def answers_of(people: Sequence[UUID]) -> Mapping[UUID, datetime]:
    """When these people last said that what is held should be kept: nothing else is a sign `kept`."""
    rows = Notice.everyone.filter(person_id__in=people, state=Notice.State.KEPT, answered_at__isnull=False)
    return dict(rows.order_by("answered_at").values_list("person_id", "answered_at"))
