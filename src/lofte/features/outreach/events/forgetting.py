"""What an event knew of people goes, field by field, when its time after the end has come; each time with a proof in the log.

What a hold, a restriction or an unanswered request keeps stays until that ends, and the proof says how much. A registration itself
goes last, once the register has let go of what it kept for the event.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import F

from lofte.core import clock, evidence, outbox, ports
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
    for row in Registration.everyone.filter(event_id=event_id, due_at__lte=at):
        _forget_registration(row, at)


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
    going = [each.id for each in rows.defer("sealed") if not is_kept(each.person_id, field, each.registration, at)]
    if not going:
        return 0
    gone: int = Answer.everyone.filter(id__in=going, person_id__in=people)._raw_delete(using="default")
    note(event_id, field, gone)
    return gone


def is_kept(person_id: UUID, field: str, registration: UUID, at: datetime) -> bool:
    """Whether something stands before the end of it: their wish (GDPR 18), an answer we owe them, or a hold that names a law."""
    if person_id in ports.restricted_of([person_id]) or person_id in ports.asking_of([person_id]):
        return True
    keeper = ports.retention()
    if keeper is None:
        return False
    holds = keeper.holds_of([person_id]).get(person_id, ())
    if not holds:
        return False
    row = Registration.objects.of(person_id).filter(id=registration).first()
    purpose, market = (row.purpose, row.market) if row else ("", "")
    return any(each.covers(field, purpose, market) and (each.until is None or each.until > at) for each in holds)


def _forget_registrations(at: datetime) -> None:
    rows = Registration.everyone.filter(due_at__lte=at).order_by("person_id")
    after: UUID | None = None
    while people := list(
        (rows if after is None else rows.filter(person_id__gt=after))
        .values_list("person_id", flat=True)
        .distinct()[:_BATCH]
    ):
        for row in rows.filter(person_id__in=people):
            _forget_registration(row, at)
        after = people[-1]


@in_transaction
def _forget_registration(row: Registration, at: datetime) -> None:
    mine = Registration.objects.of(row.person_id).filter(id=row.id, due_at__lte=at)
    if Answer.objects.of(row.person_id).filter(registration=row.id).exists() or is_kept(row.person_id, "", row.id, at):
        return
    others = Registration.objects.of(row.person_id).filter(purpose=row.purpose).exclude(id=row.id)
    if not others.exists() and ports.register().fields_held(row.person_id, row.purpose):
        return  # the register goes by this row: it goes when the sweep has taken what hangs on it
    if mine.delete()[0]:
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


def note_erased(people: Iterable[UUID], at: datetime) -> None:
    """These people are being erased whole: what of theirs was due by the clock of an event belongs in its proof."""
    rows = Answer.everyone.filter(person_id__in=list(people), due_at__lte=at).order_by()
    counts: dict[tuple[UUID, str], int] = {}
    for key in rows.values_list("event_id", "field"):
        counts[key] = counts.get(key, 0) + 1
    whole = Registration.everyone.filter(person_id__in=list(people), due_at__lte=at).values_list("event_id", flat=True)
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
