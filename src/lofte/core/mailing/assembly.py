"""A queued letter as the bytes that leave, with the envelope they leave in."""

import base64
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from email.utils import format_datetime, parseaddr
from typing import Any

import idna
from django.conf import settings

from lofte.core.mailing import envelope, inbound, mime, signing
from lofte.core.models import Mail
from lofte.kernel.problems import Problem

BOUNCES, COMPLAINTS = "b", "complaint"  # kinds of address, short where 61 letters follow


@dataclass(frozen=True, slots=True)
class Outgoing:
    sender: str
    recipient: str = field(repr=False)
    message: bytes = field(repr=False)


def assembled(row: Mail, plain: Mapping[str, Any], signer: signing.Signer | None) -> Outgoing:
    """The message of a row, from what the row sealed (`Letter.as_kept`). The plain text is always there."""
    to = reachable(plain["to"])
    token = envelope.token_of(row.person_id, row.id)
    words = [mime.text("text/plain", plain["text"])]
    if html := plain.get("html"):
        words.append(mime.text("text/html", html))
    files = (mime.file(name, kind, base64.b64decode(data)) for name, kind, data in plain.get("files", ()))
    body = mime.together("mixed", [mime.together("alternative", words), *files])
    message = mime.whole(_headers(row, plain, to, token), body)
    sender = inbound.address_for(BOUNCES, token) or parseaddr(settings.DEFAULT_FROM_EMAIL)[1]
    return Outgoing(sender, to, signer.signed(message) if signer else message)


def message_id_of(row_id: object) -> str:
    """The Message-ID of a letter that was given none of its own. The same on a second try: receivers fold doubles."""
    return f"<{row_id}@{sender_domain()}>"


def sender_domain() -> str:
    return parseaddr(settings.DEFAULT_FROM_EMAIL)[1].rpartition("@")[2] or "localhost"


def reachable(address: str) -> str:
    """The address as mail servers write it. Raises Problem for one that only servers with SMTPUTF8 take."""
    local, _, domain = parseaddr(address)[1].rpartition("@")
    try:
        host = domain if domain.isascii() else idna.encode(domain, uts46=True).decode("ascii")
        return f"{local.encode('ascii').decode()}@{host}"
    except UnicodeError:  # IDNAError is one
        raise Problem("mail.unreachable", "mail cannot be sent to this kind of address", status=422) from None


def _headers(row: Mail, plain: Mapping[str, Any], to: str, token: str) -> Iterator[bytes]:
    yield mime.people("From", settings.DEFAULT_FROM_EMAIL)
    yield mime.people("To", to)
    if reply_to := plain.get("reply_to"):
        yield mime.people("Reply-To", reply_to)
    yield mime.header("Subject", plain["subject"])
    yield mime.header("Date", format_datetime(row.made_at))
    yield mime.header("Message-ID", plain.get("message_id") or message_id_of(row.id))
    if answered := plain.get("in_reply_to"):
        yield mime.header("In-Reply-To", answered)
    if earlier := plain.get("references"):
        yield mime.header("References", " ".join(earlier))
    if list_id := plain.get("list_id"):
        yield mime.header("List-Id", f"<{list_id}.{sender_domain()}>")
    if row.is_marketing:
        yield mime.header("Precedence", "bulk")
    if plain.get("is_automatic", True):
        yield mime.header("Auto-Submitted", "auto-generated")
    if row.is_marketing and (tell := inbound.address_for(COMPLAINTS, "feedback")):
        yield mime.header("CFBL-Address", f"{tell}; report=arf")  # RFC 9477: who is told of complaints
        yield mime.header("CFBL-Feedback-ID", token)
    for name, value in plain.get("headers", {}).items():
        yield mime.header(name, value)
