"""Who is past a clock, who will be, and when the sweep last ran."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from lofte.core import ports, publication
from lofte.features.retention import brake
from lofte.features.retention.models import Sweep


@dataclass(frozen=True, slots=True)
class Overdue:
    """``people`` are held past some clock; ``longest_days`` is how long the worst of them."""

    people: int
    holdings: int
    longest_days: int
    by_clock: dict[str, int]


def overdue(at: datetime, clocks: frozenset[str] | None = None) -> Overdue:
    """What must be gone by ``at`` and is not, by the clocks as they stand now (only of some clocks, if named)."""
    rows = [each for each in ports.register().due_holdings(at) if clocks is None or each.clock in clocks]
    longest = max((at - each.due for each in rows), default=None)
    return Overdue(
        people=len({each.person_id for each in rows}), holdings=len(rows), longest_days=longest.days if longest else 0,
        by_clock=dict(Counter(each.clock for each in rows)),
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Day:
    """``whole`` people go on this day; by each clock, ``by_clock`` lose something."""

    day: date
    whole: int
    holdings: int
    by_clock: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Kept:
    """So many people are kept, and why. ``rule`` is a clock of the policy, or hold, floor, restriction or request; ``law`` its law.

    ``spared``: their own clock would have taken something; else they lose something and this keeps the rest.
    """

    rule: str
    law: str
    people: int
    spared: bool


@dataclass(frozen=True, slots=True)
class Forecast:
    """What the sweep will have taken by ``until`` if nobody shows interest before: ``people`` lose something, ``whole`` go,
    ``held`` are spared although their clock would have taken something.

    ``stopped`` says by which limit the brake would stop a run that took them all at once, empty if none.
    """

    until: datetime
    people: int
    whole: int
    held: int
    holdings: int
    registered: int
    by_clock: Mapping[str, int]
    days: tuple[Day, ...]
    kept: tuple[Kept, ...]
    stopped: str


def forecast(until: datetime) -> Forecast:
    """What goes by a day, supposed or real, who is kept, and why. Writes nothing."""
    register = ports.register()
    plan, registered = register.plan(until), register.people_count()
    departures, rows = register.departures(until), register.calendar(until)
    kept = [Kept(rule, law, people, False) for (rule, law), people in register.keepers(until).items()]
    spared, held = register.put_off(until)
    kept += [Kept(rule, law, people, True) for (rule, law), people in spared.items()]
    counted = register.striking(until, [brake.OWN_WILL])
    return Forecast(
        until=until, people=plan.people, whole=sum(departures.values()), held=held, holdings=plan.holdings, registered=registered,
        by_clock=dict(plan.by_clock), days=tuple(_days(rows, departures)),
        kept=tuple(sorted(kept, key=lambda each: (not each.spared, -each.people, each.rule))),
        stopped=brake.too_many(counted, registered, None, publication.current().policy.retention.brake),
    )  # fmt: skip


def _days(rows: Iterable[ports.DueDay], departures: Mapping[date, int]) -> Iterator[Day]:
    taken: dict[date, list[ports.DueDay]] = {day: [] for day in departures}
    for row in rows:
        taken.setdefault(row.day, []).append(row)
    for day in sorted(taken):
        found = taken[day]
        by_clock = {each.clock: each.people for each in found}
        yield Day(day, departures.get(day, 0), sum(each.holdings for each in found), by_clock)


def why(person_id: UUID) -> list[ports.Why]:
    """Of everything that is held of a person: when it goes, by which rule and law."""
    return ports.register().why(person_id)


@dataclass(frozen=True, slots=True)
class SweepItem:
    id: UUID
    started_at: datetime
    finished_at: datetime | None
    people: int
    holdings: int
    erased: int
    left: int
    unwarned: int
    is_stopped: bool


def sweeps(limit: int = 30) -> list[SweepItem]:
    """The latest runs first."""
    rows = Sweep.objects.order_by("-started_at")[:limit]
    return [
        SweepItem(
            row.id,
            row.started_at,
            row.finished_at,
            row.people,
            row.holdings,
            row.erased,
            row.left,
            row.unwarned,
            row.stop is not None,
        )
        for row in rows
    ]


def last_swept() -> datetime | None:
    """When a sweep last came to its end."""
    return (
        Sweep.objects.filter(finished_at__isnull=False)
        .order_by("-started_at")
        .values_list("finished_at", flat=True)
        .first()
    )
