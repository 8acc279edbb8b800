"""Who comes: the list for the host, and ticking them off at the door. Each reading states a purpose and leaves looks."""

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from lofte.core import actions, clock, ports, publication, vault
from lofte.core.retry import in_transaction
from lofte.features.outreach.events.models import Answer, Event, Registration
from lofte.kernel.problems import Place, Problem

State = Registration.State
SIGNAL = "event"


@dataclass(frozen=True, slots=True)
class Attendee:
    """One line of the list. ``answers`` are those that are still there, by field."""

    person: UUID
    id: UUID
    reference: str
    state: str
    market: str
    made_at: datetime
    checked_in_at: datetime | None
    answers: dict[str, str]


def attendees(event_id: UUID, purpose: str, *, by: str, states: Iterable[str] = (State.REGISTERED,)) -> list[Attendee]:
    """Everybody in these states with what they answered, in the order they came. Who may not be looked at now is left out.

    Raises Problem `register.denied` where the actor's role may not look for this purpose.
    """
    rows = Registration.everyone.filter(event_id=event_id, purpose=purpose, state__in=tuple(states))
    return opened(list(rows.order_by("made_at", "id")), purpose, by=by)


def opened(rows: Sequence[Registration], purpose: str, *, by: str) -> list[Attendee]:
    """These registrations with their answers; each person gets a look."""
    people = [row.person_id for row in rows]
    answers: dict[UUID, list[Answer]] = {row.id: [] for row in rows}
    for answer in Answer.everyone.filter(person_id__in=people, registration__in=list(answers)):
        answers[answer.registration].append(answer)
    asked: dict[UUID, set[str]] = {row.person_id: set() for row in rows}
    for row in rows:
        asked[row.person_id] |= {each.field for each in answers[row.id]}
    decided = ports.register().look(asked, purpose, by=by) if asked else {}
    if decided and not any(each.allowed for each in decided.values()):
        found = next(iter(decided.values()))
        raise Problem(
            "register.denied", f"the purpose {purpose} may not use this: {found.reason}", law=found.law, status=403
        )
    keys = vault.openers([each for each in people if decided[each].allowed])
    return [
        Attendee(
            person=row.person_id, id=row.id, reference=row.reference, state=row.state, market=row.market, made_at=row.made_at,
            checked_in_at=row.checked_in_at,
            answers={each.field: keys[row.person_id].open(each.id, each.sealed).decode() for each in answers[row.id]},
        )
        for row in rows
        if row.person_id in keys
    ]  # fmt: skip


def sheet(event_id: UUID, purpose: str, header: Sequence[tuple[str, str]], *, by: str) -> bytes:
    """The list as a CSV file for the door: the columns (field, name) that were asked for. Kept as an act as well as looks."""
    shown = [field for field, _ in header if field != "reference"]
    out = io.StringIO()
    write = csv.writer(out)
    write.writerow([name for _, name in header])
    rows = attendees(event_id, purpose, by=by)
    for each in rows:
        write.writerow(
            [_inert(each.reference if field == "reference" else each.answers.get(field, "")) for field, _ in header]
        )
    actions.record("event.list_taken", by, event=str(event_id), people=len(rows), fields=",".join(shown)[:200])
    return ("\ufeff" + out.getvalue()).encode()


def _inert(text: str) -> str:
    """A spreadsheet takes these for formulas."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text


# --- at the door ----------------------------------------------------------------------------------------------------


@in_transaction
def check_in(event_id: UUID, registration: UUID, person_id: UUID, by: str) -> bool:
    """They are here: kept once, and a sign of interest, since now we know it was them. False when it was ticked already."""
    mine = Registration.objects.of(person_id).filter(id=registration, event_id=event_id, state=State.REGISTERED)
    if not mine.exists():
        raise Problem("events.no-registration", "there is no such registration", status=404)
    if not may_check_in(Event.objects.get(pk=event_id), clock.now()):
        raise Problem("events.not-now", "the event is far off or long over", Place(key="reference"), status=409)
    if not mine.filter(checked_in_at__isnull=True).update(checked_in_at=clock.now()):
        return False
    _signal(person_id)
    actions.record("event.checked_in", by, event=str(event_id))
    return True


@in_transaction
def check_in_by(event_id: UUID, reference: str, by: str) -> bool:
    """As `check_in`, by the reference in their letter. Raises Problem `events.no-reference`."""
    said = reference.strip().upper().replace(" ", "")
    said = f"{said[:4]}-{said[4:]}" if len(said) == 8 and "-" not in said else said
    found = list(Registration.everyone.filter(event_id=event_id, state=State.REGISTERED, reference=said)[:2])
    if len(found) != 1:
        raise Problem("events.no-reference", "nobody here has this reference", Place(key="reference"), status=404)
    return check_in(event_id, found[0].id, found[0].person_id, by)


@in_transaction
def undo(event_id: UUID, registration: UUID, person_id: UUID, by: str) -> None:
    """It was somebody else."""
    mine = Registration.objects.of(person_id).filter(id=registration, event_id=event_id)
    if mine.filter(checked_in_at__isnull=False).update(checked_in_at=None):
        actions.record("event.check_in_undone", by, event=str(event_id))


def may_check_in(event: Event, at: datetime) -> bool:
    """From the day before until a day after: not for an event that is far off or long over."""
    return event.state == Event.State.PUBLISHED and (event.starts_at - at).days < 1 and (at - event.ends_at).days < 1


def _signal(person_id: UUID) -> None:
    if any(SIGNAL in each.signals for each in publication.current().policy.clocks.values()):
        ports.register().signal(person_id, SIGNAL, source="event")
