"""What this room holds: descriptions of groups, about nobody. Which of them hold somebody is worked out for the copy they get."""

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from lofte.core import many, ports
from lofte.core.holdings import NotPersonal, Room, declare, register
from lofte.features.outreach.segments import counting, models, reads
from lofte.features.outreach.segments.matching import to_rows

_STAFF = NotPersonal("written by staff about a group, about nobody in it")
_COUNT = NotPersonal("a number of people")

declare(
    models.Segment, name=_STAFF, purpose=NotPersonal("a key of the policy"), conditions=_STAFF,
    by=NotPersonal("a staff member's number"), made_at=_STAFF, changed_at=_STAFF, put_away_at=_STAFF, count=_COUNT, beside=_COUNT,
    counted_at=_COUNT, wanted_at=_COUNT, tally=_COUNT, looked_at=_COUNT,
    place=NotPersonal("how far a count has come; empty again when it has ended"),
)  # fmt: skip


class _Segments:
    """This room as `core.ports.Segments`."""

    def rows_of(self, person_id: UUID, own: ports.OwnFacts) -> list[dict[str, Any]]:
        return [
            {"name": each.name, "purpose": each.purpose, "fields": each.uses, "conditions": to_rows(each.conditions)}
            for each in reads.holding(person_id, own)
        ]


def _erase(person_id: UUID, hashes: frozenset[str]) -> Mapping[str, int]:
    """A count that stands at the person begins anew."""
    _begin_anew([person_id])
    return {}


def _erase_crowd(people: Mapping[UUID, frozenset[str]]) -> Mapping[UUID, Mapping[str, int]]:
    _begin_anew(people)
    return {}


def _begin_anew(people: Iterable[UUID]) -> None:
    models.Segment.objects.filter(place__in=many.among(people)).update(place=None, tally=0, looked_at=0)


ports.provide("segments", _Segments())
register(Room("segments", erase=_erase, erase_crowd=_erase_crowd))

__all__ = ["counting"]  # imported for its duty
