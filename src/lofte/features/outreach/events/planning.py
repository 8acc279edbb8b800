"""What staff do with an event: write it, publish it, change it, call it off. `telling` says it to everybody who comes.

Raises `Problem`: `events.none`, `events.taken-slug`, `events.bad-time`, `events.bad-zone`, `events.undeclared`, `events.too-long`,
`events.incomplete`, `events.closed`, `events.no-form`.
"""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from lofte.core import actions, clock, outbox, ports, publication
from lofte.core.retry import in_transaction
from lofte.features.outreach.events import seats, terms
from lofte.features.outreach.events.models import Event, Registration
from lofte.features.outreach.events.reminders import PERIODS
from lofte.kernel.problems import Place, Problem
from lofte.rules import clocks

PARTS = ("title", "lead", "text", "place")
NEEDED = ("title", "lead", "place")
LONGEST = {"title": 120, "lead": 400, "text": 8000, "place": 300}
_SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_MOST = 100_000
_BATCH = 500
_OWN_WORDS = ("leave",)  # addresses of ours under /events/


@dataclass(frozen=True, slots=True)
class Plan:
    """An event as staff write it. ``contents`` has a word for each of `PARTS` by locale; ``retention`` a period by field."""

    slug: str
    markets: tuple[str, ...]
    contents: Mapping[str, Mapping[str, str]]
    starts_at: datetime
    ends_at: datetime
    zone: str
    capacity: int
    form: str
    keep: str
    retention: Mapping[str, str] = field(default_factory=dict)
    reminders: tuple[str, ...] = ()
    closes_at: datetime | None = None
    online: str = ""
    has_waiting_list: bool = True
    is_listed: bool = True


@in_transaction
def draft(plan: Plan, by: str) -> UUID:
    """Keep a new event that nobody sees yet. Returns its id."""
    _examine(plan, None)
    row = Event.objects.create(**_columns(plan), by=by, made_at=clock.now())
    actions.record("event.drafted", by, event=str(row.id))
    return row.id


@in_transaction
def change(event_id: UUID, plan: Plan, by: str) -> None:
    """Write it anew. Once it is published, whoever has a place is told of another time, place or address to join.

    The form cannot change once somebody has used it: each answered what they were asked.
    """
    row = row_of(event_id, lock=True)
    if row.state == Event.State.CANCELLED:
        raise _closed()
    _examine(plan, row)
    before, columns = _what_matters(row), _columns(plan)
    for name, value in columns.items():
        setattr(row, name, value)
    if row.state == Event.State.PUBLISHED:
        _demand_complete(row)
    has_moved = row.state == Event.State.PUBLISHED and _what_matters(row) != before
    row.sequence += has_moved
    Event.objects.filter(pk=event_id).update(**columns, sequence=row.sequence, has_news=row.has_news or has_moved)
    move_deadlines(row)
    seats.promote(row)
    actions.record("event.changed", by, event=str(event_id), told=has_moved)


@in_transaction
def publish(event_id: UUID, by: str) -> None:
    """From now on people can register. Publishing it again changes nothing."""
    row = row_of(event_id, lock=True)
    if row.state == Event.State.PUBLISHED:
        return
    if row.state == Event.State.CANCELLED:
        raise _closed()
    if row.starts_at <= clock.now():
        raise Problem("events.bad-time", "the event has begun already", Place(key="starts_at"), status=422)
    _demand_complete(row)
    Event.objects.filter(pk=event_id, state=Event.State.DRAFT).update(
        state=Event.State.PUBLISHED, published_at=clock.now()
    )
    actions.record("event.published", by, event=str(event_id))


@in_transaction
def call_off(event_id: UUID, by: str) -> int:
    """It does not take place. Everybody with a place or in the queue is told by `telling`. Returns how many they are.

    Again, it changes nothing.
    """
    row = row_of(event_id, lock=True)
    if row.state == Event.State.CANCELLED:
        return 0
    if row.ends_at <= clock.now():
        raise _closed()
    Event.objects.filter(pk=event_id).update(
        state=Event.State.CANCELLED, cancelled_at=clock.now(), sequence=row.sequence + 1, has_news=True
    )
    concerned = Registration.everyone.filter(event_id=event_id, state__in=seats.COMING).count()
    actions.record("event.called_off", by, event=str(event_id), told=concerned)
    outbox.add("action.event_called_off", {"event": str(event_id), "told": concerned})
    return concerned


@in_transaction
def discard(event_id: UUID, by: str) -> None:
    """Throw a draft away."""
    if not Event.objects.filter(pk=event_id, state=Event.State.DRAFT).delete()[0]:
        raise _closed()
    actions.record("event.discarded", by, event=str(event_id))


def row_of(event_id: UUID, *, lock: bool = False) -> Event:
    """The event. With ``lock`` no other act that changes who comes goes on until the caller's transaction ends."""
    if lock:
        seats.take_turn(event_id)
    found = Event.objects.filter(pk=event_id).first()
    if found is None:
        raise Problem("events.none", "there is no such event", status=404)
    return found


def move_deadlines(event: Event) -> None:
    """The end has moved, or how long after it things are kept: what was answered goes by that."""
    rows = Registration.everyone.filter(event_id=event.id).order_by("person_id")
    after: UUID | None = None
    while batch := list((rows if after is None else rows.filter(person_id__gt=after))[:_BATCH]):
        for each in batch:
            terms.renew(event, each)
        ports.register().refresh_due_of([each.person_id for each in batch])
        after = batch[-1].person_id


# --- what may be written --------------------------------------------------------------------------------------------


def _columns(plan: Plan) -> dict[str, Any]:
    columns = asdict(plan)
    columns["markets"], columns["reminders"] = list(plan.markets), sorted(set(plan.reminders))
    columns["contents"] = {
        locale: {part: said.get(part, "").strip() for part in PARTS} for locale, said in plan.contents.items()
    }
    columns["retention"] = {name: period for name, period in plan.retention.items() if period}
    columns["online"] = plan.online.strip()
    return columns


def _what_matters(row: Event) -> tuple[Any, ...]:
    places = {locale: said.get("place", "") for locale, said in row.contents.items()}
    return row.starts_at, row.ends_at, row.zone, row.online, places


def _examine(plan: Plan, row: Event | None) -> None:
    policy = publication.current().policy
    if not _SLUG.fullmatch(plan.slug) or len(plan.slug) > 64 or plan.slug in _OWN_WORDS:
        raise _bad("slug", "bad-slug", "an address has small letters, digits and hyphens")
    others = Event.objects.filter(slug=plan.slug)
    if (others.exclude(pk=row.pk) if row else others).exists():
        raise Problem("events.taken-slug", "another event has this address", Place(key="slug"), status=409)
    if row and row.slug != plan.slug and row.state != Event.State.DRAFT:
        raise _bad("slug", "fixed", "the address of a published event stays")
    if not plan.markets or set(plan.markets) - set(policy.markets):
        raise _bad("markets", "undeclared", "the policy has no such market")
    _examine_times(plan)
    if not 1 <= plan.capacity <= _MOST:
        raise _bad("capacity", "bad-capacity", "an event has one place at least")
    if plan.online and not plan.online.startswith("https://"):
        raise _bad("online", "bad-address", "an address to join begins with https")
    _examine_words(plan)
    _examine_form(plan, row)


def _examine_times(plan: Plan) -> None:
    try:
        ZoneInfo(plan.zone)
    except (ZoneInfoNotFoundError, ValueError):
        raise _bad("zone", "bad-zone", "there is no such time zone") from None
    if any(each is not None and each.tzinfo is None for each in (plan.starts_at, plan.ends_at, plan.closes_at)):
        raise ValueError("an instant needs its zone")
    if not plan.starts_at < plan.ends_at:
        raise _bad("ends_at", "bad-time", "it ends after it begins")
    if plan.ends_at - plan.starts_at > timedelta(days=366):
        raise _bad("ends_at", "bad-time", "it lasts a year at most")
    if plan.closes_at and plan.closes_at > plan.starts_at:
        raise _bad("closes_at", "bad-time", "registration closes before it begins")
    if set(plan.reminders) - set(PERIODS):
        raise _bad("reminders", "bad-period", "people are not reminded so long before")


def _examine_words(plan: Plan) -> None:
    known = publication.current().policy.locales()
    for locale, said in plan.contents.items():
        if locale not in known or set(said) - set(PARTS):
            raise _bad("contents", "undeclared", "the policy has no such language")
        for part, text in said.items():
            if len(text) > LONGEST[part]:
                raise _bad(f"{part}-{locale}", "too-long", f"at most {LONGEST[part]} characters")


def _examine_form(plan: Plan, row: Event | None) -> None:
    """Every question comes from a form, and so from the policy; nothing is kept longer than the policy lets its purpose be."""
    if row and row.form != plan.form and Registration.everyone.filter(event_id=row.pk).exists():
        raise _bad("form", "fixed", "people have answered the form already")
    asked, purposes = set[str](), set[str]()
    for market in plan.markets:
        spec = seats.form_for(plan.form, market)
        if spec is None:
            raise _bad("form", "no-form", f"there is no such form for events in {market}")
        asked |= {each.field for each in spec.fields}
        purposes.add(spec.purpose)
    if stray := sorted(set(plan.retention) - asked):
        raise _bad(f"retention-{stray[0]}", "undeclared", "the form does not ask for this")
    for name, period in {
        "keep": plan.keep,
        **{f"retention-{key}": each for key, each in plan.retention.items()},
    }.items():
        if not period and name != "keep":
            continue
        _period(name, period)
        for longest in filter(None, map(terms.longest, purposes)):
            if terms.is_longer(period, longest, at=clock.now()):
                raise Problem(
                    "events.too-long", f"the policy lets it be kept {longest}", Place(key=name), law="GDPR 5(1)(e)", status=422
                )  # fmt: skip


def _demand_complete(row: Event) -> None:
    """Words in every language of its markets, before anybody sees it."""
    policy = publication.current().policy
    for market in row.markets:
        for locale in policy.markets[market].locales:
            said = row.contents.get(locale, {})
            if missing := [part for part in NEEDED if not said.get(part)]:
                raise Problem(
                    "events.incomplete", f"{locale} has no {missing[0]}", Place(key=f"{missing[0]}-{locale}"), status=422
                )  # fmt: skip


def _period(name: str, period: str) -> None:
    try:
        clocks.add_period(clock.now(), period)
    except (Problem, ValueError, OverflowError):
        raise _bad(name, "bad-period", "this is no period") from None


def _bad(key: str, code: str, detail: str) -> Problem:
    return Problem(f"events.{code}", detail, Place(key=key), status=422)


def _closed() -> Problem:
    return Problem("events.closed", "the event is over, called off or no draft any more", status=409)
