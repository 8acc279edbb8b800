"""Letters about an inquiry: that it came, and what we answer. Each stands in the thread of those before it.

An answer to any of them comes back to `reply+<token>@` where mail reaches us; else to the market's own address.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from uuid import UUID

from lofte.core import mail, publication, vault
from lofte.core.mailing import inbound
from lofte.features.outreach.forms.files import Upload
from lofte.features.outreach.inquiries.models import Inquiry, Step
from lofte.rules import values
from lofte.rules.catalogue import say

NAME = "inquiry"
_OLDEST = 12
"""Letters of a thread that a new one refers back to; other programs need no more to sort it."""


@dataclass(frozen=True, slots=True)
class Contact:
    """What was typed into the form about the writer, and the token they answer to."""

    values: Mapping[str, str]
    token: str

    @property
    def email(self) -> str:
        return self.values.get("email", "")


def contact_of(row: Inquiry) -> Contact:
    """Whom a letter of ours goes to. For what is shown to staff there is `reads.opened`, which leaves a look."""
    kept = json.loads(vault.opener(row.person_id).open(row.id, row.sealed))
    return Contact(kept["values"], kept["token"])


def acknowledge(row: Inquiry, step: UUID) -> UUID:
    """That it came, under which reference, and by when we answer. Queued in the caller's transaction."""
    here = row.locale
    slots = {"organisation": _organisation(), "day": values.day(here, row.due_on) if row.due_on else ""}
    words = _composed(
        row, subject=subject_of(row), greets=True, lead=say(here, f"inquiries.letter.{row.kind}.lead", **slots),
        after=[say(here, "inquiries.letter.more")],
    )  # fmt: skip
    return _send(row, words, step, is_automatic=True)


def answer(row: Inquiry, text: str, step: UUID, files: Iterable[Upload] = ()) -> UUID:
    """What we write to them, as it was written. Queued in the caller's transaction."""
    attached = tuple(mail.Attached(each.name, each.media_type, each.data) for each in files)
    return _send(row, composed(row, text), step, is_automatic=False, attachments=attached)


def composed(row: Inquiry, text: str) -> mail.Words:
    """The answer as it will be read."""
    after = [
        say(row.locale, "inquiries.letter.answer_by_mail" if inbound.is_on() else "inquiries.letter.answer_on_page")
    ]
    return _composed(
        row, subject=f"Re: {subject_of(row)}", greets=False, lead="", paragraphs=_paragraphs(text), after=after
    )


def subject_of(row: Inquiry) -> str:
    return say(
        row.locale, f"inquiries.letter.{row.kind}.subject", organisation=_organisation(), reference=row.reference
    )


def _composed(
    row: Inquiry, *, subject: str, greets: bool, lead: str, after: list[str], paragraphs: Iterable[str] = ()
) -> mail.Words:
    return mail.compose(
        NAME, row.market, row.locale, subject=subject, greets=greets, lead=lead, words=list(paragraphs), after=after,
        reference=row.reference,
    )  # fmt: skip


def _send(
    row: Inquiry, words: mail.Words, step: UUID, *, is_automatic: bool, attachments: tuple[mail.Attached, ...] = ()
) -> UUID:
    contact, earlier = contact_of(row), thread_of(row)
    thread = mail.Thread(mail.message_id_of(step), earlier[-1] if earlier else "", tuple(earlier[-_OLDEST:]))
    letter = mail.Letter(
        NAME, row.person_id, contact.email, words, row.purpose, about=row.id, attachments=attachments, thread=thread,
        reply_to=inbound.address_for("reply", contact.token) or _house_address(row), is_automatic=is_automatic,
    )  # fmt: skip
    return mail.send(letter)


def thread_of(row: Inquiry) -> list[str]:
    """The Message-IDs of the letters so far, oldest first: ours follow from the step, theirs are kept with it."""
    found, key = [], vault.opener(row.person_id)
    for step in Step.objects.of(row.person_id).filter(inquiry=row.id, kind__in=WITH_LETTER).order_by("at", "id"):
        if step.mail is not None:
            found.append(mail.message_id_of(step.id))
        elif step.sealed is not None and (name := json.loads(key.open(step.id, step.sealed)).get("message_id")):
            found.append(name)
    return found


WITH_LETTER = ("received", "acknowledged", "replied")


def _organisation() -> str:
    return publication.current().policy.organisation.name


def _house_address(row: Inquiry) -> str:
    policy = publication.current().policy
    return policy.controllers[policy.markets[row.market].controller].email


def _paragraphs(words: str) -> list[str]:
    return [each.strip() for each in words.replace("\r\n", "\n").split("\n\n") if each.strip()]
