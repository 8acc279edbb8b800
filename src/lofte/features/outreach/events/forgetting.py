"""What an event knew of people goes, field by field, when its time after the end has come; each time with a proof in the log.

What a hold, a restriction or an unanswered request keeps stays until that ends, and the proof says how much. A registration itself
goes last, once the register has let go of what it kept for the event.
"""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import F

from lofte.core import clock, evidence, many, outbox, ports
from lofte.core.retry import in_transaction
from lofte.core.tasks import duty
from lofte.features.outreach.events.models import Answer, Purge, Registration
from lofte.kernel.instants import rfc3339

_BATCH = 500
WHOLE = "*"
"""What stands in the place of a field where the registration itself is meant."""


@duty("events.forget", every=timedelta(hours=1))
def forget(at: datetime) -> int:
    """Erase every answer whose time has come, then registrations nothing is left of. Returns how many answers went."""
    gone = 0
    kinds = Answer.everyone.filter(due_at__lte=at).order_by().values_list("event_id", "field").distinct()
    for event_id, field in list(kinds):
        gone += _forget_field(event_id, field, at)
    _forget_registrations(at)
    prove(at)
    return gone


def forget_one(event_id: UUID, at: datetime) -> None:
    """The same for one event, out of turn and without its proof: what a probe tries on an event of its own."""
    for field in list(Answer.everyone.filter(event_id=event_id).order_by().values_list("field", flat=True).distinct()):
        _forget_field(event_id, field, at)
    _forget_those(list(Registration.everyone.filter(event_id=event_id, due_at__lte=at)), at)


def _forget_field(event_id: UUID, field: str, at: datetime) -> int:
    rows = Answer.everyone.filter(event_id=event_id, field=field, due_at__lte=at).order_by("person_id")
    after: UUID | None = None
    gone = 0
    while people := list(
        (rows if after is None else rows.filter(person_id__gt=after)).values_list("person_id", flat=True)[:_BATCH]
    ):
        gone += _erase_answers(event_id, field, people, at)
        after = people[-1]
    return gone


@in_transaction
def _erase_answers(event_id: UUID, field: str, people: Sequence[UUID], at: datetime) -> int:
    rows = Answer.everyone.filter(event_id=event_id, field=field, due_at__lte=at, person_id__in=people)
    kept = _kept(people, event_id, field, at)
    gone: int = rows.exclude(person_id__in=kept)._raw_delete(using="default") if set(people) - kept else 0
    note(event_id, field, gone)
    return gone


def is_kept(person_id: UUID, field: str, registration: UUID, at: datetime) -> bool:
    """Whether a field of a registration is there past its time with reason; without a field, anything of it."""
    row = Registration.objects.of(person_id).filter(id=registration).first()
    return row is not None and person_id in _kept([person_id], row.event_id, field, at)


def _kept(people: Sequence[UUID], event_id: UUID, field: str, at: datetime) -> frozenset[UUID]:
    """Of whom something stands before the end of it: their wish (GDPR 18), an answer we owe them, or a hold that names a law.

    Without a field: whether anything of the registration is held.
    """
    kept = set(ports.restricted_of(people)) | set(ports.asking_of(people))
    keeper = ports.retention()
    holds = keeper.holds_of([each for each in people if each not in kept]) if keeper else {}
    held = {
        person: [each for each in found if each.until is None or each.until > at] for person, found in holds.items()
    }
    if not any(held.values()):
        return frozenset(kept)
    rows = Registration.everyone.filter(person_id__in=list(held), event_id=event_id)
    for person, purpose, market in rows.values_list("person_id", "purpose", "market"):
        if any(_covers(each, field, purpose, market) for each in held[person]):
            kept.add(person)
    return frozenset(kept)


def _covers(hold: ports.HeldBack, field: str, purpose: str, market: str) -> bool:
    return hold.covers(field, purpose, market) if field else purpose in hold.purposes or not hold.purposes


def _forget_registrations(at: datetime) -> None:
    rows = Registration.everyone.filter(due_at__lte=at).order_by("person_id")
    after: UUID | None = None
    while people := list(
        (rows if after is None else rows.filter(person_id__gt=after)).values_list("person_id", flat=True).distinct()[:_BATCH]
    ):  # fmt: skip
        _forget_those(list(rows.filter(person_id__in=people)), at)
        after = people[-1]


def _forget_those(rows: Sequence[Registration], at: datetime) -> None:
    """Those of these registrations of which nothing is left and which nothing keeps."""
    people = [row.person_id for row in rows]
    answered = set(Answer.everyone.filter(person_id__in=people).values_list("registration", flat=True))
    for event_id in {row.event_id for row in rows}:
        mine = [row for row in rows if row.event_id == event_id and row.id not in answered]
        kept = _kept([row.person_id for row in mine], event_id, "", at)
        for row in mine:
            if row.person_id not in kept:
                _forget_registration(row, at)


@in_transaction
def _forget_registration(row: Registration, at: datetime) -> None:
    others = Registration.objects.of(row.person_id).filter(purpose=row.purpose).exclude(id=row.id)
    if not others.exists() and ports.register().fields_held(row.person_id, row.purpose):
        return  # the register goes by this row: it goes when the sweep has taken what hangs on it
    if Registration.objects.of(row.person_id).filter(id=row.id, due_at__lte=at).delete()[0]:
        note(row.event_id, WHOLE, 1)
        ports.register().refresh_due(row.person_id)


# --- the proof ------------------------------------------------------------------------------------------------------


def note(event_id: UUID, field: str, gone: int) -> None:
    """Count what went; the proof of it is written when no more of it is due."""
    if not gone:
        return
    open_ones = Purge.objects.filter(event_id=event_id, field=field, evidence_index__isnull=True)
    if not open_ones.update(gone=F("gone") + gone, at=clock.now()):
        Purge.objects.create(event_id=event_id, field=field, gone=gone, left=0, kept=0, at=clock.now())


def note_erased(people: Collection[UUID], at: datetime) -> None:
    """These people are being erased whole: what of theirs was due by the clock of an event belongs in its proof."""
    rows = Answer.everyone.filter(person_id__in=many.among(people), due_at__lte=at).order_by()
    counts: dict[tuple[UUID, str], int] = {}
    for key in rows.values_list("event_id", "field"):
        counts[key] = counts.get(key, 0) + 1
    whole = Registration.everyone.filter(person_id__in=many.among(people), due_at__lte=at).values_list(
        "event_id", flat=True
    )
    for event_id in whole:
        counts[event_id, WHOLE] = counts.get((event_id, WHOLE), 0) + 1
    for (event_id, field), count in counts.items():
        note(event_id, field, count)


def prove(at: datetime) -> int:
    """Write the proofs that are owed: per event and field how many went, and that none is left past its time but what is kept.

    The id of the row makes it the same entry however often it is tried. Returns how many were written.
    """
    if not evidence.has_log():
        return 0
    written = 0
    for row in Purge.objects.filter(evidence_index__isnull=True).order_by("at"):
        left, kept = _left(row, at)
        index = outbox.append_now(
            "erasure.event",
            {
                "event_id": str(row.event_id), "field": row.field, "gone": row.gone, "not_yet_due": left, "kept_by_law": kept,
                "checked_at": rfc3339(at),
            },
            key=row.id,
        )  # fmt: skip
        Purge.objects.filter(pk=row.pk).update(evidence_index=index, left=left, kept=kept)
        written += 1
    return written


def _left(row: Purge, at: datetime) -> tuple[int, int]:
    """What is still there of this field of this event: not due yet, and past its time (which only a law can be the reason for)."""
    if row.field == WHOLE:
        rows = Registration.everyone.filter(event_id=row.event_id)
    else:
        rows = Answer.everyone.filter(event_id=row.event_id, field=row.field)
    return rows.filter(due_at__gt=at).count(), rows.filter(due_at__lte=at).count()
