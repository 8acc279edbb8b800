"""The sweep: whatever is past its clock goes, person by person, by the same path as any erasure, with evidence.

Killed half-way it is simply run again: every person is one short transaction, and the due condition is asked again in it.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from lofte.core import actions, clock, outbox, ports, publication
from lofte.core.models import Person
from lofte.core.progress import verbs as progress
from lofte.core.progress.models import Work
from lofte.core.retry import in_transaction
from lofte.core.tasks import duty
from lofte.features.retention.models import Sweep

_BATCH = 200
_ANEW_AT_ONCE = 500  # people whose deadlines are worked out in one transaction
_REST_BITS = 80  # of an id, which are not written down
RECOMPUTING = "retention.recompute"
A_PART = timedelta(minutes=2)  # of a run for each of its three works; together below the lease of a duty
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
    if not _recompute_if_policy_changed(run):
        Sweep.objects.filter(pk=run.pk).update(publication="")  # the next run goes on with it
    people = holdings = erased = 0
    seen: set[UUID] = set()
    began = clock.now()
    for person_id in _due(at, seen):
        people += 1
        gone, is_erased = _sweep_person(person_id, at, ports.eraser().begin)
        holdings += gone
        erased += is_erased
        if clock.now() - began > A_PART:
            break
    if erased:
        ports.eraser().resume(clock.now())  # one search for all who went
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
    return _sweep_person(person_id, at, ports.eraser().erase)[1]


def _sweep_person(person_id: UUID, at: datetime, erase: Callable[[UUID, str], object]) -> tuple[int, bool]:
    """Erase what is due; when nothing is left the whole person goes."""
    register = ports.register()
    register.refresh_due(person_id)  # the truth of this moment, not of when the row was written
    held = register.due_counts(person_id, at)
    if held.due and held.due == held.all:
        erase(person_id, "sweep")
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


def _recompute_if_policy_changed(run: Sweep) -> bool:
    """A new publication may have other clocks: every deadline is worked out anew. Whether that is done.

    Until it is, the sweep goes by the old deadlines; it works out each person's anew before it touches them.
    """
    last = Sweep.objects.exclude(pk=run.pk).filter(finished_at__isnull=False).order_by("-started_at").first()
    if last is not None and last.publication == run.publication:
        return True
    recompute(at_most=A_PART)
    return progress.unfinished(RECOMPUTING, run.publication) is None


def recompute(told: progress.Told = progress.nobody, *, at_most: timedelta | None = None) -> int:
    """Work out every deadline of every person from the policy in force; returns how many people were looked at.

    Out of time or killed, the next call goes on where it was; each batch and the note of it are one transaction.
    """
    began, digest, count = clock.now(), _current_digest(), 0
    progress.drop(RECOMPUTING, but=digest)
    work = progress.begin(RECOMPUTING, "people", Person.objects.filter(provisional=False).count(), about=digest)
    # Where it goes on is the beginning of an id: enough to go on, and nobody's handle.
    start = UUID(int=int(work.place.get("after", "0"), 16) << _REST_BITS)
    while batch := _next_people(start):
        _recompute_some(batch, work, f"{batch[-1].int >> _REST_BITS:x}")
        start = UUID(int=batch[-1].int + 1)
        count += len(batch)
        told(work.done, work.total)
        if at_most is not None and clock.now() - began > at_most:
            return count
    progress.finish(work)
    return count


@in_transaction
def _recompute_some(people: list[UUID], work: Work, after: str) -> None:
    ports.register().refresh_due_of(people)
    progress.move(work, work.done + len(people), place={"after": after})


def _next_people(start: UUID) -> list[UUID]:
    rows = Person.objects.filter(provisional=False, id__gte=start).order_by("id")
    return list(rows.values_list("id", flat=True)[:_ANEW_AT_ONCE])


def _current_digest() -> str:
    return publication.current().digest
