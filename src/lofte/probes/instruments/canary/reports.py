"""What mail servers write back about a letter: that the address does not exist, and that somebody called it unwanted."""

from email.utils import format_datetime, make_msgid

from lofte.core import clock
from lofte.core.mailing import inbound, taking
from lofte.probes.instruments.mailbox import Letter

_FAILED = """Reporting-MTA: dns; mx.canary.example

Final-Recipient: rfc822; {address}
Action: failed
Status: 5.1.1
Diagnostic-Code: smtp; 550 5.1.1 User unknown
"""
_ABUSE = "Feedback-Type: abuse\nUser-Agent: canary/1\nVersion: 1\nOriginal-Mail-From: <{sender}>\n"
_REPORT = """From: mailer-daemon@canary.example
To: {to}
Subject: Report
Message-ID: {name}
Date: {at}
MIME-Version: 1.0
Content-Type: multipart/report; report-type={kind}; boundary="canary"

--canary
Content-Type: text/plain

A report about a letter.

--canary
Content-Type: message/{kind}

{said}
--canary--
"""


def can_come() -> bool:
    """Whether mail reaches us, and so reports do."""
    return inbound.is_on()


def does_not_exist(letter: Letter, address: str) -> None:
    _hand_in(letter, "delivery-status", _FAILED.format(address=address))


def is_unwanted(letter: Letter) -> None:
    _hand_in(letter, "feedback-report", _ABUSE.format(sender=letter.sender))


def _hand_in(letter: Letter, kind: str, said: str) -> None:
    """To the sender of the envelope, as the receiving server sends it (RFC 3464, RFC 5965)."""
    if taking.is_ours(letter.sender):
        name, at = make_msgid(domain="canary.example"), format_datetime(clock.now())
        taking.take(
            letter.sender, _REPORT.format(to=letter.sender, name=name, at=at, kind=kind, said=said).encode(), ""
        )
