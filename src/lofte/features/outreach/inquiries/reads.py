"""Questions about inquiries.

A line of the inbox holds nothing personal; what was written is opened with `opened`, which leaves a look.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Count, Q, QuerySet

from lofte.core import ports, vault
from lofte.core.models import Mail
from lofte.features.outreach.inquiries.ledger import State, row_of
from lofte.features.outreach.inquiries.models import Inquiry, Step

_SOON = timedelta(days=7)
_BY_LAST_DAY = ("due_on", "received_at", "id")
_LATEST_FIRST = ("-latest_at", "-id")


@dataclass(frozen=True, slots=True)
class Line:
    """One inquiry without anything personal. ``due_on`` is empty while the word is theirs."""

    id: UUID
    person_id: UUID
    reference: str
    kind: str
    purpose: str
    market: str
    locale: str
    form: str
    state: str
    outcome: str
    turn: int
    assignee: str
    received_at: datetime
    latest_at: datetime
    due_on: date | None
    answered_at: datetime | None
    closed_at: datetime | None
    request: UUID | None

    @property
    def is_closed(self) -> bool:
        return self.state == State.CLOSED


@dataclass(frozen=True, slots=True)
class Event:
    """One step. ``mail`` is how far the letter has come: queued, sending, sent, suppressed, failed; empty for what is no letter."""

    id: UUID
    kind: str
    by: str
    at: datetime
    reason: str
    dialogue: UUID | None
    mail: str


@dataclass(frozen=True, slots=True)
class Opened:
    """What an inquiry says about its writer and what was written, by step: words, and other addresses letters came from."""

    writer: Mapping[str, str] = field(repr=False)
    words: Mapping[UUID, str] = field(repr=False)
    senders: Mapping[UUID, str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which inquiries: open, overdue, soon, answered or closed; of one kind, one market, on some desks (`""` is nobody's), and
    only of purposes whoever asks may state."""

    shown: str = "open"
    kind: str = ""
    market: str = ""
    desks: frozenset[str] | None = None
    purposes: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class Page:
    lines: tuple[Line, ...]
    number: int
    pages: int
    total: int


@dataclass(frozen=True, slots=True)
class Standing:
    """How inquiries stand, for whoever keeps the promise: how many wait for an answer, and how many past their last day."""

    open: int
    overdue: int
    oldest_due: date | None
    markets: Mapping[str, int]


# --- the inbox ------------------------------------------------------------------------------------------------------


_SHOWN: Mapping[str, Callable[[datetime], Q]] = {
    "open": lambda at: Q(state=State.OPEN),
    "overdue": lambda at: Q(state=State.OPEN, due_on__lt=at.date()),
    "soon": lambda at: Q(state=State.OPEN, due_on__range=(at.date(), at.date() + _SOON)),
    "answered": lambda at: Q(state=State.ANSWERED),
    "closed": lambda at: Q(state=State.CLOSED),
}
SHOWN = tuple(_SHOWN)


def listed(wanted: Wanted, at: datetime, number: int = 1, size: int = 50) -> Page:
    """One page of the inbox, in a fixed number of statements however many inquiries there are."""
    rows = _wanted(wanted, at)
    total = rows.count()
    pages = max(1, -(-total // size))
    number = min(max(1, number), pages)
    order = _LATEST_FIRST if wanted.shown in ("answered", "closed") else _BY_LAST_DAY
    found = rows.defer("sealed").order_by(*order)[(number - 1) * size : number * size]
    return Page(tuple(_line(row) for row in found), number, pages, total)


def counts(wanted: Wanted, at: datetime) -> Mapping[str, int]:
    """How many there are in each part of the inbox, narrowed as ``wanted`` is."""
    return {shown: _wanted(replace(wanted, shown=shown), at).count() for shown in SHOWN}


def _wanted(wanted: Wanted, at: datetime) -> QuerySet[Inquiry]:
    rows = Inquiry.everyone.filter(_SHOWN[wanted.shown](at))
    if wanted.kind:
        rows = rows.filter(kind=wanted.kind)
    if wanted.market:
        rows = rows.filter(market=wanted.market)
    if wanted.desks is not None:
        rows = rows.filter(assignee__in=wanted.desks)
    if wanted.purposes is not None:
        rows = rows.filter(purpose__in=wanted.purposes)
    return rows


def find(reference: str) -> UUID | None:
    """The inquiry with this reference as people write it: any case, with or without the hyphen."""
    plain = "".join(each for each in reference.upper() if each.isalnum())
    rows = Inquiry.everyone.filter(reference=f"{plain[:4]}-{plain[4:]}").values_list("id", flat=True)[:2]
    return rows[0] if len(rows) == 1 else None


def neighbours(line: Line, purposes: frozenset[str]) -> tuple[UUID | None, UUID | None]:
    """The open inquiries before and after this one in the order of the inbox, of the same market."""
    if line.state != State.OPEN or line.due_on is None:
        return None, None
    rows = Inquiry.everyone.filter(state=State.OPEN, market=line.market, purpose__in=purposes)
    here = (line.due_on, line.received_at, line.id)
    same = Q(due_on=here[0])
    after = Q(due_on__gt=here[0]) | same & (Q(received_at__gt=here[1]) | Q(received_at=here[1], id__gt=here[2]))
    before = Q(due_on__lt=here[0]) | same & (Q(received_at__lt=here[1]) | Q(received_at=here[1], id__lt=here[2]))
    back = ("-due_on", "-received_at", "-id")
    return (
        rows.filter(before).order_by(*back).values_list("id", flat=True).first(),
        rows.filter(after).order_by(*_BY_LAST_DAY).values_list("id", flat=True).first(),
    )


def standing(at: datetime) -> Standing:
    rows = Inquiry.everyone.filter(state=State.OPEN)
    markets = rows.order_by().values_list("market").annotate(count=Count("id"))
    return Standing(
        rows.count(), rows.filter(due_on__lt=at.date()).count(),
        rows.order_by("due_on").values_list("due_on", flat=True).first(), dict(markets),
    )  # fmt: skip


# --- one inquiry ----------------------------------------------------------------------------------------------------


def one(inquiry: UUID) -> Line:
    """Raises Problem `inquiry.unknown`."""
    return _line(row_of(inquiry))


def of(person_id: UUID) -> tuple[Line, ...]:
    """A person's inquiries, the latest first."""
    return tuple(_line(row) for row in Inquiry.objects.of(person_id).defer("sealed").order_by("-received_at", "-id"))


def history(line: Line) -> tuple[Event, ...]:
    """Everything that happened, oldest first, without words."""
    steps = list(Step.objects.of(line.person_id).filter(inquiry=line.id).defer("sealed").order_by("at", "id"))
    states = dict(Mail.objects.of(line.person_id).filter(about=line.id).values_list("id", "state"))
    return tuple(
        Event(each.id, each.kind, each.by, each.at, each.reason, each.dialogue, states.get(each.mail, ""))
        for each in steps
    )


def opened(line: Line, purpose: str, *, by: str) -> Opened:
    """What was written, for a purpose and leaving one look. Raises Problem `register.denied`."""
    steps = list(Step.objects.of(line.person_id).filter(inquiry=line.id))
    entries = {each.dialogue: each.id for each in steps if each.dialogue}
    row = Inquiry.objects.of(line.person_id).get(id=line.id)
    key = vault.opener(line.person_id)
    writer = json.loads(key.open(row.id, row.sealed))["values"]
    words = ports.register().words_of(line.person_id, entries, purpose, by=by, fields=writer)
    said = {entries[entry]: text for entry, text in words.items()}
    kept = {each.id: json.loads(key.open(each.id, each.sealed)) for each in steps if each.sealed is not None}
    notes = {step: each["words"] for step, each in kept.items() if "words" in each}
    senders = {step: each["from"] for step, each in kept.items() if "from" in each}
    return Opened(writer, {**said, **notes}, senders)


def entries_of(line: Line) -> list[UUID]:
    """The holdings with what was said in an inquiry."""
    rows = Step.objects.of(line.person_id).filter(inquiry=line.id, dialogue__isnull=False)
    return list(rows.values_list("dialogue", flat=True))


def _line(row: Any) -> Line:
    return Line(**{name: getattr(row, name) for name in Line.__dataclass_fields__})
