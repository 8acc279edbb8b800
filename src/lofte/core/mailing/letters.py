"""A letter before it stands in the queue. One for marketing is its own class, and one without a way out cannot be built."""

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from lofte.kernel.problems import Problem

_LIST = re.compile(r"[a-z0-9]([a-z0-9.-]{0,60}[a-z0-9])?")
_MESSAGE_ID = re.compile(r"<[^<>\s@]+@[^<>\s@]+>")
_MEDIA_TYPE = re.compile(r"[a-z0-9.+-]+/[a-z0-9.+-]+(; ?[a-z]+=[A-Za-z0-9.-]+)*")


@dataclass(frozen=True, slots=True)
class Words:
    """What a letter says, in one language."""

    subject: str
    text: str
    html: str = ""


@dataclass(frozen=True, slots=True)
class Attached:
    """A file that goes with a letter. ``media_type`` may carry parameters: ``text/calendar; method=REQUEST``."""

    name: str
    media_type: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Thread:
    """Where a letter stands in a conversation. Each is ``<id@host>``; an empty ``message_id`` leaves it to the queue's row."""

    message_id: str = ""
    in_reply_to: str = ""
    references: tuple[str, ...] = ()


@dataclass(frozen=True)
class Letter:
    """One letter to one person, owed to them or asked for. ``name`` is the kind of letter, ``purpose`` what it serves.

    ``list_id`` is the short name of the list it belongs to (a topic); ``is_automatic`` is False where a human wrote it to this
    person, so that no receiver takes the answer for a machine's.
    """

    name: str
    person_id: UUID
    to: str
    words: Words
    purpose: str
    headers: Mapping[str, str] = field(default_factory=dict)
    about: UUID | None = None
    attachments: tuple[Attached, ...] = ()
    thread: Thread | None = None
    reply_to: str = ""
    list_id: str = ""
    is_automatic: bool = True

    def __post_init__(self) -> None:
        for value in self._header_values():
            if re.search(r"[\r\n\0]", value):
                raise Problem("mail.bad-header", "a header may not hold a line break", status=422)
        if not self.to or not self.words.subject.strip() or not self.words.text.strip():
            raise Problem("mail.empty", "a letter needs an address, a subject and a text", status=500)
        thread = self.thread or Thread()
        for found in (thread.message_id, thread.in_reply_to, *thread.references):
            if found and not _MESSAGE_ID.fullmatch(found):
                raise Problem("mail.bad-header", "the name of a message looks like <id@host>", status=422)
        if self.list_id and not _LIST.fullmatch(self.list_id):
            raise Problem("mail.bad-header", "the name of a list is small letters, digits, dots and dashes", status=422)
        if not all(_MEDIA_TYPE.fullmatch(each.media_type) for each in self.attachments):
            raise Problem("mail.bad-header", "a file that goes with a letter needs a media type", status=422)

    def _header_values(self) -> tuple[str, ...]:
        names = tuple(each.name for each in self.attachments)
        return (self.to, self.words.subject, self.reply_to, *names, *self.headers, *self.headers.values())

    def as_kept(self) -> dict[str, Any]:
        """What the queue seals: plain values, as `assembly` reads them again."""
        thread = self.thread or Thread()
        kept = {
            "to": self.to, "subject": self.words.subject, "text": self.words.text, "html": self.words.html,
            "headers": dict(self.headers), "reply_to": self.reply_to, "list_id": self.list_id,
            "message_id": thread.message_id, "in_reply_to": thread.in_reply_to, "references": list(thread.references),
            "files": [[each.name, each.media_type, base64.b64encode(each.data).decode()] for each in self.attachments],
            "is_automatic": self.is_automatic,
        }  # fmt: skip
        return {name: value for name, value in kept.items() if value not in ("", [], {}, True)}


@dataclass(frozen=True)
class MarketingLetter(Letter):
    """A letter that needs consent. Without a way out, in what is read and in the one-click header (RFC 8058), it is no letter.

    ``unsubscribe_mailto`` is an address where an empty mail does the same (`inbound.address_for("unsubscribe", token)`).
    """

    unsubscribe_url: str = ""
    unsubscribe_mailto: str = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        way_out = self.unsubscribe_url
        if not way_out.startswith(("https://", "http://")) or way_out not in self.words.text:
            raise _no_way_out()
        if self.words.html and way_out.replace("&", "&amp;") not in self.words.html:
            raise _no_way_out()
        if re.search(r"[\s<>]", way_out + self.unsubscribe_mailto):
            raise Problem("mail.bad-header", "a way out may not hold spaces or angle brackets", status=422)
        ways = f"<{way_out}>" + (f", <mailto:{self.unsubscribe_mailto}>" if self.unsubscribe_mailto else "")
        one_click = {"List-Unsubscribe": ways, "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}
        object.__setattr__(self, "headers", {**self.headers, **one_click})


def _no_way_out() -> Problem:
    return Problem(
        "mail.no-unsubscribe",
        "a marketing letter without a way out cannot be sent",
        law="GDPR 7(3), ePrivacy 13(2)",
        status=500,
    )
