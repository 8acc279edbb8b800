"""Reads what a mail server says of a letter it did not deliver: at once, or in a report that comes back (RFC 3464).

Status codes are often vaguer than the words beside them (`5.0.0` with `5.1.1 no such user`), so both are read. Of the report
nothing is kept but the verdict: it quotes the letter.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import Message

from flufl.bounce import all_failures

from lofte.core.mailing.models import Bounce

_ENHANCED = re.compile(r"\b([245])\.(\d{1,3})\.(\d{1,3})\b")
_BASIC = re.compile(r"\b([45])\d\d\b")
_NO_MAILBOX = frozenset({"1.0", "1.1", "1.2", "1.3", "1.6", "1.10", "2.1"})  # of 5.x.y: RFC 3463, RFC 7505
_BLOCKED = re.compile(
    r"spam|blacklist|blocklist|block list|blocked|denied by policy|policy|reputation|dmarc|spf|dkim|unsolicited|content rejected",
    re.IGNORECASE,
)
_UNKNOWN = re.compile(
    r"no such (user|mailbox|address|recipient|account)|(user|mailbox|account|recipient|address)[^.]{0,40}"
    r"(unknown|not found|does ?n.t exist|does not exist|disabled|inactive|no longer|not exist)|unknown (user|mailbox|recipient)"
    r"|unrouteable address|invalid recipient|recipient address rejected|domain.{0,20}not found|mailbox unavailable",
    re.IGNORECASE,
)
_FULL = re.compile(r"full|quota|too large|try again|temporar|timed? ?out|retry", re.IGNORECASE)
Kind = Bounce.Kind


@dataclass(frozen=True, slots=True)
class Verdict:
    """``status`` is the most telling code there was, such as `5.1.1`."""

    kind: Bounce.Kind
    status: str


def read(message: Message) -> Verdict | None:
    """What a message that came back says; None for one that is no report of a failure, such as an answer by a machine."""
    said = [verdict for verdict in _reported(message) if verdict]
    if said:
        return max(said, key=lambda each: _GRAVITY[each.kind])
    if _is_report(message):
        return None  # delayed, delivered, passed on
    try:
        temporary, permanent = all_failures(message)
    except Exception:  # its detectors trust the headers of what they are given
        return None
    if permanent:
        return judged(_first_text(message), is_permanent=True)
    return Verdict(Kind.SOFT, "") if temporary else None


def judged(words: str, *, status: str = "", is_permanent: bool = True) -> Verdict:
    """The verdict of a refusal in a server's words, and the status that came with it."""
    found = _codes(words) + _codes(status)
    telling = next((each for each in found if each[1] not in ("0.0", "3.0")), found[0] if found else None)
    shown = f"{telling[0]}.{telling[1]}" if telling else ""
    if telling and telling[0] == "4":
        return Verdict(Kind.SOFT, shown)
    kind = _kind(telling[1] if telling else "0.0", words)
    if kind is None:
        kind = Kind.HARD if is_permanent and not _FULL.search(words) else Kind.SOFT
    basic = _BASIC.search(words)
    return Verdict(kind, shown or (basic[0] if basic else ""))


_GRAVITY = {Kind.SOFT: 1, Kind.BLOCKED: 2, Kind.HARD: 3, Kind.COMPLAINT: 4}


def _kind(detail: str, words: str) -> Bounce.Kind | None:
    """By the code where it tells, else by the words; None where neither does."""
    if detail.startswith("7."):
        return Kind.HARD if _UNKNOWN.search(words) and not _BLOCKED.search(words) else Kind.BLOCKED
    if detail in _NO_MAILBOX:
        return Kind.BLOCKED if detail in ("1.0", "2.1") and _BLOCKED.search(words) else Kind.HARD
    if detail != "0.0":
        return Kind.SOFT  # full, too large, not reachable, words not understood
    if _UNKNOWN.search(words):
        return Kind.HARD
    if _BLOCKED.search(words):
        return Kind.BLOCKED
    return Kind.SOFT if _FULL.search(words) else None


def _codes(text: str) -> list[tuple[str, str]]:
    return [(found[1], f"{int(found[2])}.{int(found[3])}") for found in _ENHANCED.finditer(text)]


def _reported(message: Message) -> Iterator[Verdict | None]:
    """One verdict for each recipient of a delivery status report; None for what is no failure."""
    for part in message.walk():
        if part.get_content_type() != "message/delivery-status":
            continue
        blocks = part.get_payload()
        for block in blocks if isinstance(blocks, list) else ():
            action = _plain(block, "Action").lower() if isinstance(block, Message) else ""
            if isinstance(block, Message) and action:
                diagnostic, status = _plain(block, "Diagnostic-Code") or _first_text(message), _plain(block, "Status")
                is_permanent = not status.startswith("4")
                yield judged(diagnostic, status=status, is_permanent=is_permanent) if action == "failed" else None


def _is_report(message: Message) -> bool:
    return message.get_content_type() == "multipart/report" or any(
        part.get_content_type() == "message/delivery-status" for part in message.walk()
    )


def _plain(block: Message, name: str) -> str:
    return " ".join(str(block.get(name, "")).split())


def _first_text(message: Message) -> str:
    """What a human would read, without the letter it quotes."""
    for part in message.walk():
        if part.get_content_type() == "text/plain":
            content = part.get_payload(decode=True)
            return content.decode("utf-8", "replace")[:2000] if isinstance(content, bytes) else ""
    return ""
