"""Who has a place at an event: registering, giving it up, and moving up in the queue.

Every act that changes who has a place begins with the event's turn (a conditional UPDATE of its row), so those of one event follow
each other on every database: no place is given twice, and none stays empty while somebody waits.
"""

import base64
import os
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import F

from lofte.core import actions, clock, codes, ports, publication, vault
from lofte.core.models import new_id
from lofte.core.retry import in_transaction
from lofte.core.tasks import duty
from lofte.features.outreach.events import letters, terms
from lofte.features.outreach.events.models import Answer, Event, Registration
from lofte.features.outreach.forms import arrivals, specs
from lofte.features.outreach.forms.intake import Submission, Taken, takes
from lofte.kernel.problems import Problem

State = Registration.State
COMING = (State.REGISTERED, State.WAITING)
RELATION = "attendee"


# --- registering ----------------------------------------------------------------------------------------------------


@takes("event")
def register(sent: Submission) -> Taken:
    """Somebody registers, by the form of the event. Runs inside the transaction of the form's arrival.

    Who is registered already gets the same letter again and nothing changes: an address typed into a form proves nothing.
    Raises Problem `events.none`, `events.closed`, `events.full`, `events.other-form`.
    """
    event = _open_event(sent)
    person_id = arrivals.person_for(sent, _relation(sent.form.purpose))
    row = Registration.objects.of(person_id).filter(event_id=event.id).first()
    if row is not None and row.state in COMING:
        letters.to_one(event, row, "waiting" if row.state == State.WAITING else "registered", again=True)
        return Taken("events.thanks.waiting" if row.state == State.WAITING else "events.thanks.registered")
    has_place = event.taken < event.capacity and not _queue(event.id).exists()
    if not has_place and not event.has_waiting_list:
        raise Problem("events.full", "all places are taken", status=409)
    row = _write(sent, event, person_id, row, State.REGISTERED if has_place else State.WAITING)
    if has_place:
        _count(event, 1)
    _keep_answers(sent, event, row)
    ports.register().refresh_due(person_id)
    letters.to_one(event, row, "registered" if has_place else "waiting")
    actions.record(
        "event.registered" if has_place else "event.queued", "person", event=str(event.id), market=sent.market
    )
    return Taken("events.thanks.registered" if has_place else "events.thanks.waiting")


def _open_event(sent: Submission) -> Event:
    if sent.about is None:
        raise Problem("events.none", "the form says no event", status=404)
    take_turn(sent.about)
    event = Event.objects.filter(pk=sent.about).first()
    if event is None or sent.market not in event.markets or event.state == Event.State.DRAFT:
        raise Problem("events.none", "there is no such event here", status=404)
    if event.form != sent.form.id:
        raise Problem("events.other-form", "this event asks by another form", status=422)
    if not is_open(event, sent.at):
        raise Problem("events.closed", "registration has closed", status=409)
    return event


def is_open(event: Event, at: datetime) -> bool:
    """Whether people can register now."""
    return event.state == Event.State.PUBLISHED and at < (event.closes_at or event.starts_at)


def _write(sent: Submission, event: Event, person_id: UUID, row: Registration | None, state: str) -> Registration:
    values = {
        "purpose": sent.form.purpose, "market": sent.market, "locale": sent.locale, "wording": sent.wording,
        "version": sent.form.version, "state": state, "made_at": sent.at, "left_at": None, "reminded_at": None,
        "checked_in_at": None, "told": event.sequence,
        "placed_at": sent.at if state == State.REGISTERED else None, "reference": reference(),
    }  # fmt: skip
    made = Registration(id=row.id if row else new_id(), person_id=person_id, event_id=event.id, **values)
    made.due_at = terms.last_due(event, made)
    if row is None:
        made.save(force_insert=True)
    else:  # they gave up their place and come after all
        Registration.objects.of(person_id).filter(id=row.id).update(**values, due_at=made.due_at)
    return made


def _keep_answers(sent: Submission, event: Event, row: Registration) -> None:
    """What was answered, as it was answered for this event, with when each is let go of."""
    opener = vault.opener(row.person_id)
    Answer.objects.of(row.person_id).filter(registration=row.id)._raw_delete(using="default")
    rows = []
    for field, value in sent.values.items():
        answer = Answer(id=new_id(), person_id=row.person_id, registration=row.id, event_id=event.id, field=field)
        answer.sealed, answer.due_at = opener.seal(answer.id, value.encode()), terms.due(event, row, field)
        rows.append(answer)
    Answer.everyone.bulk_create(rows)


def reference() -> str:
    """Eight letters and digits that can be read out at a door; random, so that they say nothing by themselves."""
    text = base64.b32encode(os.urandom(5)).decode()
    return f"{text[:4]}-{text[4:]}"


def form_for(form: str, market: str) -> specs.FormSpec | None:
    """The form of kind `event` with this name in a market, if there is one."""
    return next((each for each in specs.forms_of_kind("event", market) if each.id == form), None)


def _relation(purpose: str) -> str:
    """What somebody becomes by registering: an attendee, or whichever relation has the purpose and its clock."""
    policy = publication.current().policy
    having = [name for name, each in policy.relations.items() if purpose in each.purposes]
    own_clock = [name for name in having if policy.relations[name].clock == policy.purposes[purpose].clock]
    for found in ([RELATION] if RELATION in having else [], sorted(own_clock), sorted(having)):
        if found:
            return found[0]
    raise Problem("events.undeclared", "no relation of the policy has this purpose", law="GDPR 5(1)(b)", status=500)


# --- giving up a place ----------------------------------------------------------------------------------------------


@in_transaction
def leave(code: str) -> Event:
    """The button behind the mailed link was pressed (POST, never GET). Again, it changes nothing. Raises Problem `code.unknown`."""
    opened = codes.peek(code, "event-leave")
    row = Registration.objects.of(opened.person_id).filter(id=opened.about).first() if opened else None
    if opened is None or row is None:
        raise Problem("code.unknown", "this link is not valid, or no longer", status=410)
    return _give_up(row, "person")


@in_transaction
def withdraw(person_id: UUID, registration: UUID, by: str) -> Event:
    """Take somebody off the list: they asked for it by telephone, or from their own page. They are told by letter."""
    row = Registration.objects.of(person_id).filter(id=registration).first()
    if row is None:
        raise Problem("events.no-registration", "there is no such registration", status=404)
    return _give_up(row, by)


def _give_up(row: Registration, by: str) -> Event:
    take_turn(row.event_id)
    event: Event = Event.objects.get(pk=row.event_id)
    at = clock.now()
    mine = Registration.objects.of(row.person_id).filter(id=row.id)
    row = mine.get()
    had_place = row.state == State.REGISTERED
    if row.state not in COMING or at >= event.ends_at:
        return event
    mine.update(state=State.LEFT, left_at=at)
    row.state, row.left_at = State.LEFT, at
    if event.state != Event.State.CANCELLED:
        letters.to_one(event, row, "left")
    Answer.objects.of(row.person_id).filter(registration=row.id)._raw_delete(using="default")
    terms.renew(event, row)
    ports.register().refresh_due(row.person_id)
    actions.record("event.left", by, event=str(event.id), had_place=had_place)
    if had_place:
        _count(event, -1)
        promote(event)
    return event


# --- the queue ------------------------------------------------------------------------------------------------------


@in_transaction
def take_turn(event_id: UUID) -> None:
    """From here to the end of the transaction nobody else changes who has a place at this event."""
    Event.objects.filter(pk=event_id).update(turn=F("turn") + 1)


def promote(event: Event) -> int:
    """Free places go to whoever has waited longest. The caller has the event's turn. Returns how many moved up."""
    moved, at = 0, clock.now()
    if event.state != Event.State.PUBLISHED or at >= event.starts_at:
        return 0
    waiting = _queue(event.id)
    while event.taken < event.capacity and (row := waiting.first()):
        mine = Registration.objects.of(row.person_id).filter(id=row.id, state=State.WAITING)
        if not mine.update(state=State.REGISTERED, placed_at=at, told=event.sequence):
            continue
        row.state, row.placed_at = State.REGISTERED, at
        terms.renew(event, row)
        ports.register().refresh_due(row.person_id)
        _count(event, 1)
        letters.to_one(event, row, "promoted")
        actions.record("event.promoted", "system", event=str(event.id))
        moved += 1
    return moved


@duty("events.promote", every=timedelta(minutes=5))
def fill_places(at: datetime) -> int:
    """Places that came free another way: somebody was erased, or two records became one. Returns how many moved up."""
    moved = 0
    for event_id in Event.objects.filter(state=Event.State.PUBLISHED, starts_at__gt=at).values_list("id", flat=True):
        moved += settle(event_id)
    return moved


@in_transaction
def settle(event_id: UUID) -> int:
    """Count the places anew, and let who waits move up. Returns how many did."""
    take_turn(event_id)
    event: Event = Event.objects.get(pk=event_id)
    taken = Registration.everyone.filter(event_id=event_id, state=State.REGISTERED).count()
    if taken != event.taken:
        Event.objects.filter(pk=event_id).update(taken=taken)
        event.taken = taken
    return promote(event)


def _queue(event_id: UUID):  # type: ignore[no-untyped-def]  # a queryset of our manager
    return Registration.everyone.filter(event_id=event_id, state=State.WAITING).order_by("made_at", "id")


def _count(event: Event, by: int) -> None:
    Event.objects.filter(pk=event.id).update(taken=F("taken") + by)
    event.taken += by
