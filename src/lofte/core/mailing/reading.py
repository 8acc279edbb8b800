"""A letter that came, read into what rooms are handed. Nothing in it is trusted, and nothing in it can stop the reading."""

import email
import email.policy
import html
import re
from collections.abc import Iterator
from email.errors import MessageError
from email.header import decode_header, make_header
from email.message import Message
from email.utils import parseaddr

import nh3

from lofte.core.mailing.inbound import File, Incoming

MOST_BYTES = 20 * 1024 * 1024
_MOST_FILES, _LONGEST_TEXT = 20, 200_000
_MESSAGE_ID = re.compile(r"<[^<>\s]{1,250}>")
_BULK = frozenset({"bulk", "junk", "list", "auto_reply"})
_MACHINES = ("mailer-daemon@", "postmaster@")
_QUOTED = re.compile(
    r"^(>.*|-{2,} ?(original message|ursprungligt meddelande|opprinnelig melding|alkuperäinen viesti).*"
    r"|(on|den|på|fra|från|from|lähettäjä|ke|ti|ma|to|pe|la|su)\b.{5,200}(wrote|skrev|kirjoitti|@).{0,80}:?)$",
    re.IGNORECASE,
)


def read(raw: bytes, envelope_sender: str | None = None) -> Incoming:
    message = email.message_from_bytes(raw, policy=email.policy.compat32)
    from_address = parseaddr(_header(message, "From"))[1]
    return Incoming(
        from_address=from_address[:254],
        subject=_header(message, "Subject")[:500],
        text=without_quotes(_text(message)),
        files=tuple(_files(message)),
        message_id=_first_id(message, "Message-ID"),
        in_reply_to=_first_id(message, "In-Reply-To"),
        references=tuple(_MESSAGE_ID.findall(_header(message, "References"))[-50:]),
        is_automatic=_is_automatic(message, from_address, envelope_sender),
        raw=raw,
    )


def without_quotes(text: str) -> str:
    """The text without the letter it answers, quoted below; all of it where nothing else would be left."""
    lines = text.rstrip().split("\n")
    end = len(lines)
    while end and (not lines[end - 1].strip() or lines[end - 1].lstrip().startswith(">")):
        end -= 1
    if end < len(lines):
        while end and (not lines[end - 1].strip() or _QUOTED.match(lines[end - 1].strip())):
            end -= 1  # the line that says who wrote it
    kept = "\n".join(lines[:end]).strip()
    return kept or text.strip()


def _header(message: Message, name: str) -> str:
    value = str(message.get(name, ""))
    try:
        text = str(make_header(decode_header(value)))
    except (ValueError, LookupError, MessageError):
        text = value.encode("ascii", "replace").decode()
    return " ".join(text.split())


def _first_id(message: Message, name: str) -> str:
    found = _MESSAGE_ID.search(_header(message, name))
    return found[0] if found else ""


def _is_automatic(message: Message, from_address: str, envelope_sender: str | None) -> bool:
    """RFC 3834, and what was in use before it."""
    submitted = _header(message, "Auto-Submitted").lower()
    return (
        (bool(submitted) and not submitted.startswith("no"))
        or _header(message, "Precedence").lower() in _BULK
        or any(message.get(name) is not None for name in ("List-Id", "X-Autoreply", "X-Autorespond", "X-Auto-Response"))
        or envelope_sender == ""
        or message.get_content_type() == "multipart/report"
        or from_address.lower().startswith(_MACHINES)
    )


def _parts(message: Message) -> Iterator[Message]:
    """The leaves, and letters that were passed on as files; not what is inside those."""
    if message.get_content_maintype() == "multipart" and message.is_multipart():
        for part in message.get_payload():
            if isinstance(part, Message):
                yield from _parts(part)
    else:
        yield message


def _is_file(part: Message) -> bool:
    return (
        part.get_content_disposition() == "attachment"
        or part.get_content_maintype() != "text"
        or bool(part.get_filename())
    )


def _text(message: Message) -> str:
    words = [part for part in _parts(message) if not _is_file(part)]
    plain = [part for part in words if part.get_content_subtype() != "html"]
    if plain:
        return "\n".join(_decoded(part) for part in plain)[:_LONGEST_TEXT]
    return "\n".join(html.unescape(nh3.clean(_broken(_decoded(part)), tags=set())) for part in words)[:_LONGEST_TEXT]


def _broken(page: str) -> str:
    """Lines where HTML has them."""
    return re.sub(r"(?i)<br[^>]{0,20}>|</(p|div|li|tr|h[1-6])>", "\n", page[: _LONGEST_TEXT * 4])


def _decoded(part: Message) -> str:
    content = part.get_payload(decode=True)
    if not isinstance(content, bytes):
        return ""
    try:
        text = content.decode(part.get_content_charset() or "utf-8", "replace")
    except LookupError:
        text = content.decode("utf-8", "replace")
    return text.replace("\r\n", "\n").replace("\0", "")


def _files(message: Message) -> Iterator[File]:
    number = 0
    for part in _parts(message):
        if not _is_file(part) or number >= _MOST_FILES:
            continue
        number += 1
        data = part.get_payload(decode=True)
        if not isinstance(data, bytes):
            data = part.as_bytes()  # a letter passed on
        yield File(_name(part) or f"{number}", part.get_content_type(), data)


def _name(part: Message) -> str:
    try:
        name = str(make_header(decode_header(part.get_filename() or "")))
    except (ValueError, LookupError, MessageError):
        return ""
    return re.sub(r"[\x00-\x1f\x7f/\\]", "_", name)[-150:]
