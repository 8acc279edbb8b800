"""Counts who is in a segment, a stretch at a time, so that a page need never walk over everybody."""

import logging
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import F

from lofte.core import clock
from lofte.core.retry import in_transaction
from lofte.core.tasks import AGAIN, duty
from lofte.features.outreach.segments import reads
from lofte.features.outreach.segments.models import Segment
from lofte.kernel.problems import Problem

_STRETCH = 1_000
_PER_ROUND = 20
_logger = logging.getLogger("lofte.segments")


@duty("segments.count", every=timedelta(hours=1))
def count(at: datetime) -> object:
    """Go on with the counts that are wanted, the longest waiting first; again at once while any is left."""
    for _ in range(_PER_ROUND):
        row = Segment.objects.filter(wanted_at__isnull=False, put_away_at=None).order_by("wanted_at").first()
        if row is None:
            return None
        _step(row.id)
    return AGAIN


@in_transaction
def _step(segment_id: UUID) -> None:
    """Look at the next people. Of two processes at the same place, one counts them: the place is moved by condition."""
    row = Segment.objects.get(pk=segment_id)
    mine = Segment.objects.filter(
        pk=segment_id, place=row.place, looked_at=row.looked_at, wanted_at=row.wanted_at, changed_at=row.changed_at
    )
    try:
        found = reads.stretch_after(segment_id, row.place, _STRETCH)
    except Problem as problem:  # the policy no longer allows it; its page says so
        mine.update(wanted_at=None, place=None, count=None, counted_at=None)
        _logger.info("a segment cannot be counted", extra={"fields": {"error": problem.code}})
        return
    tally = row.tally + len(found.people)
    if not found.is_end:
        mine.update(place=found.last, tally=tally, looked_at=F("looked_at") + _STRETCH)
        return
    looked = row.looked_at + found.looked
    mine.update(
        count=tally, beside=looked - tally, counted_at=clock.now(), wanted_at=None, place=None, tally=0, looked_at=0
    )
