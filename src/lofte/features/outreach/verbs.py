"""What a person or an editor does with the newsletter. Every answer to the public is the same for known and unknown people.

Raises `Problem` with these codes: `form.unknown-field`, `form.missing-field`, `form.bad-value`, `form.not-here`, `code.unknown`
(wrong, used up or expired: one code for all three), `mail.no-unsubscribe`, `outreach.issue-incomplete`, `outreach.issue-sent`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Confirmed:
    """``entry`` is the outbox id of the consent; `rights.reads.receipt(person_id, entry)` gives the receipt once it is in the log."""

    person_id: UUID
    market: str
    locale: str
    consent_id: UUID


@dataclass(frozen=True, slots=True)
class Left:
    market: str
    locale: str


@dataclass(frozen=True, slots=True)
class Content:
    """One language of an issue. ``text`` and ``html`` are what stands between greeting and the way out; both are required."""

    subject: str
    text: str
    html: str


@dataclass(frozen=True, slots=True)
class Sent:
    queued: int
    suppressed: int


def ask_to_subscribe(
    market: str, locale: str, values: Mapping[str, str], *, topics: Sequence[str] = (), form: str = "newsletter", remote: str = ""
) -> None:
    """Somebody typed an address: a mail with a confirmation link goes there, and nothing counts until it is used.

    ``values`` are exactly the form's declared fields (an undeclared one is refused with its name). ``remote`` is the caller's
    network address, used only as a keyed hash for the limit. Says nothing about whether the address is known, nor when limits bite.
    """
    raise NotImplementedError


def confirm(code: str) -> Confirmed:
    """The link of the confirmation mail was used (POST, never GET): consent is recorded and the person is in the register."""
    raise NotImplementedError


def unsubscribe(code: str) -> Left | None:
    """One click (RFC 8058) out. Idempotent; None when the code is not known (say the same thing all the same)."""
    raise NotImplementedError


def choose_topics(person_id: UUID, topics: Sequence[str]) -> None:
    """Replace the topics a subscriber wants; an empty choice is no withdrawal, it means all topics."""
    raise NotImplementedError


def draft_issue(topic: str, contents: Mapping[str, Content], by: str) -> UUID:
    """Keep an issue to be sent: one `Content` a locale. ``by`` is the staff member's id."""
    raise NotImplementedError


def send_issue(issue_id: UUID) -> Sent:
    """Queue the issue for each subscriber whose consent stands at that very moment. Run again after a crash, nobody gets it twice."""
    raise NotImplementedError
