"""What a person or an editor does with newsletters, in one place. Every answer to the public is the same for known and unknown.

Raises `Problem` with these codes: `form.unknown-field`, `form.missing-field`, `form.bad-value`, `form.not-here`, `code.unknown`
(wrong or expired: one code for both), `mail.no-unsubscribe`, `outreach.issue-incomplete`, `outreach.issue-sent`, and those of
`campaigns`.
"""

from collections.abc import Mapping, Sequence
from uuid import UUID

from lofte.core import publication
from lofte.features.outreach import campaigns, sending, topics
from lofte.features.outreach.campaigns import Content
from lofte.features.outreach.preferences import Left, leave_topic, prefer, prefer_of, unsubscribe
from lofte.features.outreach.sending import Sent
from lofte.features.outreach.signups import FORM, Agreed, Confirmed, ask_to_subscribe, confirm, forget_unconfirmed
from lofte.kernel.problems import Place, Problem

__all__ = [
    "FORM", "Agreed", "Confirmed", "Content", "Left", "Sent", "ask_to_subscribe", "choose_topics", "confirm", "draft_issue",
    "forget_unconfirmed", "leave_topic", "prefer", "prefer_of", "send_issue", "unsubscribe",
]  # fmt: skip


def choose_topics(person_id: UUID, wanted: Sequence[str]) -> None:
    """Replace the topics a subscriber wants; an empty choice is no withdrawal, it means all topics."""
    purpose = publication.current().policy.forms[FORM].purpose
    topics.choose(person_id, purpose, wanted, source="portal", by="person")


def draft_issue(topic: str, contents: Mapping[str, Content], by: str) -> UUID:
    """Keep an issue that is written: one `Content` a locale. ``by`` is the staff member's id."""
    topics.demand([topic])
    if missing := [locale for locale, each in contents.items() if not each.is_complete]:
        raise Problem(
            "outreach.issue-incomplete", "an issue needs a subject, a text and an HTML form in each of its languages",
            Place(key=missing[0]), status=422,
        )  # fmt: skip
    if not contents:
        raise Problem("outreach.issue-incomplete", "an issue needs at least one language", status=422)
    return campaigns.draft("", topic, by, contents=contents)


def send_issue(issue_id: UUID, *, only: Sequence[UUID] | None = None) -> Sent:
    """Queue the issue for each subscriber whose consent stands at that very moment. Run again after a crash, nobody gets it twice.

    ``only`` narrows it to these people (the canary that proves the path); they too get it on their consent alone.
    """
    return sending.send_whole(issue_id, campaigns.row_of(issue_id).by, only=only)
