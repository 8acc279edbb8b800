"""Restriction (GDPR 18): from now on a person's data is only kept. `decide()` asks `is_restricted`; connected systems are told.

Whoever asked for it is told before it ends (18(3)); the person alone may end it without notice.
"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from lofte.core import actions, clock, many, obligations, outbox, ports
from lofte.core.decisions import BY_LAW
from lofte.core.models import Mail, new_id
from lofte.core.retry import in_transaction
from lofte.core.systems import LIFTED
from lofte.features.rights import ledger, letters, own_acts, requests
from lofte.features.rights.models import Restriction
from lofte.kernel.problems import Problem

RIGHT = "restriction"


def is_restricted(person_id: UUID) -> bool:
    """Whether the person's data may only be kept, now."""
    return current(person_id) is not None


def restricted_of(people: Sequence[UUID]) -> frozenset[UUID]:
    """Which of these people have their data restricted now."""
    rows = Restriction.everyone.filter(person_id__in=many.among(people), lifted_at__isnull=True)
    return frozenset(rows.values_list("person_id", flat=True))


def current(person_id: UUID) -> Restriction | None:
    found: Restriction | None = Restriction.objects.of(person_id).filter(lifted_at__isnull=True).first()
    return found


@in_transaction
def restrict(person_id: UUID, by: str, request_id: UUID | None = None) -> UUID:
    """Only keep the data from now on, here and in every connected system that can. Doing it again changes nothing.

    ``by`` is ``person`` or ``staff:<id>``; staff names the request it answers. Returns the id of the restriction.
    """
    there = current(person_id)
    if there is not None:
        return there.id
    row = Restriction.objects.create(id=new_id(), person_id=person_id, by=by, request=request_id, since=clock.now())
    # In one transaction: nothing may stand in the mail queue once the restriction is recorded.
    queued = Mail.objects.of(person_id).filter(state=Mail.State.QUEUED).exclude(purpose__in=BY_LAW)
    queued.update(state=Mail.State.SUPPRESSED, reason="restricted", sealed=None)
    obligations.owe("restrict", person_id, ports.register().needles_of(person_id, "rights", by="rights"), about=row.id)
    ports.register().refresh_due(person_id)  # no clock runs while the person wants the data kept
    _tell(person_id, "restriction.begun", row.id, by)
    if request_id is None and by == "person":
        request_id = own_acts.begun_by_person(person_id, RIGHT, about=row.id)
        Restriction.objects.of(person_id).filter(id=row.id).update(request=request_id)
    elif request_id is not None:
        # While an objection is weighed it is only set aside (GDPR 18(1)(d)); what was asked for is not done by that.
        is_asked_for = requests.one(request_id).right == RIGHT
        requests.acted(request_id, by, row.id, kind="acted" if is_asked_for else "restricted")
    return row.id  # type: ignore[no-any-return]  # the manager answers Any on purpose


@in_transaction
def announce_end(person_id: UUID, by: str, words: str, way: str = letters.MAIL) -> None:
    """Tell the person that the restriction is about to be lifted, and why (GDPR 18(3))."""
    row = _current(person_id)
    if not words.strip():
        raise Problem("request.no-reason", "say why it is lifted", law="GDPR 18(3)", status=422)
    case = requests.one(row.request) if row.request else None
    if case is None:
        raise Problem("request.nobody-to-write-to", "there is no address to write to", law="GDPR 18(3)", status=409)
    ledger.tell(ledger.turn_of(case.id), "lifting", by, way=way, words=words)
    requests.add_step(case.id, "lifting_announced", by, words=words)
    _all_current(person_id).update(told_at=clock.now())
    actions.record("restriction.end_announced", by)


@in_transaction
def lift(person_id: UUID, by: str) -> None:
    """The data may be used again. Raises Problem `restriction.untold` when staff lifts it before the person has been told."""
    row = _current(person_id)
    if by != "person" and row.told_at is None:
        raise Problem(
            "restriction.untold", "the person must be told before the restriction is lifted", law="GDPR 18(3)",
            way_out="Announce it first; they get a letter.", status=409,
        )  # fmt: skip
    _all_current(person_id).update(lifted_at=clock.now())
    ports.register().refresh_due(person_id)
    # about is new: a system that was told to restrict is told of the end by an act of its own
    obligations.owe(
        "restrict",
        person_id,
        ports.register().needles_of(person_id, "rights", by="rights"),
        about=new_id(),
        purpose=LIFTED,
    )
    if row.request:
        requests.add_step(row.request, "lifted", by)
    _tell(person_id, "restriction.lifted", row.id, by)


def _all_current(person_id: UUID) -> Any:
    """All that stand: a person and staff who asked for it in the same moment have made two."""
    return Restriction.objects.of(person_id).filter(lifted_at__isnull=True)


def _current(person_id: UUID) -> Restriction:
    row = current(person_id)
    if row is None:
        raise Problem("restriction.none", "this person's data is not restricted", status=404)
    return row


def _tell(person_id: UUID, kind: str, about: UUID, by: str) -> None:
    outbox.add(kind, {"by": by.partition(":")[0]}, person_id=person_id, about=about)
    actions.record(kind, by)
