"""A queued letter as the message that leaves."""

import base64
from collections.abc import Mapping
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr
from typing import Any

from django.conf import settings

from lofte.core.models import Mail


def assembled(row: Mail, plain: Mapping[str, Any], message_id: str) -> EmailMessage:
    """The message of a row, from what the row sealed (`Letter.as_kept`). The plain text is always there."""
    message = EmailMessage()
    message["From"] = settings.DEFAULT_FROM_EMAIL
    message["To"] = plain["to"]
    message["Subject"] = plain["subject"]
    message["Date"] = format_datetime(row.made_at)
    message["Message-ID"] = plain.get("message_id") or message_id
    _place(message, row, plain)
    for name, value in plain.get("headers", {}).items():
        message[name] = value
    message.set_content(plain["text"])
    if html := plain.get("html"):
        message.add_alternative(html, subtype="html")
    for name, media_type, data in plain.get("files", ()):
        _attach(message, name, media_type, base64.b64decode(data))
    return message


def _place(message: EmailMessage, row: Mail, plain: Mapping[str, Any]) -> None:
    """Conversation and list: what other programs sort and answer by."""
    if answered := plain.get("in_reply_to"):
        message["In-Reply-To"] = answered
    if earlier := plain.get("references"):
        message["References"] = " ".join(earlier)
    if reply_to := plain.get("reply_to"):
        message["Reply-To"] = reply_to
    if list_id := plain.get("list_id"):
        message["List-Id"] = f"<{list_id}.{_sender_domain()}>"
    if row.is_marketing:
        message["Precedence"] = "bulk"
    if plain.get("is_automatic", True):
        message["Auto-Submitted"] = "auto-generated"


def _attach(message: EmailMessage, name: str, media_type: str, data: bytes) -> None:
    kind, _, rest = media_type.partition(";")
    main, _, sub = kind.strip().partition("/")
    parameters = dict(each.strip().split("=", 1) for each in rest.split(";") if each.strip())
    message.add_attachment(data, maintype=main, subtype=sub, filename=name, params=parameters)


def _sender_domain() -> str:
    return parseaddr(settings.DEFAULT_FROM_EMAIL)[1].rpartition("@")[2] or "localhost"
