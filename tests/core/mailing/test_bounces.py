"""What mail servers say of a letter they did not deliver is read from status and words together."""

import email
from email.message import Message

import pytest

from lofte.core.mailing import bounces
from lofte.core.mailing.models import Bounce

Kind = Bounce.Kind


def report(
    status="5.0.0", diagnostic="smtp; 550 5.1.1 mailbox unknown", action="failed", recipient="kari@example.no"
) -> Message:
    """A delivery status report as Exim writes it."""
    return email.message_from_string(
        f"""From: Mail Delivery System <Mailer-Daemon@mx.example.test>
To: b+abc@back.example.com
Auto-Submitted: auto-replied
Content-Type: multipart/report; report-type=delivery-status; boundary=XX
MIME-Version: 1.0
Subject: Mail delivery failed: returning message to sender

--XX
Content-type: text/plain; charset=us-ascii

This message was created automatically by mail delivery software.

A message that you sent could not be delivered to one or more of its recipients. {diagnostic}

--XX
Content-type: message/delivery-status

Reporting-MTA: dns; mx.example.test

Action: {action}
Final-Recipient: rfc822;{recipient}
Status: {status}
Diagnostic-Code: {diagnostic}

--XX
Content-type: message/rfc822

From: news@example.com
To: {recipient}
Subject: Nytt

https://example.com/news/se/sv/unsubscribe/abc/
--XX--
""".replace("Diagnostic-Code: \n", "")
    )


@pytest.mark.parametrize(
    ("status", "diagnostic", "kind", "shown"),
    [
        ("5.0.0", "smtp; 550 5.1.1 mailbox unknown", Kind.HARD, "5.1.1"),
        ("5.1.1", "smtp; 550 no", Kind.HARD, "5.1.1"),
        ("5.1.10", "smtp; 556 Domain does not accept mail (nullMX)", Kind.HARD, "5.1.10"),
        ("5.0.0", "smtp; 550 Unrouteable address", Kind.HARD, "5.0.0"),
        ("5.0.0", "smtp; 550 Requested action not taken: mailbox unavailable", Kind.HARD, "5.0.0"),
        ("5.2.2", "smtp; 552 5.2.2 mailbox is full", Kind.SOFT, "5.2.2"),
        ("5.0.0", "smtp; 552 over quota", Kind.SOFT, "5.0.0"),
        ("5.3.4", "smtp; 552 5.3.4 message too large", Kind.SOFT, "5.3.4"),
        ("5.4.7", "smtp; 450 4.2.0 greylisted, try again", Kind.SOFT, "4.2.0"),
        ("4.4.7", "", Kind.SOFT, "4.4.7"),
        ("5.7.1", "smtp; 550 5.7.1 message rejected as spam", Kind.BLOCKED, "5.7.1"),
        ("5.7.26", "smtp; 550 5.7.26 unauthenticated mail is not accepted due to the DMARC policy", Kind.BLOCKED, "5.7.26"),
        ("5.0.0", "smtp; 554 blocked by blocklist", Kind.BLOCKED, "5.0.0"),
        ("5.7.1", "smtp; 550 5.7.1 recipient address rejected: user unknown", Kind.HARD, "5.7.1"),
        ("5.0.0", "smtp; 550 because", Kind.HARD, "5.0.0"),
    ],
)  # fmt: skip
def test_a_report_is_judged_by_its_most_telling_code_and_its_words(status, diagnostic, kind, shown):
    assert bounces.read(report(status, diagnostic)) == bounces.Verdict(kind, shown)


@pytest.mark.parametrize("action", ["delayed", "delivered", "relayed", "expanded"])
def test_a_report_of_no_failure_counts_for_nothing(action):
    assert bounces.read(report(action=action, status="4.0.0", diagnostic="")) is None


def test_an_answer_from_somebody_on_holiday_is_no_bounce():
    away = email.message_from_string(
        "From: kari@example.no\nAuto-Submitted: auto-replied\nSubject: Autosvar\n\nJag är på semester till den 550:e. Mvh Kari\n"
    )
    assert bounces.read(away) is None


def test_reports_older_than_the_standard_are_known_too():
    qmail = email.message_from_string(
        "From: MAILER-DAEMON@old.example\nTo: b+abc@back.example.com\nSubject: failure notice\n\n"
        "Hi. This is the qmail-send program at old.example.\n"
        "I'm afraid I wasn't able to deliver your message to the following addresses.\n"
        "This is a permanent error; I've given up. Sorry it didn't work out.\n\n"
        "<kari@example.no>:\nSorry, no mailbox here by that name. (#5.1.1)\n\n--- Below this line is a copy of the message.\n\n"
        "Return-Path: <b+abc@back.example.com>\n"
    )
    assert bounces.read(qmail) == bounces.Verdict(Kind.HARD, "5.1.1")


@pytest.mark.parametrize(
    "raw", ["", "\n", "Content-Type: multipart/report; boundary=X\n\n--X\nContent-Type: message/delivery-status\n\n"]
)
def test_what_is_broken_says_nothing(raw):
    assert bounces.read(email.message_from_string(raw)) is None
