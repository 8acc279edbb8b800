"""Questions about events: for the public pages, for staff, for whoever comes, and for the clocks of the register."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Count, Min, Q

from lofte.core import codes, many
from lofte.core.ports import Attended
from lofte.features.outreach.events import attendance, forgetting, seats, terms
from lofte.features.outreach.events.models import Answer, Event, Purge, Registration

State = Registration.State


@dataclass(frozen=True, slots=True)
class Numbers:
    """Of one event, in how many registrations; ``marketable`` never: nothing here may be used for advertising."""

    registered: int
    waiting: int
    left: int
    checked_in: int


@dataclass(frozen=True, slots=True)
class Leaving:
    """One field of one event: how much is there, from when it must be gone, and what is past that."""

    field: str
    there: int
    next_due: datetime | None
    overdue: int
    purges: tuple[Purge, ...]


@dataclass(frozen=True, slots=True)
class OpenLink:
    """What a page may show before the button is pressed (GET): the event, nothing personal."""

    event: Event
    market: str
    locale: str
    is_over: bool


# --- for everybody --------------------------------------------------------------------------------------------------


def ahead(market: str, at: datetime) -> list[Event]:
    """Published events of a market that are not over, the next first; not those on which a probe tries things out."""
    rows = Event.objects.filter(state=Event.State.PUBLISHED, is_listed=True, ends_at__gt=at).exclude(by="probe")
    rows = rows.order_by("starts_at", "id")
    return [each for each in rows if market in each.markets]


def shown(market: str, slug: str) -> Event | None:
    """The event people see at an address: published, or called off."""
    row = Event.objects.filter(slug=slug).exclude(state=Event.State.DRAFT).first()
    return row if row and market in row.markets else None


def free(event: Event) -> int:
    """Places that are still free to whoever comes now."""
    is_queued = Registration.everyone.filter(event_id=event.id, state=State.WAITING).exists()
    return 0 if is_queued else max(event.capacity - event.taken, 0)


def open_link(code: str) -> OpenLink | None:
    """What a mailed link would give up. Changes nothing; None when it is not known, or no longer."""
    opened = codes.peek(code, "event-leave")
    row = Registration.objects.of(opened.person_id).filter(id=opened.about).first() if opened else None
    event = Event.objects.filter(pk=row.event_id).first() if row else None
    if opened is None or row is None or event is None:
        return None
    return OpenLink(event, opened.market, opened.locale, row.state not in seats.COMING)


# --- for staff ------------------------------------------------------------------------------------------------------


def listed(*, over: bool, at: datetime, limit: int = 100) -> list[Event]:
    """Events that are ahead (drafts among them), or those that are over, the latest first."""
    if over:
        return list(Event.objects.filter(ends_at__lte=at).order_by("-ends_at")[:limit])
    return list(Event.objects.filter(ends_at__gt=at).order_by("starts_at", "id")[:limit])


def done(at: datetime, limit: int = 100) -> list[Event]:
    """Events that are over or were called off, the latest first: what they know of people is on its way out."""
    gone_by = Q(ends_at__lte=at) | Q(state=Event.State.CANCELLED)
    return list(Event.objects.filter(gone_by).order_by("-ends_at")[:limit])


def numbers(event_ids: Sequence[UUID]) -> Mapping[UUID, Numbers]:
    rows = Registration.everyone.filter(event_id__in=list(event_ids)).order_by().values("event_id")
    counted = rows.annotate(
        registered=Count("id", filter=Q(state=State.REGISTERED)), waiting=Count("id", filter=Q(state=State.WAITING)),
        left=Count("id", filter=Q(state=State.LEFT)), here=Count("id", filter=Q(checked_in_at__isnull=False)),
    )  # fmt: skip
    found = {
        each["event_id"]: Numbers(each["registered"], each["waiting"], each["left"], each["here"]) for each in counted
    }
    return {each: found.get(each, Numbers(0, 0, 0, 0)) for each in event_ids}


def leaving(event_ids: Sequence[UUID], at: datetime) -> Mapping[UUID, list[Leaving]]:
    """What each of these events still knows of people, field by field, and the proofs of what went. The registration is ``*``."""
    purges: dict[tuple[UUID, str], list[Purge]] = {}
    for row in Purge.objects.filter(event_id__in=list(event_ids)).order_by("at"):
        purges.setdefault((row.event_id, row.field), []).append(row)
    sums = {"there": Count("id"), "next_due": Min("due_at"), "overdue": Count("id", filter=Q(due_at__lte=at))}
    answers = (
        Answer.everyone.filter(event_id__in=list(event_ids)).order_by().values("event_id", "field").annotate(**sums)
    )
    rows = Registration.everyone.filter(event_id__in=list(event_ids)).order_by().values("event_id").annotate(**sums)
    there = {(each["event_id"], each.get("field", forgetting.WHOLE)): each for each in (*answers, *rows)}
    found: dict[UUID, list[Leaving]] = {each: [] for each in event_ids}
    for key in sorted({*purges, *there}, key=lambda each: (str(each[0]), each[1] == forgetting.WHOLE, each[1])):
        now = there.get(key, {"there": 0, "next_due": None, "overdue": 0})
        line = Leaving(key[1], now["there"], now["next_due"], now["overdue"], tuple(purges.get(key, ())))
        found[key[0]].append(line)
    return found


def half_forgotten(at: datetime) -> int:
    """Events of which something is still there past its time: only a hold or a request may be the reason."""
    late = Answer.everyone.filter(due_at__lte=at).order_by().values_list("event_id", flat=True).distinct()
    return len(set(late))


def fields_of(event: Event) -> list[str]:
    """The questions of its form, in the order they are asked."""
    for market in event.markets:
        if spec := seats.form_for(event.form, market):
            return [each.field for each in spec.fields]
    return []


# --- for whoever comes ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Mine:
    """One registration, for the person themself."""

    event: Event
    row: Registration
    answers: Mapping[str, str]


def of_person(person_id: UUID, purpose: str, *, by: str) -> list[Mine]:
    """Everything somebody registered for, with what they answered; leaves a look where anything is opened."""
    rows = list(Registration.objects.of(person_id).order_by("-made_at"))
    if not rows:
        return []
    events = {each.id: each for each in Event.objects.filter(id__in=[row.event_id for row in rows])}
    seen = {each.id: each for each in attendance.opened(rows, purpose, by=by)}
    return [Mine(events[row.event_id], row, seen[row.id].answers if row.id in seen else {}) for row in rows]


def people_registered(event_id: UUID, after: UUID | None, limit: int) -> list[UUID]:
    """The next people with a place at an event, in order of id; pass the last one to go on. Handles only."""
    rows = Registration.everyone.filter(event_id=event_id, state=State.REGISTERED)
    if after is not None:
        rows = rows.filter(person_id__gt=after)
    return list(rows.order_by("person_id").values_list("person_id", flat=True)[:limit])


# --- for the clocks of the register ---------------------------------------------------------------------------------


def attended_of(people: Sequence[UUID]) -> Mapping[UUID, Mapping[str, Attended]]:
    """By person and purpose: the latest registration, and from when each field of it must be gone. The last event decides."""
    rows = list(Registration.everyone.filter(person_id__in=many.among(people)))
    events = {each.id: each for each in Event.objects.filter(id__in={row.event_id for row in rows})} if rows else {}
    found: dict[UUID, dict[str, list[tuple[Registration, Event]]]] = {}
    for row in rows:
        if event := events.get(row.event_id):
            found.setdefault(row.person_id, {}).setdefault(row.purpose, []).append((row, event))
    return {
        person: {purpose: _attended(pairs) for purpose, pairs in by_purpose.items()}
        for person, by_purpose in found.items()
    }


def _attended(pairs: Sequence[tuple[Registration, Event]]) -> Attended:
    named = {field for _, event in pairs for field in event.retention}
    until = {field: max(terms.due(event, row, field) for row, event in pairs) for field in named}
    rest = max(terms.due(event, row, forgetting.WHOLE) for row, event in pairs)
    return Attended(max(row.made_at for row, _ in pairs), until, rest)
