"""Questions about the findings."""

from dataclasses import dataclass
from datetime import datetime

from lofte.features.findings.models import Finding


@dataclass(frozen=True, slots=True)
class Found:
    seen_by: str
    kind: str
    what: str
    market: str
    page: str
    times: int
    first_seen: datetime
    last_seen: datetime


def newest(limit: int = 100) -> list[Found]:
    """What was seen last, first."""
    rows = Finding.objects.order_by("-last_seen", "what")[:limit]
    return [
        Found(row.seen_by, row.kind, row.what, row.market, row.page, row.times, row.first_seen, row.last_seen)
        for row in rows
    ]
