"""Registers for an event of its own in every market: one has the only place, one queues, and both are gone in time.

The days after the event are supposed: what is let go of then is let go of by the same hands as anybody's.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from uuid import UUID

from icalendar import Calendar

from lofte.core.models import Person
from lofte.features.outreach.events import attendance, forgetting, planning
from lofte.features.outreach.events.models import Answer, Event, Purge, Registration
from lofte.features.register.models import Holding, Look
from lofte.features.retention import verbs as retention
from lofte.probes.instruments import at_large
from lofte.probes.instruments.canary import flock, forms, person
from lofte.probes.instruments.canary.person import Canary
from lofte.probes.world import World
from lofte.rules.clocks import add_period
from lofte.rules.controls.events_registered import Attended
from lofte.rules.packs import law_pack

State = Registration.State
_BY = "probe"
KEEP, _SOONER = "P7D", "P1D"
"""How long its own events keep what is answered, and a name."""
_A_MOMENT = timedelta(hours=1)


def walk(world: World, form: str) -> tuple[Attended, ...]:
    """What two canaries a market met. Raises Unable without a mailbox or a site."""
    walked: tuple[Attended, ...] = world.once("events", lambda: _walk(world, form))
    return walked


def _walk(world: World, form: str) -> tuple[Attended, ...]:
    with flock.flock(world, times=2) as canaries, _announced(canaries[::2], form) as events:
        first, second = canaries[::2], canaries[1::2]
        beside = {one.market: one for one in second}
        opened = [flock.each(some, lambda one: _open(one, events)) for some in (first, second)]
        forms.read()
        for some, ready in zip((first, second), opened, strict=True):
            _send(some, ready)
        met = flock.each(
            [one for one in first if all(one.market in each for each in opened)], lambda one: _taken(one, beside)
        )
        going = [one for one in first if one.market in met and met[one.market].taken]
        person.settle(one.handle for one in (*going, *(beside[each.market] for each in going)))
        met = flock.go_on(going, met, lambda one, seen: _attend(one, beside[one.market], seen, events[one.market]))
        met = flock.go_on(going, met, lambda one, seen: _outlive(one, beside[one.market], seen, events[one.market]))
        return tuple(met[one.market] for one in first if one.market in met)


@contextmanager
def _announced(canaries: list[Canary], form: str) -> Iterator[Mapping[str, UUID]]:
    """An event for each market, which no list shows; gone at the end with everything that hangs on it."""
    made: dict[str, UUID] = {}
    try:
        yield flock.each(canaries, lambda one: made.setdefault(one.market, _announce(one, form)))
    finally:
        Answer.everyone.filter(event_id__in=made.values()).delete()
        Registration.everyone.filter(event_id__in=made.values()).delete()
        Purge.objects.filter(event_id__in=made.values()).delete()
        Event.objects.filter(pk__in=made.values()).delete()


def _announce(canary: Canary, form: str) -> UUID:
    market = canary.world.published.policy.markets[canary.market]
    words = {"title": f"Trial {canary.mark}", "lead": "Löfte", "place": "Löfte"}
    starts = canary.world.now().replace(microsecond=0) + timedelta(days=2)
    made = planning.draft(
        planning.Plan(
            slug=f"canary-{canary.mark}", markets=(canary.market,), contents=dict.fromkeys(market.locales, words), starts_at=starts,
            ends_at=starts + timedelta(hours=2), zone=law_pack(market.law).zone, capacity=1, form=form, keep=KEEP,
            retention={"name": _SOONER},
        ),
        _BY,
    )  # fmt: skip
    planning.publish(made, _BY)
    return made


def _open(canary: Canary, events: Mapping[str, UUID]) -> forms.Open:
    event = Event.objects.get(pk=events[canary.market])
    return forms.find(canary, f"/events/{canary.tail}{event.slug}/")


def _send(canaries: list[Canary], ready: Mapping[str, forms.Open]) -> None:
    flock.each([one for one in canaries if one.market in ready], lambda one: forms.send(ready[one.market]))


def _row(canary: Canary) -> Registration | None:
    row: Registration | None = Registration.objects.of(canary.handle).first()
    return row


def _state(canary: Canary) -> str:
    row = _row(canary)
    return row.state if row else ""


def _taken(canary: Canary, beside: Mapping[str, Canary]) -> Attended:
    other = beside[canary.market]
    known = flock.recognise(canary) and flock.recognise(other)
    return Attended(canary.market, taken=known and (_state(canary), _state(other)) == (State.REGISTERED, State.WAITING))


def _attend(canary: Canary, other: Canary, met: Attended, event_id: UUID) -> Attended:
    """Confirmed, listed, and the place given up: looking at the link does nothing, the button does."""
    event = Event.objects.get(pk=event_id)
    letter = next((one for one in canary.mailbox.letters_to(canary.address) if one.link_with("/leave/")), None)
    listed = _is_listed(canary, event)
    let_be = flock.is_let_be(canary) and flock.is_let_be(other)
    if letter is None:
        return replace(met, listed=listed, let_be=let_be)
    link = letter.link_with("/leave/")
    canary.visitor.get(link)
    waits = _state(canary) == State.REGISTERED
    person.press(canary, link)
    return replace(
        met, confirmed=True, dated=_begins(canary.mailbox.source(letter)) == event.starts_at, listed=listed, let_be=let_be,
        waits=waits, freed=_state(canary) == State.LEFT, promoted=_state(other) == State.REGISTERED,
    )  # fmt: skip


def _begins(source: EmailMessage) -> datetime | None:
    """When the event in the calendar file of the letter begins."""
    for part in source.iter_attachments():
        if part.get_content_type() == "text/calendar":
            for one in Calendar.from_ical(str(part.get_content())).walk("VEVENT"):
                begins: datetime = one.decoded("dtstart")
                return begins.astimezone(UTC)
    return None


def _is_listed(canary: Canary, event: Event) -> bool:
    row = _row(canary)
    if row is None:
        return False
    before = Look.objects.of(canary.handle).count()
    seen = attendance.attendees(event.id, row.purpose, by=_BY)
    mine = [one for one in seen if one.person == canary.handle and one.answers.get("email") == canary.address]
    return bool(mine) and Look.objects.of(canary.handle).count() > before


def _outlive(canary: Canary, other: Canary, met: Attended, event_id: UUID) -> Attended:
    """Whoever was there on the day: the name is let go of a day after, the rest after a week, and nothing is left then."""
    ends = Event.objects.get(pk=event_id).ends_at
    whose = other if _state(other) == State.REGISTERED else canary
    fields = {one.field for one in Answer.objects.of(whose.handle)}
    _suppose(whose, event_id, add_period(ends, _SOONER) - _A_MOMENT)
    stays = fields <= _answered(whose)
    _suppose(whose, event_id, add_period(ends, _SOONER) + _A_MOMENT)
    sooner = _answered(whose)
    _suppose(whose, event_id, add_period(ends, KEEP) - _A_MOMENT)
    stays = stays and fields - {"name"} <= _answered(whose)
    _suppose(whose, event_id, add_period(ends, KEEP) + _A_MOMENT)
    return replace(met, stays=stays, gone="name" not in sooner and not _is_known(whose, event_id))


def _answered(canary: Canary) -> set[str]:
    return {one.field for one in Answer.objects.of(canary.handle)}


def _is_known(canary: Canary, event_id: UUID) -> bool:
    purposes = set(Event.objects.filter(pk=event_id).values_list("form", flat=True))
    held = Holding.objects.of(canary.handle).filter(source__in=[f"form:{one}" for one in purposes])
    return bool(_answered(canary)) or _row(canary) is not None or held.exists()


def _suppose(canary: Canary, event_id: UUID, at: datetime) -> None:
    """This event and this person as the duties would find them at that moment."""
    at_large.forget(canary.world, canary.handle)
    forgetting.forget_one(event_id, at)
    if Person.objects.filter(pk=canary.handle).exists():
        retention.sweep_one(canary.handle, at)
    forgetting.forget_one(event_id, at)
    if Person.objects.filter(pk=canary.handle).exists():
        at_large.note(canary.world, canary.handle)
