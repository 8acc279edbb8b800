"""The walk over all who have something due, in batches: each is asked anew, goes whole or in part, and is counted.

Killed anywhere it is simply walked again: whoever went is not due any more, and whose erasure was under way is taken over. Two
walks at once do no harm: each order of an erasure is in one hand only, and what goes in part is asked again in its transaction.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from lofte.core import actions, collector, outbox, ports, publication
from lofte.core.progress import verbs as progress
from lofte.core.retry import in_transaction

SWEEPING = "retention.sweep"
_PEOPLE = 8_000  # whose rows go in one transaction: the fewer transactions, the seldomer a page is written
_DEADLINES = 4_000  # read at once; somebody has several
_IN_PART = 500  # people of whom a part goes in one transaction
Admit = Callable[[list[UUID]], list[UUID]]


@dataclass(slots=True)
class Walked:
    """``people`` were past some clock; ``holdings`` of people who stay were erased; ``erased`` people went whole."""

    people: int = 0
    holdings: int = 0
    erased: int = 0


def _everybody(people: list[UUID]) -> list[UUID]:
    return people


@collector.seldom()
def walk(
    at: datetime, told: progress.Told = progress.nobody, until: Callable[[], bool] = lambda: False, admit: Admit = _everybody
) -> Walked:  # fmt: skip
    """Erase everything whose clock has struck by ``at``, or as far as it gets before ``until`` says so.

    ``told`` hears how far it is. ``admit`` says of each batch whom it may take: the brake, and whoever must be asked first.
    """
    walked = Walked()
    if not ports.register().due_after(at, None, 1):
        return walked
    planned = ports.register().plan(at).people
    work = progress.begin(SWEEPING, "people", planned)
    before = work.done
    total = before + planned
    for some in _batches(at):
        _sweep_some(some, at, walked, admit)
        progress.move(work, min(before + walked.people, total), total=total)
        told(walked.people, planned)
        if until():
            return walked
    progress.finish(work)
    return walked


def _batches(at: datetime) -> Iterator[list[UUID]]:
    """Everybody with something due, the longest overdue first, so many at a time; nobody twice in a batch."""
    place: tuple[datetime, UUID] | None = None
    waiting: dict[UUID, None] = {}
    while True:
        deadlines = ports.register().due_after(at, place, _DEADLINES)
        for place in deadlines:
            waiting[place[1]] = None  # their later deadlines go with them
        while len(waiting) >= _PEOPLE or (waiting and not deadlines):
            some = list(waiting)[:_PEOPLE]
            for each in some:
                del waiting[each]
            yield some
        if not deadlines:
            return


def _sweep_some(people: list[UUID], at: datetime, walked: Walked, admit: Admit) -> None:
    register = ports.register()
    counts = register.judge_due(people, at)  # the truth of this moment, not of when the rows were written
    due = [each for each in admit(people) if each in counts and counts[each].due]
    whole = [each for each in due if counts[each].due == counts[each].all]
    ports.eraser().begin_crowd(whole, "sweep")
    part = sorted(set(due) - set(whole))
    for start in range(0, len(part), _IN_PART):
        walked.holdings += drop(part[start : start + _IN_PART], at)
    walked.erased += len(whole)
    walked.people += len(due)


@in_transaction
def drop(people: Sequence[UUID], at: datetime) -> int:
    """Part of these people goes: the rows and their evidence in one transaction. How many holdings went."""
    dropped = ports.register().drop_due_of(people, at)
    outbox.add_many(
        (
            outbox.New("erasure.partial", {"by": "sweep", "erased": {"register_holding": gone}, "left": left}, person_id=each)
            for each, (gone, left) in dropped.items()
        ),
        policy=publication.current().digest,
    )  # fmt: skip
    actions.record_many("holdings.erased", "sweep", [{"rows": gone} for gone, _ in dropped.values()])
    return sum(gone for gone, _ in dropped.values())
