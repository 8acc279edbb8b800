"""Questions about the newsletter."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Count

from lofte.core import codes, ports, publication
from lofte.features.outreach import models
from lofte.features.outreach.verbs import FORM, TOPICS


@dataclass(frozen=True, slots=True)
class OpenCode:
    """What a page may show before the button is pressed (GET): nothing personal."""

    market: str
    locale: str


@dataclass(frozen=True, slots=True)
class Issue:
    id: UUID
    topic: str
    subjects: dict[str, str]
    state: str
    made_at: datetime
    sent_at: datetime | None
    queued: int
    suppressed: int


def open_code(code: str, purpose: str) -> OpenCode | None:
    """Whether a code can be used now; ``purpose`` is ``confirm`` or ``unsubscribe``. Changes nothing."""
    found = codes.peek(code, purpose)
    return OpenCode(found.market, found.locale) if found else None


def topics() -> tuple[str, ...]:
    """The topics a subscriber can choose among; their names are interface words ``news.topic.<id>``."""
    return TOPICS


def topics_of(person_id: UUID) -> tuple[str, ...]:
    """What a subscriber chose; nothing chosen means every topic."""
    purpose = publication.current().policy.forms[FORM].purpose
    chosen = ports.register().read(person_id, purpose, ("topics",), by="person").get("topics", "")
    return tuple(each for each in chosen.split(",") if each) or TOPICS


def issues(limit: int = 50) -> list[Issue]:
    """The latest issues first."""
    rows = list(models.Issue.objects.order_by("-made_at")[:limit])
    counts = _counts([row.id for row in rows])
    return [_issue(row, counts) for row in rows]


def issue(issue_id: UUID) -> Issue | None:
    row = models.Issue.objects.filter(pk=issue_id).first()
    return _issue(row, _counts([issue_id])) if row else None


def subscriber_count() -> int:
    """Confirmed subscribers whose consent stands."""
    return ports.consents().count_granted(publication.current().policy.forms[FORM].purpose)


def deliveries_of(person_id: UUID) -> list[models.Delivery]:
    return list(models.Delivery.objects.of(person_id).order_by("at"))


def _counts(issue_ids: list[UUID]) -> dict[tuple[UUID, str], int]:
    rows = (
        models.Delivery.everyone.filter(issue_id__in=issue_ids).values("issue_id", "state").annotate(count=Count("id"))
    )
    return {(row["issue_id"], row["state"]): row["count"] for row in rows}


def _issue(row: models.Issue, counts: dict[tuple[UUID, str], int]) -> Issue:
    return Issue(
        id=row.id, topic=row.topic, subjects={locale: each["subject"] for locale, each in row.contents.items()}, state=row.state,
        made_at=row.made_at, sent_at=row.sent_at,
        queued=counts.get((row.id, "queued"), 0), suppressed=counts.get((row.id, "suppressed"), 0),
    )  # fmt: skip
