"""How a campaign goes and what became of it: numbers alone, and none about few."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Count

from lofte.core import mail, publication
from lofte.features.outreach import campaigns
from lofte.features.outreach.models import Campaign, Delivery


@dataclass(frozen=True, slots=True)
class Progress:
    """While it is sent. ``looked`` people were considered, ``written`` letters queued, of which ``waiting`` have not left yet."""

    state: str
    looked: int
    written: int
    waiting: int
    held_back: int
    is_at_end: bool
    started_at: datetime | None
    ended_at: datetime | None
    halted: str
    put_off: int
    current_until: datetime

    @property
    def left(self) -> int:
        return max(self.written - self.waiting, 0)


@dataclass(frozen=True, slots=True)
class Group:
    """``state`` is sent, waiting, put_off, bounced, failed, suppressed or skipped; ``count`` None where it would tell of few."""

    state: str
    reason: str
    count: int | None


@dataclass(frozen=True, slots=True)
class Results:
    """``total`` None where it would let a hidden group be worked out."""

    total: int | None
    smallest: int
    groups: tuple[Group, ...]


_CAME_BACK = frozenset({"bounced", "bounced-soft", "blocked", "complained"})
_STOPPED_BY = {
    "hard": "bounced",
    "soft": "bounced-soft",
    "complaint": "complained",
}  # an address that is left alone, and why
_ORDER = ("sent", "waiting", "put_off", "bounced", "failed", "suppressed", "skipped")


def progress(campaign_id: UUID) -> Progress:
    row = campaigns.row_of(campaign_id)
    states = _states(row)
    held_back = states[Delivery.State.SUPPRESSED] + states[Delivery.State.SKIPPED]
    return Progress(
        row.state, row.looked, states[Delivery.State.QUEUED], len(mail.waiting_about(row.id)), held_back, row.is_at_end,
        row.started_at, row.sent_at, row.halted, states[Delivery.State.PUT_OFF],
        campaigns.current_until(row),
    )  # fmt: skip


def _states(row: Campaign) -> Counter[str]:
    rows = Delivery.everyone.filter(campaign_id=row.id).order_by().values_list("state").annotate(count=Count("id"))
    return Counter(dict(rows))


def results(campaign_id: UUID) -> Results:
    """What became of it by state and reason. A group of fewer people than the policy's ``smallest_group`` has no number."""
    row = campaigns.row_of(campaign_id)
    counts = Counter[tuple[str, str]]()
    held = Delivery.everyone.filter(campaign_id=row.id).exclude(state=Delivery.State.QUEUED).order_by()
    for state, reason, count in held.values_list("state", "reason").annotate(count=Count("id")):
        counts["waiting" if state == Delivery.State.WAITING else state, _STOPPED_BY.get(reason, reason)] += count
    for state, reason, count in mail.counted_about(row.id):
        if reason != "paused" and reason != "stopped":  # their deliveries speak for them
            counts[_became(state, reason)] += count
    return shown(counts, publication.current().policy.outreach.smallest_group)


def _became(state: str, reason: str) -> tuple[str, str]:
    if state == "sent":
        return ("bounced", reason) if reason in _CAME_BACK else ("sent", "")
    return ("waiting", "") if state in ("queued", "sending") else (state, _STOPPED_BY.get(reason, reason))


def shown(counts: Counter[tuple[str, str]], smallest: int) -> Results:
    """The groups with the small ones' numbers left out, and the total where no hidden number follows from it."""
    found = sorted(
        ((state, reason, count) for (state, reason), count in counts.items() if count),
        key=lambda each: (_ORDER.index(each[0]), each[1]),
    )
    hidden = [count for _, _, count in found if count < smallest]
    groups = tuple(Group(state, reason, None if count < smallest else count) for state, reason, count in found)
    return Results(None if hidden and sum(hidden) < smallest else counts.total(), smallest, groups)
