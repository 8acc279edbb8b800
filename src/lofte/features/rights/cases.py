"""Requests as others see them: a case with its last days, what it waits for and its history. Reads only; verbs are in `requests`.

A line of the list holds nothing personal. The words of a request are opened with `words_of`, which its caller has logged as a look.
"""

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import CharField, Q, QuerySet, Value

from lofte.core import clock, ports, vault
from lofte.core.models import Obligation, Outbox
from lofte.features.rights import deadlines
from lofte.features.rights.deadlines import Terms
from lofte.features.rights.models import Correction, Erasure, Request, Step
from lofte.kernel.problems import Problem
from lofte.rules.deadlines import Wait

State, Right = Request.State, Request.Right
OPEN = (State.RECEIVED, State.IDENTIFYING, State.WORKING, State.WAITING)
CLOSED = (State.ANSWERED, State.REFUSED, State.DONE)

_BY_LAST_DAY = ("due_on", "received_at", "id")
_AT_A_TIME = 500
_SOON = timedelta(days=7)

PERSON, LOG, SEARCH, FILES = "person", "log", "search", "files"
"""What a request may wait for besides the connected systems: the person's word, the evidence log, the search for residue, and
somebody who looks at files before they go out in a copy."""


@dataclass(frozen=True, slots=True)
class Event:
    """One step of the history. ``has_words`` when somebody wrote something; open them with `words_of`."""

    id: UUID
    kind: str
    by: str
    at: datetime
    reason: str
    about: UUID | None
    has_words: bool


@dataclass(frozen=True, slots=True)
class Case:
    """One request. ``waiting_for`` names connected systems, or `PERSON`, `LOG`, `SEARCH`; empty when it waits for us.

    ``keeps_words`` until whoever it is from is erased; ``turn`` is what `requests.at_turn` asks for.
    """

    id: UUID
    reference: str
    person_id: UUID | None
    right: str
    purpose: str
    channel: str
    market: str
    locale: str
    law: str
    by: str
    state: str
    outcome: str
    ends_itself: bool
    keeps_words: bool
    turn: int
    assignee: str
    received_at: datetime
    identified_at: datetime | None
    extended_at: datetime | None
    closed_at: datetime | None
    deadline: Terms
    waiting_for: tuple[str, ...]
    history: tuple[Event, ...] = field(repr=False)

    @property
    def is_open(self) -> bool:
        return self.state in OPEN

    def has(self, kind: str) -> bool:
        return any(each.kind == kind for each in self.history)

    @property
    def untold(self) -> tuple[Event, ...]:
        """Letters that could not be mailed and that nobody has told the person of yet."""
        told = {each.about for each in self.history if each.kind == "told"}
        return tuple(each for each in self.history if each.kind == "untold" and each.has_words and each.id not in told)

    def abouts(self) -> tuple[UUID, ...]:
        return tuple(each.about for each in self.history if each.about)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which requests: open, overdue, soon, new, waiting or closed; of one right, one market, on some desks (`""` is nobody's)."""

    shown: str = "open"
    right: str = ""
    market: str = ""
    desks: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list: ``number`` of ``pages``, and how many requests there are in all."""

    cases: tuple[Case, ...]
    number: int
    pages: int
    total: int


def one(request_id: UUID) -> Case:
    """Raises Problem `request.unknown`."""
    row = Request.objects.filter(pk=request_id).first()
    if row is None:
        raise Problem("request.unknown", "there is no such request", status=404)
    return _cases([row])[0]


def of(person_id: UUID) -> tuple[Case, ...]:
    """Everything one person asked for, the latest first; in a fixed small number of SQL statements."""
    return opened_of(person_id)[0]


def opened_of(person_id: UUID) -> tuple[tuple[Case, ...], dict[UUID, str]]:
    """As `of`, with what was written in each step: one key as long as all is the person's."""
    rows = list(Request.objects.filter(subject=person_id).order_by("-received_at", "-id"))
    steps = _steps(rows)
    openers: dict[UUID, vault.Opener] = {}
    words = {}
    for row in rows:
        for each in steps[row.id]:
            if row.owner is not None and each.sealed is not None:
                opener = openers.get(row.owner) or openers.setdefault(row.owner, vault.opener(row.owner))
                words[each.id] = opener.open(each.id, each.sealed).decode()
    return tuple(_cases(rows, steps)), words


def open_now() -> tuple[Case, ...]:
    """Every request that is not answered, by its last day."""
    return tuple(each_open())


def each_open() -> Iterator[Case]:
    """As `open_now`, a few hundred at a time: for what goes through all of them."""
    rows = list(_queue()[:_AT_A_TIME])
    while rows:
        yield from _cases(rows)
        rows = list(_queue().filter(_after(rows[-1]))[:_AT_A_TIME])


def _queue() -> QuerySet[Request]:
    return Request.objects.filter(state__in=OPEN).order_by(*_BY_LAST_DAY)


def _after(row: Request) -> Q:
    """What stands behind this row in the order of the last day."""
    same_day = Q(due_on=row.due_on)
    later = Q(received_at__gt=row.received_at) | Q(received_at=row.received_at, id__gt=row.id)
    return Q(due_on__gt=row.due_on) | (same_day & later)


def _before(row: Request) -> Q:
    same_day = Q(due_on=row.due_on)
    earlier = Q(received_at__lt=row.received_at) | Q(received_at=row.received_at, id__lt=row.id)
    return Q(due_on__lt=row.due_on) | (same_day & earlier)


def ending(limit: int) -> tuple[Case, ...]:
    """Open requests that end by themselves, the most urgent first."""
    return tuple(_cases(Request.objects.filter(ends_itself=True, state__in=OPEN).order_by("due_on")[:limit]))


def open_for(right: str, limit: int) -> tuple[Case, ...]:
    """Open requests for one right from people who are still there, the most urgent first."""
    rows = Request.objects.filter(right=right, state__in=OPEN, subject__isnull=False)
    return tuple(_cases(rows.order_by("due_on")[:limit]))


def listed(wanted: Wanted, at: datetime, number: int = 1, size: int = 50) -> Page:
    """One page of the list, in a fixed number of statements however many requests there are."""
    rows = _wanted(wanted, at)
    total = rows.count()
    pages = max(1, -(-total // size))
    number = min(max(1, number), pages)
    order = ("-closed_at", "-id") if wanted.shown == "closed" else _BY_LAST_DAY
    return Page(tuple(_cases(rows.order_by(*order)[(number - 1) * size : number * size])), number, pages, total)


def _wanted(wanted: Wanted, at: datetime) -> QuerySet[Request]:
    rows = Request.objects.filter(_SHOWN[wanted.shown](at))
    if wanted.right:
        rows = rows.filter(right=wanted.right)
    if wanted.market:
        rows = rows.filter(market=wanted.market)
    if wanted.desks is not None:
        rows = rows.filter(assignee__in=wanted.desks)
    return rows


def _waiting(at: datetime) -> Q:
    """Open requests that somebody else has the word in: the same as `waiting_for`, asked from what is outstanding."""
    owed = Obligation.objects.exclude(state=Obligation.State.VERIFIED)
    about = Q(about__in=owed.filter(about__isnull=False).values("about"))
    about |= Q(about__in=Outbox.objects.filter(about__isnull=False).values("about"))
    about |= Q(about__in=Erasure.objects.exclude(state=Erasure.State.DONE).values("pk"))
    about |= Q(about__in=Correction.everyone.values("pk"))
    copies = owed.filter(what=Obligation.What.EXPORT, subject__isnull=False)
    here = Q(state__in=(State.IDENTIFYING, State.WAITING), id__in=_persons_turn())
    here |= Q(id__in=Step.objects.filter(about).values("request"))
    here |= Q(right__in=(Right.ACCESS, Right.PORTABILITY), subject__in=copies.values("subject"))
    here |= Q(right__in=(Right.ACCESS, Right.PORTABILITY), subject__in=ports.register().waiting_for_files())
    return Q(state__in=OPEN) & here


def _persons_turn() -> list[UUID]:
    """Few: those whose state says so, and still does."""
    rows = list(Request.objects.filter(state__in=(State.IDENTIFYING, State.WAITING)))
    steps: dict[UUID, list[Step]] = defaultdict(list)
    for each in Step.objects.filter(
        request__in=[row.id for row in rows if row.state == State.WAITING], kind__startswith="clarification"
    ).order_by("at", "id"):
        steps[each.request].append(each)
    return [row.id for row in rows if _is_persons_turn(row, steps[row.id])]


_SHOWN: Mapping[str, Callable[[datetime], Q]] = {
    "open": lambda at: Q(state__in=OPEN),
    "overdue": lambda at: Q(state__in=OPEN, due_on__lt=at.date()),
    "soon": lambda at: Q(state__in=OPEN, due_on__range=(at.date(), at.date() + _SOON)),
    "new": lambda at: Q(state=State.RECEIVED),
    "waiting": _waiting,
    "closed": lambda at: Q(state__in=CLOSED),
}


def find(reference: str) -> UUID | None:
    """The request with this reference as people write it: any case, with or without the hyphen."""
    plain = "".join(each for each in reference.upper() if each.isalnum())
    rows = Request.objects.filter(reference=f"{plain[:4]}-{plain[4:]}").values_list("id", flat=True)[:2]
    return rows[0] if len(rows) == 1 else None


def neighbours(request_id: UUID) -> tuple[UUID | None, UUID | None]:
    """The open requests before and after this one in the order of the list."""
    row = Request.objects.filter(pk=request_id, state__in=OPEN).first()
    if row is None:
        return None, _queue().values_list("id", flat=True).first()
    back = ("-due_on", "-received_at", "-id")
    before = _queue().filter(_before(row)).order_by(*back).values_list("id", flat=True).first()
    return before, _queue().filter(_after(row)).values_list("id", flat=True).first()


def counts(at: datetime, wanted: Wanted | None = None) -> Mapping[str, int]:
    """How many are open, past their last day, within seven days of it, not taken up, waiting for others, and closed; of those with
    the right, in the market and on the desks of ``wanted``."""
    chosen = wanted or Wanted()
    return {shown: _wanted(replace(chosen, shown=shown), at).count() for shown in _SHOWN}


def words_of(case: Case) -> Mapping[UUID, str]:
    """What was written in the history, by the id of the event. The caller has kept a look."""
    row = Request.objects.get(pk=case.id)
    if row.owner is None or not vault.has_key(row.owner):
        return {}
    opener = vault.opener(row.owner)
    steps = Step.objects.filter(request=case.id, sealed__isnull=False)
    return {each.id: opener.open(each.id, each.sealed or b"").decode() for each in steps}


def contact_of(case: Case) -> str:
    """The address the request came from, where nobody has been identified; empty otherwise."""
    row = Request.objects.get(pk=case.id)
    if row.owner is None or row.sealed is None or not vault.has_key(row.owner):
        return ""
    held: dict[str, str] = json.loads(vault.opener(row.owner).open(row.id, row.sealed))
    return held.get("contact", "")


# --- last days ------------------------------------------------------------------------------------------------------


def terms_of(row: Request, steps: Iterable[Any], at: datetime) -> Terms:
    """The last days of a request as its history stands."""
    return deadlines.terms(
        row.law, row.right, row.received_at, at, identity=_identity(row, steps), clarifications=_clarifications(steps),
        is_extended=row.extended_at is not None,
    )  # fmt: skip


def _identity(row: Request, steps: Iterable[Any]) -> Wait | None:
    asked = min((each.at for each in steps if each.kind == "identity_asked"), default=None)
    return Wait(asked, row.identified_at) if asked else None


def _clarifications(steps: Iterable[Any]) -> list[Wait]:
    found: list[Wait] = []
    for each in sorted(steps, key=lambda step: step.at):
        if each.kind == "clarification_asked":
            found.append(Wait(each.at))
        elif each.kind == "clarification_answered" and found and found[-1].answered is None:
            found[-1] = Wait(found[-1].asked, each.at)
    return found


# --- what stands in the way -----------------------------------------------------------------------------------------


def waiting_for(request_id: UUID) -> tuple[str, ...]:
    """What must still happen elsewhere before the request can end, asked at this moment."""
    row = Request.objects.get(pk=request_id)
    steps = list(Step.objects.filter(request=request_id))
    return _waits([row], {row.id: steps}).get(row.id, ())


def _waits(rows: Sequence[Request], steps: Mapping[UUID, Sequence[Step]]) -> dict[UUID, tuple[str, ...]]:
    """For each open request, what it waits for: three statements, however many requests."""
    live = [row for row in rows if row.state in OPEN]
    abouts: dict[UUID, list[UUID]] = defaultdict(list)
    for row in live:
        for each in steps.get(row.id, ()):
            if each.about:
                abouts[each.about].append(row.id)
    found: dict[UUID, set[str]] = defaultdict(set)
    copies: dict[UUID, list[UUID]] = defaultdict(list)
    for row in live:
        if row.subject and row.right in (Right.ACCESS, Right.PORTABILITY):
            copies[row.subject].append(row.id)
    if abouts or copies:
        owed = Q(about__in=abouts) | Q(subject__in=copies, what=Obligation.What.EXPORT)
        for about, subject, system in (
            Obligation.objects.filter(owed)
            .exclude(state=Obligation.State.VERIFIED)
            .values_list("about", "subject", "system")
        ):
            for request in abouts[about] if about in abouts else copies[subject]:
                found[request].add(system)
    if abouts:
        _wait_here(abouts, found)
    for subject in ports.register().waiting_for_files(copies) if copies else ():
        for request in copies[subject]:
            found[request].add(FILES)
    for row in live:
        if _is_persons_turn(row, steps.get(row.id, ())):
            found[row.id].add(PERSON)
    return {request: tuple(sorted(names)) for request, names in found.items()}


def _wait_here(abouts: Mapping[UUID, Sequence[UUID]], found: dict[UUID, set[str]]) -> None:
    """Facts still on their way to the log and its subscribers, erasures not proved yet, addresses not confirmed yet."""
    on_the_way = _named(Outbox.objects.filter(about__in=abouts), "about", LOG)
    unproved = _named(Erasure.objects.filter(pk__in=abouts).exclude(state=Erasure.State.DONE), "pk", SEARCH)
    unconfirmed = _named(Correction.everyone.filter(pk__in=abouts), "pk", PERSON)
    rows = list(on_the_way.union(unproved, unconfirmed))
    for name in (LOG, SEARCH, PERSON):
        for request in (one for said, about in rows if said == name for one in abouts[about]):
            if name != SEARCH or not found[request]:
                found[request].add(name)


def _named(rows: "QuerySet[Any]", about: str, name: str) -> "QuerySet[Any]":
    """What the rows are about, each with this name."""
    named: QuerySet[Any] = rows.order_by().annotate(said=Value(name, CharField())).values_list("said", about)
    return named


def _is_persons_turn(row: Request, steps: Sequence[Step]) -> bool:
    if row.state == State.IDENTIFYING:
        return True
    asked = _clarifications(steps)
    return bool(asked) and asked[-1].answered is None


# --- rows to cases --------------------------------------------------------------------------------------------------


def _steps(rows: Sequence[Request]) -> dict[UUID, list[Step]]:
    steps: dict[UUID, list[Step]] = defaultdict(list)
    if rows:
        for each in Step.objects.filter(request__in=[row.id for row in rows]).order_by("at", "id"):
            steps[each.request].append(each)
    return steps


def _cases(rows: Iterable[Request] | QuerySet[Request], steps: dict[UUID, list[Step]] | None = None) -> list[Case]:
    found, at = list(rows), clock.now()
    steps = _steps(found) if steps is None else steps
    waits = _waits(found, steps)
    return [_case(row, steps[row.id], waits.get(row.id, ()), at) for row in found]


def _case(row: Request, steps: Sequence[Step], waits: tuple[str, ...], at: datetime) -> Case:
    return Case(
        id=row.id, reference=row.reference, person_id=row.subject, right=row.right, purpose=row.purpose, channel=row.channel,
        market=row.market, locale=row.locale, law=row.law, by=row.by, state=_shown_state(row, waits), outcome=row.outcome,
        ends_itself=row.ends_itself, keeps_words=row.owner is not None, turn=row.turn, assignee=row.assignee,
        received_at=row.received_at,
        identified_at=row.identified_at, extended_at=row.extended_at,
        closed_at=row.closed_at, deadline=terms_of(row, steps, row.closed_at or at), waiting_for=waits,
        history=tuple(
            Event(each.id, each.kind, each.by, each.at, each.reason, each.about, each.sealed is not None) for each in steps
        ),
    )  # fmt: skip


def _shown_state(row: Request, waits: tuple[str, ...]) -> str:
    """Work that waits for something is waiting, whatever was last written; and no longer, once it has come."""
    if row.state == State.WORKING and waits:
        return State.WAITING.value
    if row.state == State.WAITING and not waits:
        return State.WORKING.value
    return row.state
