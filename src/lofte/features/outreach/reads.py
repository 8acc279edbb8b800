"""Questions about the newsletter."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


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
    raise NotImplementedError


def topics() -> tuple[str, ...]:
    """The topics a subscriber can choose among; their names are interface words ``news.topic.<id>``."""
    raise NotImplementedError


def topics_of(person_id: UUID) -> tuple[str, ...]:
    raise NotImplementedError


def issues(limit: int = 50) -> list[Issue]:
    raise NotImplementedError


def issue(issue_id: UUID) -> Issue | None:
    raise NotImplementedError


def subscriber_count() -> int:
    """Confirmed subscribers whose consent stands."""
    raise NotImplementedError
