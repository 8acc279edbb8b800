"""Begin, move and end a piece of long work, and see what is under way."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from lofte.core import clock
from lofte.core.progress.models import Work

A_ROUND = timedelta(minutes=4)  # how long a duty may work before it lets others in; below the lease of a duty
_STILL = timedelta(minutes=15)  # not moved for so long: nobody is at it
_KEPT = timedelta(days=30)
Told = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Seen:
    """One piece of work as others see it. ``stands`` when it is unfinished and nobody has moved it for a while."""

    id: UUID
    name: str
    about: str
    unit: str
    done: int
    total: int
    started_at: datetime
    moved_at: datetime
    finished_at: datetime | None
    stands: bool

    @property
    def percent(self) -> int:
        """Whole percents; a hundred only when it is finished."""
        if self.finished_at:
            return 100
        return min(99, 100 * self.done // self.total) if self.total else 0


def begin(name: str, unit: str, total: int, *, about: str = "") -> Work:
    """The unfinished work of this name, to go on with, or a new one."""
    found = unfinished(name, about)
    if found is not None:
        return found
    at = clock.now()
    return Work.objects.create(name=name, about=about, unit=unit, total=total, started_at=at, moved_at=at)


def unfinished(name: str, about: str = "") -> Work | None:
    return Work.objects.filter(name=name, about=about, finished_at=None).order_by("-started_at").first()


def move(work: Work, done: int, *, total: int | None = None, place: dict[str, Any] | None = None) -> None:
    """So far now. Inside the transaction of what was done, where there is one: then row and work agree after a kill."""
    work.done, work.moved_at = done, clock.now()
    work.total = max(work.total if total is None else total, done)
    if place is not None:
        work.place = place
    work.save(update_fields=["done", "total", "moved_at", "place"])


def finish(work: Work) -> None:
    work.done = work.total
    work.finished_at = work.moved_at = clock.now()
    work.place = {}
    work.save(update_fields=["done", "finished_at", "moved_at", "place"])


def drop(name: str, but: str) -> None:
    """What is unfinished of this name and about something else is not wanted any more."""
    Work.objects.filter(name=name, finished_at=None).exclude(about=but).delete()


def under_way() -> list[Seen]:
    """Everything that is not finished, the oldest first."""
    return [_seen(row) for row in Work.objects.filter(finished_at=None).order_by("started_at")]


def newest(limit: int = 20) -> list[Seen]:
    """What is under way, then what was finished last."""
    finished = Work.objects.exclude(finished_at=None).order_by("-finished_at")[:limit]
    return [*under_way(), *(_seen(row) for row in finished)][:limit]


def last_finished(name: str, about: str = "") -> datetime | None:
    rows = Work.objects.filter(name=name, about=about).exclude(finished_at=None)
    return rows.order_by("-finished_at").values_list("finished_at", flat=True).first()


def forget_old(at: datetime) -> int:
    """What was finished long enough ago, and what nobody has gone on with for as long."""
    return Work.objects.filter(moved_at__lte=at - _KEPT).delete()[0]


def nobody(done: int, total: int) -> None:
    """Tells nobody how far it is."""


def _seen(row: Work) -> Seen:
    return Seen(
        id=row.id, name=row.name, about=row.about, unit=row.unit, done=row.done, total=row.total, started_at=row.started_at,
        moved_at=row.moved_at, finished_at=row.finished_at,
        stands=row.finished_at is None and clock.now() - row.moved_at > _STILL,
    )  # fmt: skip
