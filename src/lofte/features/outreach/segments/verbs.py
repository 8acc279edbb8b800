"""Describing groups of people. A description is checked against the policy in force; nobody's membership is ever written down.

Raises `Problem` with the codes of `terms`, and `segments.unknown`, `segments.name`, `segments.put-away`, `segments.in-use`.
"""

from collections.abc import Sequence
from uuid import UUID

from lofte.core import actions, clock, tasks
from lofte.core.publication import current
from lofte.core.retry import in_transaction
from lofte.features.outreach.segments import terms
from lofte.features.outreach.segments.matching import Condition, from_rows, to_rows
from lofte.features.outreach.segments.models import Segment
from lofte.kernel.problems import Place, Problem

COUNT = "segments.count"
"""The duty that counts; a count that was asked for does not wait for its hour."""


@in_transaction
def describe(name: str, purpose: str, conditions: Sequence[Condition], *, by: str) -> UUID:
    """Keep a new segment. ``name`` is read by the people in it too."""
    _demand(name, purpose, conditions)
    row = Segment.objects.create(
        name=name.strip(), purpose=purpose, conditions=to_rows(conditions), by=by, wanted_at=clock.now()
    )
    actions.record("segment.described", by, purpose=purpose, conditions=len(conditions))
    tasks.hurry(COUNT, clock.now())
    return row.id


@in_transaction
def change(segment_id: UUID, name: str, conditions: Sequence[Condition], *, by: str) -> None:
    """Describe it otherwise; its purpose stays. What was sent to it before is as it was."""
    row = row_of(segment_id)
    _demand(name, row.purpose, conditions)
    at = clock.now()
    Segment.objects.filter(pk=row.pk).update(
        name=name.strip(), conditions=to_rows(conditions), changed_at=at, count=None, counted_at=None, wanted_at=at,
        place=None, tally=0, looked_at=0,
    )  # fmt: skip
    actions.record("segment.changed", by, purpose=row.purpose, conditions=len(conditions))
    tasks.hurry(COUNT, at)


@in_transaction
def put_away(segment_id: UUID, *, by: str) -> None:
    """Nobody is in it any more and nothing can be sent to it. It can be taken out again."""
    if Segment.objects.filter(pk=segment_id, put_away_at=None).update(
        put_away_at=clock.now(), wanted_at=None, place=None
    ):
        actions.record("segment.put_away", by)


@in_transaction
def take_out(segment_id: UUID, *, by: str) -> None:
    if Segment.objects.filter(pk=segment_id, put_away_at__isnull=False).update(put_away_at=None):
        actions.record("segment.taken_out", by)
        recount(segment_id)


@in_transaction
def recount(segment_id: UUID) -> None:
    """Ask for a new count; one that is running already goes on."""
    row = row_of(segment_id)
    if row.put_away_at is not None:
        raise Problem("segments.put-away", "the segment has been put away", status=409)
    at = clock.now()
    Segment.objects.filter(pk=segment_id, wanted_at=None).update(wanted_at=at, place=None, tally=0, looked_at=0)
    tasks.hurry(COUNT, at)


def row_of(segment_id: UUID) -> Segment:
    row = Segment.objects.filter(pk=segment_id).first()
    if row is None:
        raise Problem("segments.unknown", "there is no such segment", status=404)
    return row


def conditions_of(row: Segment) -> tuple[Condition, ...]:
    """What it asks, checked anew: a later policy may allow less than the one it was described under."""
    conditions = from_rows(row.conditions)
    terms.demand(current().policy, row.purpose, conditions)
    return conditions


def _demand(name: str, purpose: str, conditions: Sequence[Condition]) -> None:
    if not 1 <= len(name.strip()) <= 120:
        raise Problem("segments.name", "a segment has a name of at most 120 characters", Place(key="name"), status=422)
    terms.demand(current().policy, purpose, conditions)
