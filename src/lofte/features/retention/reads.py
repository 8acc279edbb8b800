"""Who is past a clock, who will be, and when the sweep last ran."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from lofte.core import ports
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
class Forecast:
    """How many people have something that goes before ``until``."""

    until: datetime
    people: int
    holdings: int
    by_clock: dict[str, int]


def forecast(until: datetime) -> Forecast:
    """What the sweep will take by then if nobody shows interest before."""
    seen = overdue(until)
    return Forecast(until, seen.people, seen.holdings, seen.by_clock)


@dataclass(frozen=True, slots=True)
class SweepItem:
    id: UUID
    started_at: datetime
    finished_at: datetime | None
    people: int
    holdings: int
    erased: int
    left: int


def sweeps(limit: int = 30) -> list[SweepItem]:
    """The latest runs first."""
    rows = Sweep.objects.order_by("-started_at")[:limit]
    return [
        SweepItem(row.id, row.started_at, row.finished_at, row.people, row.holdings, row.erased, row.left)
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
