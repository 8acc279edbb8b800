"""What this room holds, and its side of `core.ports`."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from lofte.core import clock, merging, ports
from lofte.core.holdings import Holds, NotPersonal, Room, declare, register
from lofte.features.outreach.events import forgetting, models, reads, reminders, seats, telling

_POLICY = NotPersonal("a key or hash of the policy, or a word of the code")
_STAFF = NotPersonal("written by staff for everybody, about nobody")
_COUNT = NotPersonal("a number of people, or a place in an order")
_PROOF = NotPersonal("says how much went and when, about nobody")
_MINE = Holds("event", "registrations")

declare(
    models.Event, slug=_STAFF, markets=_POLICY, contents=_STAFF, starts_at=_STAFF, ends_at=_STAFF, zone=_STAFF, closes_at=_STAFF,
    online=_STAFF, capacity=_STAFF, has_waiting_list=_STAFF, is_listed=_STAFF, form=_POLICY,
    keep=_STAFF, retention=_STAFF, reminders=_STAFF,
    state=_STAFF, taken=_COUNT, turn=_COUNT, sequence=_COUNT, has_news=_COUNT, by=NotPersonal("a staff member's number"),
    made_at=_STAFF,
    published_at=_STAFF, cancelled_at=_STAFF,
)  # fmt: skip
declare(
    models.Registration, event_id=NotPersonal("the id of an event"), purpose=_POLICY, market=_POLICY,
    locale=Holds("event", "locale"), wording=_POLICY, version=_POLICY, reference=_MINE, state=_MINE, made_at=_MINE,
    placed_at=_MINE, left_at=_MINE, reminded_at=_MINE, checked_in_at=_MINE, told=_MINE, due_at=_MINE,
)  # fmt: skip
declare(
    models.Answer, registration=NotPersonal("the id of a registration"), event_id=NotPersonal("the id of an event"), field=_POLICY,
    sealed=Holds("event", "*"), due_at=_MINE,
)  # fmt: skip
declare(
    models.Purge, event_id=NotPersonal("the id of an event"), field=_POLICY, gone=_PROOF, left=_PROOF, kept=_PROOF, at=_PROOF,
    evidence_index=_PROOF,
)  # fmt: skip


def _export(person_id: UUID) -> dict[str, Any]:
    return {"registrations": [_shown(each) for each in reads.of_person(person_id, "portal", by="person")]}


def _shown(mine: reads.Mine) -> dict[str, Any]:
    row, event = mine.row, mine.event
    said: dict[str, str] = event.contents.get(row.locale) or next(iter(event.contents.values()), {})
    return {
        "id": row.id, "title": said.get("title", ""), "place": said.get("place", ""),
        "starts_at": event.starts_at, "ends_at": event.ends_at, "purpose": row.purpose, "state": row.state,
        "reference": row.reference, "made_at": row.made_at, "checked_in_at": row.checked_in_at,
        "due": row.due_at, "answers": dict(mine.answers),
    }  # fmt: skip


def _erase(person_id: UUID, hashes: frozenset[str]) -> Mapping[str, int]:
    forgetting.note_erased([person_id], clock.now())
    return {}


def _erase_crowd(people: Mapping[UUID, frozenset[str]]) -> dict[UUID, Mapping[str, int]]:
    forgetting.note_erased(people, clock.now())
    return {}


def _merge(keep: UUID, gone: UUID) -> dict[str, int]:
    """Where both registered for the same event, the one who stays keeps theirs unless only the other still comes."""
    theirs = {row.event_id: row for row in models.Registration.objects.of(keep)}
    dropped: set[UUID] = set()
    for row in models.Registration.objects.of(gone):
        mine = theirs.get(row.event_id)
        if mine is None:
            continue
        if mine.state not in seats.COMING and row.state in seats.COMING:
            models.Answer.objects.of(keep).filter(registration=mine.id).delete()
            models.Registration.objects.of(keep).filter(id=mine.id).delete()
        else:
            dropped.add(row.id)
    answers = models.Answer.objects.of(gone).filter(registration__in=dropped)
    without = set(answers.values_list("id", flat=True))
    return {
        "events_registration": merging.move(models.Registration, keep, gone, without=dropped),
        "events_answer": merging.move(models.Answer, keep, gone, sealed=["sealed"], without=without),
    }


ports.provide("attendance", reads)
register(Room("events", export=_export, erase=_erase, merge=_merge, erase_crowd=_erase_crowd))

__all__ = ["reminders", "telling"]
