"""Questions about segments: who is in one, which ones hold somebody and why, and how many there are where that tells of nobody."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from lofte.core import clock, ports
from lofte.core.publication import current
from lofte.features.outreach.segments import people, terms, verbs
from lofte.features.outreach.segments.matching import Condition, from_rows, matches
from lofte.features.outreach.segments.models import Segment
from lofte.kernel.problems import Problem

_BATCH = 500


@dataclass(frozen=True, slots=True)
class Size:
    """How many are in it. ``count`` is None while it is not known, or while it would tell of too few (``is_small``)."""

    count: int | None
    is_small: bool
    is_nearly_all: bool
    counted_at: datetime | None
    is_counting: bool
    looked_at: int


@dataclass(frozen=True, slots=True)
class Seen:
    """A segment as staff see it; ``fault`` is what the policy in force has against it."""

    id: UUID
    name: str
    purpose: str
    conditions: tuple[Condition, ...]
    by: str
    changed_at: datetime
    put_away_at: datetime | None
    size: Size
    fault: Problem | None


@dataclass(frozen=True, slots=True)
class Holding:
    """A segment somebody is in now, and everything that puts them there."""

    id: UUID
    name: str
    purpose: str
    conditions: tuple[Condition, ...]
    uses: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Stretch:
    """Those found among the next ``looked`` people, the last one looked at, and whether there are more."""

    people: list[UUID]
    last: UUID | None
    is_end: bool
    looked: int


def people_after(segment_id: UUID, after: UUID | None, limit: int) -> list[UUID]:
    """The next people in a segment, in order of id; pass the last one to go on. Empty at the end.

    Raises Problem when it was put away or the policy in force no longer allows what it asks.
    """
    found: list[UUID] = []
    at = after
    while len(found) < limit:
        stretch = stretch_after(segment_id, at, max(limit, _BATCH))
        found += stretch.people
        at = stretch.last
        if stretch.is_end:
            break
    return found[:limit]


def stretch_after(segment_id: UUID, after: UUID | None, limit: int) -> Stretch:
    """As `people_after`, but looks at no more than ``limit`` people: for who must not take long, however few are in it."""
    row = verbs.row_of(segment_id)
    if row.put_away_at is not None:
        raise Problem("segments.put-away", "the segment has been put away", status=409)
    conditions = verbs.conditions_of(row)
    found: list[UUID] = []
    looked = people.candidates(row.purpose, conditions, after, limit)
    now = clock.now()
    for start in range(0, len(looked), _BATCH):
        found += people.within(looked[start : start + _BATCH], row.purpose, conditions, now)
    return Stretch(found, looked[-1] if looked else after, len(looked) < limit, len(looked))


def is_in(segment_id: UUID, someone: Sequence[UUID]) -> list[UUID]:
    """Which of these people are in it now."""
    row = verbs.row_of(segment_id)
    conditions = verbs.conditions_of(row)
    return people.within(list(someone), row.purpose, conditions, clock.now()) if row.put_away_at is None else []


def segments() -> list[Seen]:
    """Every segment, those in use first, by name."""
    rows = sorted(Segment.objects.all(), key=lambda each: (each.put_away_at is not None, each.name.casefold()))
    return [_seen(row) for row in rows]


def segment(segment_id: UUID) -> Seen:
    return _seen(verbs.row_of(segment_id))


def name_of(segment_id: UUID) -> str:
    return verbs.row_of(segment_id).name


def holding(person_id: UUID, own: ports.OwnFacts | None = None) -> list[Holding]:
    """The segments that hold somebody now, worked out by the same rules as when a letter is sent; asked by the person themself.

    ``own`` is what they were shown already, so that the copy of their data reads nothing twice.
    """
    found: list[Holding] = []
    by_purpose: dict[str, list[tuple[Segment, tuple[Condition, ...]]]] = {}
    for row in Segment.objects.filter(put_away_at=None).order_by("name"):
        conditions = from_rows(row.conditions)
        if not any(terms.faults(current().policy, row.purpose, conditions)):
            by_purpose.setdefault(row.purpose, []).append((row, conditions))
    for purpose, rows in by_purpose.items():
        # those that read data are asked together; where the purpose may see none, the others can still hold
        for group in ([each for each in rows if _uses(each[1])], [each for each in rows if not _uses(each[1])]):
            everything = [each for _, conditions in group for each in conditions]
            known = (
                people.known_of([person_id], purpose, everything, by="person", own=own).get(person_id)
                if group
                else None
            )
            found += [
                Holding(row.id, row.name, row.purpose, conditions, _uses(conditions))
                for row, conditions in group
                if known is not None and matches(conditions, known, clock.now())
            ]
    return sorted(found, key=lambda each: each.name)


def _uses(conditions: Sequence[Condition]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(each.uses for each in conditions if each.uses))


def faulty() -> list[UUID]:
    """Segments that ask what the policy in force does not allow; nothing can be sent to them."""
    return [each.id for each in segments() if each.fault is not None and each.put_away_at is None]


def _seen(row: Segment) -> Seen:
    conditions = from_rows(row.conditions)
    return Seen(
        row.id, row.name, row.purpose, conditions, row.by, row.changed_at, row.put_away_at, _size(row),
        next(terms.faults(current().policy, row.purpose, conditions), None),
    )  # fmt: skip


def _size(row: Segment) -> Size:
    """Neither the few that are in it nor the few that are not can be told by the number."""
    smallest = current().policy.outreach.smallest_group
    is_small = row.count is not None and row.count < smallest
    is_nearly_all = row.count is not None and not is_small and 0 < row.beside < smallest
    return Size(
        count=None if is_small or is_nearly_all else row.count, is_small=is_small, is_nearly_all=is_nearly_all,
        counted_at=row.counted_at, is_counting=row.wanted_at is not None, looked_at=row.looked_at,
    )  # fmt: skip
