"""What mail servers write back about a letter: that the address does not exist, and that somebody called it unwanted."""

from email.message import EmailMessage, Message
from email.utils import make_msgid

from lofte.core.mailing import inbound, taking
from lofte.probes.instruments.mailbox import Letter

_FAILED = """Reporting-MTA: dns; mx.canary.example

Final-Recipient: rfc822; {address}
Action: failed
Status: 5.1.1
Diagnostic-Code: smtp; 550 5.1.1 User unknown
"""
_ABUSE = "Feedback-Type: abuse\nUser-Agent: canary/1\nVersion: 1\nOriginal-Mail-From: <{sender}>\n"


def can_come() -> bool:
    """Whether mail reaches us, and so reports do."""
    return inbound.is_on()


def does_not_exist(letter: Letter, address: str) -> None:
    _hand_in(letter, "delivery-status", _FAILED.format(address=address))


def is_unwanted(letter: Letter) -> None:
    _hand_in(letter, "feedback-report", _ABUSE.format(sender=letter.sender))


def _hand_in(letter: Letter, kind: str, said: str) -> None:
    """To the sender of the envelope, as the receiving server sends it (RFC 3464, RFC 5965)."""
    report = EmailMessage()
    report["From"], report["To"], report["Subject"] = "mailer-daemon@canary.example", letter.sender, "Report"
    report["Message-ID"] = make_msgid(domain="canary.example")
    report.set_content("A report about a letter.")
    report.make_mixed()
    report.set_type("multipart/report")
    report.set_param("report-type", kind)
    part = Message()
    part["Content-Type"] = f"message/{kind}"
    part.set_payload(said)
    report.attach(part)
    if taking.is_ours(letter.sender):
        taking.take(letter.sender, report.as_bytes(), "")
