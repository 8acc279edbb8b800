"""The sweep: whatever is past its clock goes, person by person, by the same path as any erasure, with evidence.

Killed half-way it is simply run again: every person is one short transaction, and the due condition is asked again in it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from lofte.core import actions, clock, outbox, ports, publication
from lofte.core.models import Person
from lofte.core.retry import in_transaction
from lofte.core.tasks import duty
from lofte.features.retention.models import Sweep

_BATCH = 200
MOST_IN_A_RUN = 5_000  # people; the rest waits for the next run, so that one run never holds the house


@dataclass(frozen=True, slots=True)
class Swept:
    """``people`` were past some clock; ``holdings`` of people who stay were erased; ``erased`` people went whole.

    ``left`` are still due: their erasure waits for something, or the run was full.
    """

    people: int
    holdings: int
    erased: int
    left: int


@duty("retention.sweep", every=timedelta(minutes=5))
def sweep(at: datetime) -> Swept:
    """Erase everything whose clock has struck by ``at``."""
    run = Sweep.objects.create(started_at=at, publication=_current_digest())
    _recompute_if_policy_changed(run)
    people = holdings = erased = 0
    seen: set[UUID] = set()
    for person_id in _due(at, seen):
        people += 1
        gone, is_erased = _sweep_person(person_id, at)
        holdings += gone
        erased += is_erased
    left = len(ports.register().due_people(at, MOST_IN_A_RUN))
    Sweep.objects.filter(pk=run.pk).update(
        finished_at=clock.now(), people=people, holdings=holdings, erased=erased, left=left
    )
    return Swept(people, holdings, erased, left)


def _due(at: datetime, seen: set[UUID]) -> Iterator[UUID]:
    while len(seen) < MOST_IN_A_RUN:
        fresh = [each for each in ports.register().due_people(at, _BATCH + len(seen)) if each not in seen][:_BATCH]
        if not fresh:
            return
        for person_id in fresh:
            seen.add(person_id)
            yield person_id


def sweep_one(person_id: UUID, at: datetime) -> bool:
    """The same for one person, out of turn: what a probe tries on its canary. Whether the whole person went."""
    return _sweep_person(person_id, at)[1]


def _sweep_person(person_id: UUID, at: datetime) -> tuple[int, bool]:
    """Erase what is due; when nothing is left the whole person goes."""
    register = ports.register()
    register.refresh_due(person_id)  # the truth of this moment, not of when the row was written
    held = register.due_counts(person_id, at)
    if held.due and held.due == held.all:
        ports.eraser().erase(person_id, by="sweep")
        return 0, True
    return (_drop(person_id, at), False) if held.due else (0, False)


@in_transaction
def _drop(person_id: UUID, at: datetime) -> int:
    """Part of a person goes: the rows and their evidence in one transaction."""
    gone, left = ports.register().drop_due(person_id, at)
    if gone:
        outbox.add(
            "erasure.partial", {"by": "sweep", "erased": {"register_holding": gone}, "left": left}, policy=_current_digest(),
            person_id=person_id,
        )  # fmt: skip
        actions.record("holdings.erased", "sweep", rows=gone)
    return gone


def _recompute_if_policy_changed(run: Sweep) -> None:
    """A new publication may have other clocks: every deadline is worked out anew before anything is judged by it."""
    last = Sweep.objects.exclude(pk=run.pk).filter(finished_at__isnull=False).order_by("-started_at").first()
    if last is None or last.publication != run.publication:
        recompute()


def recompute() -> int:
    """Work out every deadline of every person from the policy in force; returns how many people were looked at."""
    count = 0
    after: UUID | None = None
    while True:
        rows = Person.objects.filter(provisional=False).order_by("id")
        batch = list((rows.filter(id__gt=after) if after else rows).values_list("id", flat=True)[:_BATCH])
        if not batch:
            return count
        for person_id in batch:
            ports.register().refresh_due(person_id)
        count, after = count + len(batch), batch[-1]


def _current_digest() -> str:
    return publication.current().digest
