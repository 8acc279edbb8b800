"""The sweep: whatever is past its clock goes, person by person, by the same path as any erasure, with evidence.

Killed half-way it is simply run again: every person is one short transaction, and the due condition is asked again in it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from lofte.core import clock, outbox, ports, publication
from lofte.core.models import Person
from lofte.core.progress import verbs as progress
from lofte.core.progress.models import Work
from lofte.core.retry import in_transaction
from lofte.core.tasks import duty
from lofte.features.retention import brake, loop, warnings
from lofte.features.retention.models import Sweep

_ANEW_AT_ONCE = 500  # people whose deadlines are worked out in one transaction
_REST_BITS = 80  # of an id, which are not written down
_COUNTED_AGAIN = timedelta(hours=1)
RECOMPUTING = "retention.recompute"
A_PART = timedelta(minutes=2)  # of a run for each of its three works; together below the lease of a duty


@dataclass(frozen=True, slots=True)
class Swept:
    """``people`` were past some clock; ``holdings`` of people who stay were erased; ``erased`` people went whole.

    ``left`` are still due: their erasure waits for something, or the time was up, or the brake holds them. ``unwarned`` went
    without having been asked, although their clock asks.
    """

    people: int
    holdings: int
    erased: int
    left: int
    is_stopped: bool = False
    unwarned: int = 0


@duty("retention.sweep", every=timedelta(minutes=5))
def _sweep_in_turn(at: datetime) -> Swept:
    """Erase everything whose clock has struck."""
    return sweep(at)


def sweep(at: datetime, told: progress.Told = progress.nobody, *, at_most: timedelta | None = A_PART) -> Swept:
    """Erase everything whose clock has struck by ``at``, or as much as ``at_most`` lets; the next run goes on with the rest."""
    rules = brake.rules_now()
    run = Sweep.objects.create(started_at=at, publication=_current_digest(), rules=rules)
    if not _recompute_if_rules_changed(run):
        Sweep.objects.filter(pk=run.pk).update(publication="", rules="")  # the next run goes on with it
    ports.register().refresh_due_of(ports.register().waiting_for_answers(_ANEW_AT_ONCE))
    door = _Door(brake.judge(at, rules), rules)
    began = clock.now()
    walked = loop.walk(at, told, lambda: at_most is not None and clock.now() - began > at_most, door.admit)
    if walked.erased:
        ports.eraser().resume(clock.now())  # one search for all who went
    left = ports.register().plan(at).people
    _finish(run, door, people=walked.people, holdings=walked.holdings, erased=walked.erased, left=left)
    return Swept(walked.people, walked.holdings, walked.erased, left, door.gate.stop is not None, door.unwarned)


@dataclass(slots=True)
class _Door:
    """Whom a run may take: nobody past the brake, nobody who must be asked first. Counts who goes unasked."""

    gate: brake.Gate
    rules: str
    unwarned: int = 0

    def admit(self, people: list[UUID]) -> list[UUID]:
        going, silent = warnings.ask_late(self.gate.through(people), self.gate.at, self.rules)
        self.unwarned += silent
        return going


@in_transaction
def _finish(run: Sweep, door: _Door, **counts: int) -> None:
    """The run as it ended. Who went without having been asked is counted in the log, about nobody."""
    Sweep.objects.filter(pk=run.pk).update(
        finished_at=clock.now(), stop=door.gate.stop, unwarned=door.unwarned, foreseen=_foreseen(run), **counts
    )
    if counts["people"]:
        fact = {"run": str(run.pk), "people": counts["people"], "erased": counts["erased"], "unwarned": door.unwarned}
        outbox.add("retention.swept", fact, policy=_current_digest())


def _foreseen(run: Sweep) -> int:
    """What the clocks will take within a month; counted once an hour, since it moves slowly."""
    known = Sweep.objects.filter(rules=run.rules, finished_at__gt=run.started_at - _COUNTED_AGAIN, foreseen__gt=0)
    latest = (
        known.filter(started_at__lte=run.started_at).order_by("-started_at").values_list("foreseen", flat=True).first()
    )
    return int(latest) if latest else brake.foreseen(run.started_at)


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
    return (loop.drop([person_id], at), False) if held.due else (0, False)


def _recompute_if_rules_changed(run: Sweep) -> bool:
    """A new publication may have other clocks, and a hold on everybody stops some. Every deadline is worked out anew: is it done?

    Until it is, the sweep goes by the old deadlines; it works out each person's anew before it touches them.
    """
    last = Sweep.objects.exclude(pk=run.pk).filter(finished_at__isnull=False).order_by("-started_at").first()
    if last is not None and last.rules == run.rules:
        return True
    recompute(at_most=A_PART)
    return progress.unfinished(RECOMPUTING, run.rules) is None


def recompute(told: progress.Told = progress.nobody, *, at_most: timedelta | None = None) -> int:
    """Work out every deadline of every person from the policy in force; returns how many people were looked at.

    Out of time or killed, the next call goes on where it was; each batch and the note of it are one transaction.
    """
    began, rules, count = clock.now(), brake.rules_now(), 0
    progress.drop(RECOMPUTING, but=rules)
    work = progress.begin(RECOMPUTING, "people", Person.objects.filter(provisional=False).count(), about=rules)
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
