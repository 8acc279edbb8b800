"""Mail that comes to us. A room names a kind of address, `reply+<token>@<our mail domain>`, and is handed what arrives there.

    @inbound.address("reply")
    def answered(token: str, message: Incoming) -> None: ...

The handler runs in a transaction; when it raises, nothing was taken and the mail server tries again. A `Problem` with a status
below 500 is an answer (unknown or expired token): the letter is refused for good. The same letter is handed over once.
"""

import re
import secrets
from base64 import b32encode
from collections.abc import Callable
from dataclasses import dataclass, field

from django.conf import settings

from lofte.kernel.problems import Problem

_KIND = re.compile(r"[a-z]{1,12}")
_TOKEN = re.compile(r"[A-Za-z0-9_-]{8,61}")
_LONGEST_LOCAL_PART = 64  # RFC 5321 4.5.3.1.1


@dataclass(frozen=True, slots=True)
class File:
    """A file that came with a letter; neither name nor type can be trusted."""

    name: str
    media_type: str
    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Incoming:
    """A letter that came, read. ``text`` is without what it quotes of ours where that can be told, ``is_automatic`` an answer
    by a machine (out of office, delivery report, a list), which is never taken for the person's own word.
    """

    from_address: str = field(repr=False)
    subject: str = field(repr=False)
    text: str = field(repr=False)
    files: tuple[File, ...] = ()
    message_id: str = ""
    in_reply_to: str = ""
    references: tuple[str, ...] = ()
    is_automatic: bool = False
    raw: bytes = field(default=b"", repr=False)


Handler = Callable[[str, Incoming], object]
_handlers: dict[str, Handler] = {}


def address(kind: str) -> Callable[[Handler], Handler]:
    """Declare who takes what comes to `<kind>+<token>@`."""
    if not _KIND.fullmatch(kind):
        raise ValueError("a kind of address is a few small letters")

    def declare(handler: Handler) -> Handler:
        _handlers[kind] = handler
        return handler

    return declare


def kinds() -> tuple[str, ...]:
    return tuple(sorted(_handlers))


def found(recipient: str) -> tuple[Handler, str] | None:
    """Who takes what comes to this address, and the token in it; None for an address that we never gave out."""
    local, _, domain = recipient.strip().strip("<>").rpartition("@")
    kind, _, token = local.partition("+")
    handler = _handlers.get(kind.lower())
    if handler is None or not is_on() or domain.lower() != settings.LOFTE_MAIL_DOMAIN or not _TOKEN.fullmatch(token):
        return None
    return handler, token


def is_on() -> bool:
    """Whether mail reaches us at all: LOFTE_MAIL_DOMAIN is set."""
    return bool(settings.LOFTE_MAIL_DOMAIN)


def new_token() -> str:
    """160 random bits in small letters and digits: some mail servers on the way do not keep capitals."""
    return b32encode(secrets.token_bytes(20)).decode().lower()


def address_for(kind: str, token: str) -> str:
    """`reply+<token>@<LOFTE_MAIL_DOMAIN>`; empty where no mail reaches us, and then the letter has no such header."""
    if not _KIND.fullmatch(kind) or not _TOKEN.fullmatch(token) or len(kind) + 1 + len(token) > _LONGEST_LOCAL_PART:
        raise Problem("mail.bad-token", "this cannot stand in an address", status=500)
    return f"{kind}+{token}@{settings.LOFTE_MAIL_DOMAIN}" if is_on() else ""
