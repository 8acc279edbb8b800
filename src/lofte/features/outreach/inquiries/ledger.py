"""The rows of inquiries, and the few ways in which they change; each leaves a step. For the modules of this room alone.

Every verb takes its turn first, in one UPDATE that holds the row until the transaction ends: of two who do something with an
inquiry at once, one does it and the other is told to look again (`inquiry.moved`).
"""

import base64
import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db.models import F

from lofte.core import clock, vault
from lofte.core.models import new_id
from lofte.features.outreach.inquiries.models import Inquiry, Step
from lofte.kernel.problems import Problem

State = Inquiry.State
_TRIES = 5
_A_MOMENT = timedelta(microseconds=1)  # two steps of one act keep their order


def reference_of(inquiry: UUID) -> str:
    """Eight letters and digits that people can read out, from the random end of the id; nothing is counted."""
    text = base64.b32encode(inquiry.bytes[-5:]).decode()
    return f"{text[:4]}-{text[4:]}"


def row_of(inquiry: UUID) -> Inquiry:
    row: Inquiry | None = Inquiry.everyone.filter(pk=inquiry).first()
    if row is None:
        raise Problem("inquiry.unknown", "there is no such inquiry", status=404)
    return row


def turn_of(inquiry: UUID) -> Inquiry:
    """The row, with the turn taken: nobody else changes it before this transaction ends."""
    row = row_of(inquiry)
    if not _takes_turn(row):
        raise moved()
    return row


def _takes_turn(row: Inquiry) -> bool:
    taken = Inquiry.objects.of(row.person_id).filter(id=row.id, turn=row.turn).update(turn=F("turn") + 1)
    row.turn += taken
    return bool(taken)


def next_turn_of(inquiry: UUID) -> Inquiry:
    """As `turn_of`, for what came from outside and is not refused because somebody here is at work: the next turn is as good."""
    for _ in range(_TRIES):
        row = row_of(inquiry)
        if _takes_turn(row):
            return row
    raise Problem("inquiry.busy", "the inquiry is being worked on", way_out="Try again in a while.", status=503)


def open_row(inquiry: UUID) -> Inquiry:
    """As `turn_of`, for what can only be done while it is not closed."""
    row = turn_of(inquiry)
    if row.state == State.CLOSED:
        raise Problem("inquiry.closed", "this inquiry is closed", way_out="Open it again first.", status=409)
    return row


def moved() -> Problem:
    return Problem(
        "inquiry.moved", "somebody else did something with this inquiry in the meantime",
        way_out="Look at it again, and do it then if it is still right.", status=409,
    )  # fmt: skip


def change(row: Inquiry, **values: Any) -> None:
    Inquiry.objects.of(row.person_id).filter(id=row.id).update(**values)
    for name, value in values.items():
        setattr(row, name, value)


def add(
    row: Inquiry, kind: str, by: str, *, reason: str = "", dialogue: UUID | None = None, kept: Mapping[str, str] | None = None,
    mail: UUID | None = None, step: UUID | None = None,
) -> UUID:  # fmt: skip
    """One step, later than those before it. ``kept`` is sealed under the person's key; ``step`` is its id where the caller had to
    know it before."""
    step_id, at = step or new_id(), clock.now()
    steps = Step.objects.of(row.person_id).filter(inquiry=row.id)
    if latest := steps.order_by("-at").values_list("at", flat=True).first():
        at = max(at, latest + _A_MOMENT)
    sealed = seal(row.person_id, step_id, kept) if kept else None
    Step.objects.create(
        id=step_id, person_id=row.person_id, inquiry=row.id, kind=kind, by=by, at=at, reason=reason, dialogue=dialogue,
        sealed=sealed, mail=mail,
    )  # fmt: skip
    return step_id


def seal(person_id: UUID, record: UUID, kept: Mapping[str, Any]) -> bytes:
    return vault.opener(person_id).seal(record, json.dumps(dict(kept)).encode())
