"""Which copies there are, how old the newest is, and when the last copy of a key that was destroyed is gone."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Max

from lofte.core.backup.models import Copy

OLD = timedelta(days=2)  # without a copy for so long, somebody should look


@dataclass(frozen=True, slots=True)
class Seen:
    run: str
    what: str
    place: str
    made_at: datetime
    bytes: int
    log_size: int
    verified_at: datetime | None
    delete_by: datetime | None
    gone_at: datetime | None


@dataclass(frozen=True, slots=True)
class State:
    """``newest`` is the newest verified copy of the data; ``late`` are copies that should be gone and are not."""

    newest: Seen | None
    newest_keys: Seen | None
    late: Sequence[Seen]
    keys_until: datetime | None

    def is_old(self, at: datetime) -> bool:
        return self.newest is None or at - self.newest.made_at > OLD


def copies(limit: int = 50) -> list[Seen]:
    """Those that are there, the newest first."""
    return [_seen(row) for row in Copy.objects.filter(gone_at=None).order_by("-made_at", "what")[:limit]]


def state(at: datetime) -> State:
    there = Copy.objects.filter(gone_at=None)
    whole = there.exclude(verified_at=None).order_by("-made_at")
    data, keys = whole.filter(what=Copy.What.DATA).first(), whole.filter(what=Copy.What.KEYS).first()
    late = there.filter(delete_by__lte=at - timedelta(hours=2)).order_by("made_at")
    return State(
        _seen(data) if data else None, _seen(keys) if keys else None, [_seen(row) for row in late], keys_gone_by()
    )


def keys_gone_by() -> datetime | None:
    """When the last copy of the keys made until now must be gone: whoever is erased now can be brought back by nobody after it."""
    rows = Copy.objects.filter(what=Copy.What.KEYS, gone_at=None)
    found: datetime | None = rows.aggregate(last=Max("delete_by"))["last"]
    return found


def _seen(row: Copy) -> Seen:
    return Seen(
        row.run, row.what, row.place, row.made_at, row.bytes, row.log_size, row.verified_at, row.delete_by, row.gone_at
    )
