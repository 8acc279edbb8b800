"""Who in the register is past a clock, and when the sweep last ran."""

from datetime import datetime, timedelta

from lofte.features.register.models import Holding
from lofte.features.retention.models import Sweep
from lofte.rules.controls._clocked import Clocked

_GRACE = timedelta(hours=1)  # the sweep runs every few minutes; what it has not reached by then it misses


def clocked(at: datetime, clock: str, purpose: str = "", still_there: bool | None = None) -> Clocked:
    """The holdings under one clock (and one purpose, if named), as the rows themselves say."""
    rows = Holding.everyone.filter(clock=clock)
    rows = rows.filter(purpose=purpose) if purpose else rows
    late = rows.filter(due_at__lt=at - _GRACE)
    oldest = late.order_by("due_at").values_list("due_at", flat=True).first()
    swept = Sweep.objects.filter(finished_at__isnull=False).order_by("-finished_at").first()
    return Clocked(
        people=rows.values("person_id").distinct().count(),
        overdue=late.values("person_id").distinct().count(),
        longest_days=(at - oldest).days if oldest else 0,
        swept_hours=int((at - swept.finished_at).total_seconds() // 3600) if swept and swept.finished_at else None,
        still_there=still_there,
    )
