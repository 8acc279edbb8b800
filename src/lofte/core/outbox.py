"""Facts leave through here: to the evidence log and to whoever subscribed. The row is written in the caller's own transaction.

A crash anywhere loses nothing and doubles nothing in the log (the row's id is the log's idempotency key). Subscribers
hear of a fact at least once, so their handlers are idempotent. Only the process that holds the log drains.
"""

import logging
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction

from lofte.core import clock, evidence, many
from lofte.core.models import Entry, Outbox, Person
from lofte.evidence.log import Committed, Draft, Log, Outcome
from lofte.kernel.canonical import canonical_bytes
from lofte.kernel.instants import rfc3339
from lofte.kernel.problems import Problem

_BATCH = 500
_WAIT_S = 30
_LONGEST_PAUSE_S = 3600
_logger = logging.getLogger("lofte.outbox")
_subscribers: dict[str, list[tuple[str, Callable[["Fact"], None]]]] = {}
_draining = threading.Lock()


@dataclass(frozen=True, slots=True)
class Fact:
    """What happened, as subscribers hear it. ``index`` is its place in the evidence log; ``about`` names the row it is about."""

    id: UUID
    kind: str
    fact: Mapping[str, Any]
    person_id: UUID | None
    about: UUID | None
    index: int
    at: datetime


Handler = Callable[[Fact], None]


def add(
    kind: str, fact: Mapping[str, Any], who: Mapping[str, Any] | None = None, policy: str = "", *,
    person_id: UUID | None = None, about: UUID | None = None,
) -> Outbox:  # fmt: skip
    """Put a fact on its way, inside the caller's transaction.

    ``fact`` holds nothing personal; ``who`` (the person's handle) is sealed apart in the log and can be shredded.
    With ``person_id`` the log entry is remembered as being about that person.
    """
    row = _row(kind, fact, who, policy, person_id, about)
    row.save(force_insert=True)
    return row


def _row(
    kind: str, fact: Mapping[str, Any], who: Mapping[str, Any] | None, policy: str, person_id: UUID | None, about: UUID | None
) -> Outbox:  # fmt: skip
    at = clock.now()
    whole = {"event": kind, "at": rfc3339(at), **fact}
    canonical_bytes(whole)  # refuse here, where the mistake was made
    if who is None and person_id is not None:
        who = {"person": str(person_id)}
    row = Outbox(
        kind=kind, fact=whole, who=None if who is None else dict(who), policy=policy, person_id=person_id, about=about
    )
    row.made_at = row.next_at = at
    return row


@dataclass(frozen=True, slots=True)
class New:
    """A fact to be put on its way with others."""

    kind: str
    fact: Mapping[str, Any]
    person_id: UUID | None = None
    about: UUID | None = None


def add_many(facts: Iterable[New], policy: str = "") -> None:
    """As `add` for each, in one statement, in this order."""
    at, rows = clock.now(), list[Outbox]()
    for number, each in enumerate(facts):
        whole = {"event": each.kind, "at": rfc3339(at), **each.fact}
        canonical_bytes(whole)
        who = None if each.person_id is None else {"person": str(each.person_id)}
        rows.append(
            Outbox(
                kind=each.kind,
                fact=whole,
                who=who,
                policy=policy,
                person_id=each.person_id,
                about=each.about,
                next_at=at,
            )
        )
        rows[-1].made_at = at + timedelta(microseconds=number)  # facts leave in the order of their time
    Outbox.objects.bulk_create(rows)


def add_and_wait(
    kind: str, fact: Mapping[str, Any], policy: str = "", *, person_id: UUID | None = None, about: UUID | None = None
) -> int:
    """Put a fact on its way and wait until it is durable in the log; returns its place there. Outside any transaction.

    The row comes first: killed in between, the next drain finishes what was begun, as the same entry.
    """
    row = add(kind, fact, policy=policy, person_id=person_id, about=about)
    index = evidence.log().submit(_draft(row)).result(timeout=_WAIT_S).index
    _mark(row, index)
    return index


def append_now(
    kind: str, fact: Mapping[str, Any], *, key: UUID, policy: str = "", who: Mapping[str, Any] | None = None
) -> int:
    """Put a fact straight into the log and wait until it is durable; returns its place there.

    Subscribers hear of it by the next drain. ``key`` makes it idempotent: the same key again is the same entry.
    """
    row = Outbox(id=key, kind=kind, fact={"event": kind, "at": rfc3339(clock.now()), **fact}, policy=policy)
    row.who = None if who is None else dict(who)
    index = evidence.log().append_and_wait(_draft(row), timeout_s=_WAIT_S).index
    row.index, row.made_at, row.next_at = index, clock.now(), clock.now()
    Outbox.objects.bulk_create([row], ignore_conflicts=True)  # somebody else may be saying the same at this moment
    return index


def append_many(
    kind: str, facts: Sequence[tuple[UUID, Mapping[str, Any], Mapping[str, Any] | None]], policy: str = ""
) -> list[int]:
    """As `append_now` for many facts (key, fact, who) at once: they share the flush of the log. Their places, in order."""
    at = clock.now()
    rows = [
        Outbox(
            id=key, kind=kind, fact={"event": kind, "at": rfc3339(at), **fact}, policy=policy,
            who=None if who is None else dict(who), made_at=at, next_at=at,
        )
        for key, fact, who in facts
    ]  # fmt: skip
    for row, index in zip(rows, _indexes([_draft(row) for row in rows]), strict=True):
        row.index = index
    if _subscribers.get(kind):
        Outbox.objects.bulk_create(rows, ignore_conflicts=True)
    return [row.index for row in rows if row.index is not None]


def _indexes(drafts: Sequence[Draft]) -> list[int]:
    """Where these are in the log, once all of them are durable."""
    answers: dict[int, Outcome] = {}
    whole = threading.Event()

    def told(some: list[tuple[int, Outcome]]) -> None:
        answers.update(some)
        if len(answers) == len(drafts):
            whole.set()

    evidence.log().append_many(drafts, told)
    if drafts and not whole.wait(_WAIT_S):
        raise TimeoutError
    found = []
    for place in range(len(drafts)):
        answer = answers[place]
        if isinstance(answer, Problem):
            raise answer
        found.append(answer.index)
    return found


def drain_people(people: Sequence[UUID]) -> None:
    """As `drain` for some people: what is still on its way about them goes into the log and to its subscribers."""
    there = set(Outbox.objects.filter(person_id__in=many.among(people)).values_list("person_id", flat=True))
    for person_id in people:
        if person_id in there:
            drain(person_id=person_id)


def subscribe(kind: str, handler: Handler) -> None:
    """From now on, facts of this kind are handed to the handler. Only `cli/wiring.py` calls this."""
    name = f"{handler.__module__}.{handler.__qualname__}"
    if all(known != name for known, _ in _subscribers.setdefault(kind, [])):
        _subscribers[kind].append((name, handler))


def unsubscribe_all() -> None:
    _subscribers.clear()


def waiting() -> int:
    """Facts that are not yet in the log or not yet delivered."""
    return Outbox.objects.count()


def drain(log: Log | None = None, *, person_id: UUID | None = None) -> int:
    """Carry waiting facts (of one person, or all) into the log, then to their subscribers. Returns how many were finished."""
    log = log or evidence.log()
    with _draining:
        _append(log, person_id)
        return _deliver(person_id)


def _waiting(person_id: UUID | None) -> Any:
    rows = Outbox.objects.filter(next_at__lte=clock.now()).order_by("made_at", "id")
    return rows.filter(person_id=person_id) if person_id else rows


def _append(log: Log, person_id: UUID | None) -> None:
    while rows := list(_waiting(person_id).filter(index__isnull=True)[:_BATCH]):
        sent: list[tuple[Outbox, Future[Committed]]] = [(row, log.submit(_draft(row))) for row in rows]
        for row, future in sent:
            _mark(row, future.result(timeout=_WAIT_S).index)


def _draft(row: Outbox) -> Draft:
    who = None if row.who is None else canonical_bytes(row.who)
    return Draft(row.kind.partition(".")[0], canonical_bytes(row.fact), who, row.policy, str(row.id))


def _mark(row: Outbox, index: int) -> None:
    with transaction.atomic():
        Outbox.objects.filter(pk=row.pk).update(index=index)
        if row.person_id and Person.objects.filter(pk=row.person_id).exists():
            about = {"kind": row.kind, "at": row.made_at, "about": row.about}
            Entry.objects.of(row.person_id).get_or_create(index=index, defaults={**about, "person_id": row.person_id})


def _deliver(person_id: UUID | None) -> int:
    finished = 0
    for row in _waiting(person_id).filter(index__isnull=False)[: _BATCH * 4]:
        if _hand_out(row):
            Outbox.objects.filter(pk=row.pk).delete()
            finished += 1
    return finished


def _hand_out(row: Outbox) -> bool:
    """Whether every subscriber has heard; who failed is asked again later, who succeeded is not."""
    fact = Fact(row.id, row.kind, row.fact, row.person_id, row.about, row.index or 0, row.made_at)
    heard, failed = list(row.handled), False
    for name, handler in _subscribers.get(row.kind, []):
        if name in heard:
            continue
        try:
            handler(fact)
            heard.append(name)
        except Exception:
            failed = True
            _logger.exception("a subscriber failed", extra={"fields": {"kind": row.kind, "handler": name}})
    if failed:
        pause = min(2**row.attempts, _LONGEST_PAUSE_S)
        again = clock.now() + timedelta(seconds=pause)
        Outbox.objects.filter(pk=row.pk).update(handled=heard, attempts=row.attempts + 1, next_at=again)
    return not failed
