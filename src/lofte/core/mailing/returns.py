"""Letters that came back to the sender of the envelope, and complaints (ARF, RFC 5965) from mailbox providers."""

import email
import re
from email.message import Message

from lofte.core import clock
from lofte.core.mailing import bounces, envelope, inbound, suppression
from lofte.core.mailing.assembly import BOUNCES, COMPLAINTS
from lofte.core.mailing.inbound import Incoming
from lofte.core.mailing.models import Bounce
from lofte.core.models import Mail
from lofte.kernel.problems import Problem

_TOKEN = re.compile(r"(?:^|[<\s:])b\+([A-Za-z2-7]{61})@|^\s*([A-Za-z2-7]{61})\s*$")
_MESSAGE = ("message/rfc822", "text/rfc822-headers", "message/rfc822-headers")


@inbound.address(BOUNCES)
def bounced(token: str, incoming: Incoming) -> None:
    """A report, or an answer by a machine to the envelope's sender, which is read and forgotten."""
    row = _letter(token)
    if row is None:
        raise Problem("mail.no-such-address", "there is no such address here", status=404)
    message = email.message_from_bytes(incoming.raw)
    if _is_complaint(message):
        suppression.came_back(row, Bounce.Kind.COMPLAINT, "", clock.now())
    elif verdict := bounces.read(message):
        suppression.came_back(row, verdict.kind, verdict.status, clock.now())


@inbound.address(COMPLAINTS)
def complained(token: str, incoming: Incoming) -> None:
    """A feedback report. Which letter it is about stands in our own headers of the letter, or in its envelope."""
    message = email.message_from_bytes(incoming.raw)
    about = next((row for each in _tokens(message) if (row := _letter(each))), None)
    if _is_complaint(message) and about is not None:
        suppression.came_back(about, Bounce.Kind.COMPLAINT, "", clock.now())


def _letter(token: str) -> Mail | None:
    handles = envelope.opened(token)
    found: Mail | None = Mail.objects.of(handles[0]).filter(id=handles[1]).first() if handles else None
    return found


def _is_complaint(message: Message) -> bool:
    """Abuse and fraud are complaints; `not-spam` takes one back at the provider, and `virus` says nothing of what people want."""
    for part in message.walk():
        if part.get_content_type() == "message/feedback-report":
            said = _block(part).get("Feedback-Type", "abuse")
            return str(said).strip().lower() in ("abuse", "fraud", "opt-out", "complaint")
    return False


def _tokens(message: Message) -> list[str]:
    """What may name the letter: the report's own fields, then the letter it holds."""
    found = []
    for part in message.walk():
        kind = part.get_content_type()
        if kind == "message/feedback-report":
            found += [str(_block(part).get(name, "")) for name in ("Original-Mail-From", "CFBL-Feedback-ID")]
        elif kind in _MESSAGE:
            letter = _block(part)
            found += [str(letter.get(name, "")) for name in ("CFBL-Feedback-ID", "Return-Path", "X-Original-Mail-From")]
    matches = (_TOKEN.search(each) for each in found)
    return [match[1] or match[2] for match in matches if match]


def _block(part: Message) -> Message:
    """The headers inside a part, whichever way it was parsed."""
    payload = part.get_payload()
    if isinstance(payload, list):
        return payload[0] if payload and isinstance(payload[0], Message) else part
    content = part.get_payload(decode=True)
    return email.message_from_bytes(content.lstrip() if isinstance(content, bytes) else b"")
