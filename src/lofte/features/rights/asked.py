"""Who waits for an answer that needs their data to be there: no clock takes it before (this room as `core.ports.Asking`)."""

from collections.abc import Sequence
from uuid import UUID

from lofte.core import many
from lofte.features.rights.cases import OPEN
from lofte.features.rights.models import Request

_NEED_NO_DATA = (Request.Right.ERASURE, Request.Right.WITHDRAWAL)


def asking_of(people: Sequence[UUID]) -> frozenset[UUID]:
    """Which of these people have an open request that is surely theirs and asks for something else than to go."""
    rows = Request.objects.filter(subject__in=many.among(people), state__in=OPEN, identified_at__isnull=False)
    asked = rows.exclude(right__in=_NEED_NO_DATA).values_list("subject", flat=True)
    return frozenset(each for each in asked if each is not None)
