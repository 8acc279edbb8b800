"""Mail: a sealed row in the queue first, then SMTP by a duty. The row shows nothing personal, and keeps nothing once it left.

What a letter is stands in `mailing.letters`, how it travels in the rest of `mailing`. Consent is asked when it is queued and
once more in the transaction that takes it out of the queue; a letter that may no longer go is kept as a bare row that says so.
"""

import json
import logging
import smtplib
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.template.loader import render_to_string

from lofte.core import clock, ports, publication, vault
from lofte.core.decisions import BY_LAW
from lofte.core.links import link
from lofte.core.mailing.assembly import assembled
from lofte.core.mailing.letters import Attached, Letter, MarketingLetter, Thread, Words
from lofte.core.models import Mail, new_id
from lofte.core.tasks import duty
from lofte.kernel.problems import Problem

__all__ = ["Attached", "Letter", "MarketingLetter", "Thread", "Words"]  # and the functions below

_BATCH = 100
_LEASE = timedelta(minutes=5)
_PAUSES = tuple(timedelta(minutes=m) for m in (1, 5, 15, 60, 240, 720, 1440))
_logger = logging.getLogger("lofte.mail")


def compose(letter: str, market: str, locale: str, /, **context: Any) -> Words:
    """Render `mail/<letter>/subject.txt`, `body.txt` and `body.html` (templates of `web`) for a market and locale.

    Templates see market, locale, organisation, controller, policy_url, portal_url and what the caller adds: ``url`` and ``hours``
    in `confirm`, `open` and `address`; ``subject``, ``text``, ``html``, ``name`` and ``unsubscribe_url`` in `issue`.
    """
    policy = publication.current().policy
    controller = policy.controllers[policy.markets[market].controller]
    seen = {
        "market": market, "locale": locale, "organisation": policy.organisation, "controller": controller,
        "policy_url": link("policy", market, locale), "portal_url": link("portal", market, locale), **context,
    }  # fmt: skip
    subject = " ".join(render_to_string(f"mail/{letter}/subject.txt", seen).split())
    return Words(
        subject,
        render_to_string(f"mail/{letter}/body.txt", seen).strip() + "\n",
        render_to_string(f"mail/{letter}/body.html", seen),
    )


def send(letter: Letter) -> UUID:
    """Queue a letter, in the caller's transaction. Returns the row's id. One for a purpose nobody declared is refused."""
    _demand_declared([letter])
    return _row(letter, vault.opener(letter.person_id), Mail.objects.create).id


def send_many(letters: Sequence[Letter]) -> list[UUID | None]:
    """As `send` for many at once, in the caller's transaction. One to a person whose key is gone (erased) has no row: None."""
    _demand_declared(letters)
    keys = vault.openers(list({letter.person_id for letter in letters}))
    rows = [_row(letter, keys[letter.person_id], Mail) if letter.person_id in keys else None for letter in letters]
    Mail.everyone.bulk_create([row for row in rows if row is not None], batch_size=_BATCH)
    return [row.id if row else None for row in rows]


def _demand_declared(letters: Iterable[Letter]) -> None:
    asked = {letter.purpose for letter in letters} - set(BY_LAW)
    if asked and not asked <= set(publication.current().policy.purposes):
        raise Problem(
            "mail.undeclared", "no letter is sent for a purpose nobody declared", law="GDPR 5(1)(b)", status=422
        )


def message_id_of(row_id: UUID) -> str:
    """The Message-ID of a queued letter that was given none of its own. The same on a second try: receivers fold doubles."""
    sender = parseaddr(settings.DEFAULT_FROM_EMAIL)[1]
    return f"<{row_id}@{sender.rpartition('@')[2] or 'localhost'}>"


def _row(letter: Letter, key: vault.Opener, make: Callable[..., Any]) -> Mail:
    row_id = new_id()
    row: Mail = make(
        id=row_id, person_id=letter.person_id, letter=letter.name, purpose=letter.purpose, about=letter.about,
        sealed=key.seal(row_id, json.dumps(letter.as_kept()).encode()), is_marketing=isinstance(letter, MarketingLetter),
    )  # fmt: skip
    return row


def tell_house(to: str, subject: str, text: str) -> bool:
    """A letter to ourselves, sent at once: nothing personal may stand in it. False without LOFTE_SMTP; raises OSError or
    SMTPException when the server does not take it."""
    if not settings.EMAIL_HOST:
        return False
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = settings.DEFAULT_FROM_EMAIL, to, subject
    message["Date"], message["Auto-Submitted"] = format_datetime(clock.now()), "auto-generated"
    message.set_content(text)
    with _server() as server:
        server.send_message(message)
    return True


def suppress(person_id: UUID, purpose: str, reason: str) -> int:
    """Take what waits for this person and purpose out of the queue; the rows stay and say why."""
    return (
        Mail.objects.of(person_id)
        .filter(purpose=purpose, state=Mail.State.QUEUED)
        .update(state=Mail.State.SUPPRESSED, reason=reason, sealed=None)
    )


@duty("mail.deliver", every=timedelta(seconds=2))
def deliver(at: datetime) -> int:
    """Send what is due; returns how many left. Without LOFTE_SMTP the queue waits."""
    if not settings.EMAIL_HOST:
        return 0
    _pick_up_the_fallen(at)
    due = (
        Mail.everyone.filter(state=Mail.State.QUEUED, next_at__lte=at)
        .order_by("next_at")
        .values_list("person_id", "id")
    )
    waiting = list(due[:_BATCH])
    if not waiting:
        return 0
    sent = 0
    try:
        with _server() as server:
            for person_id, row_id in waiting:
                sent += _deliver_one(server, person_id, row_id, at)
    except (OSError, smtplib.SMTPException) as error:
        _logger.warning("the mail server did not answer", extra={"fields": {"error": type(error).__name__}})
        Mail.everyone.filter(id__in=[row for _, row in waiting], state=Mail.State.QUEUED).update(
            next_at=at + _PAUSES[0]
        )
    return sent


def _server() -> smtplib.SMTP:
    server = smtplib.SMTP(settings.EMAIL_HOST, settings.EMAIL_PORT, timeout=settings.EMAIL_TIMEOUT)
    if settings.EMAIL_USE_TLS:
        server.starttls()
    if settings.EMAIL_HOST_USER:
        server.login(settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD)
    return server


def _deliver_one(server: smtplib.SMTP, person_id: UUID, row_id: UUID, at: datetime) -> int:
    row = _take(person_id, row_id, at)
    if row is None:
        return 0
    rows = Mail.objects.of(person_id).filter(id=row_id, state=Mail.State.SENDING)
    try:
        message = _message(row)
        server.send_message(message)
    except smtplib.SMTPResponseException as error:
        _again(rows, row, at, error.smtp_code >= 500)
        return 0
    except smtplib.SMTPRecipientsRefused as error:
        _again(rows, row, at, all(code >= 500 for code, _ in error.recipients.values()))
        return 0
    except Problem:  # the key is gone: the person was erased between taking and sealing open
        rows.update(state=Mail.State.FAILED, reason="erased", sealed=None)
        return 0
    except (OSError, smtplib.SMTPException):
        _again(rows, row, at, False)
        raise
    rows.update(state=Mail.State.SENT, sent_at=clock.now(), sealed=None, reason="")
    return 1


@transaction.atomic
def _take(person_id: UUID, row_id: UUID, at: datetime) -> Mail | None:
    """Claim a row, and decide in the same transaction whether it may still go."""
    rows = Mail.objects.of(person_id).filter(id=row_id, state=Mail.State.QUEUED)
    if not rows.update(state=Mail.State.SENDING, next_at=at + _LEASE):
        return None
    row: Mail = Mail.objects.of(person_id).get(id=row_id)
    if row.purpose not in BY_LAW and ports.is_restricted(person_id):
        Mail.objects.of(person_id).filter(id=row_id).update(
            state=Mail.State.SUPPRESSED, reason="restricted", sealed=None
        )
        return None
    if row.is_marketing and not ports.consents().is_granted(person_id, row.purpose):
        Mail.objects.of(person_id).filter(id=row_id).update(
            state=Mail.State.SUPPRESSED, reason="no-consent", sealed=None
        )
        return None
    return row


def _message(row: Mail) -> EmailMessage:
    if row.sealed is None:
        raise Problem("mail.empty", "the letter is no longer there", status=500)
    plain = json.loads(vault.opener(row.person_id).open(row.id, row.sealed))
    return assembled(row, plain, message_id_of(row.id))


def _again(rows: Any, row: Mail, at: datetime, is_final: bool) -> None:
    if is_final or row.attempts >= len(_PAUSES):
        rows.update(state=Mail.State.FAILED, reason="refused" if is_final else "unreachable", sealed=None)
    else:
        rows.update(state=Mail.State.QUEUED, attempts=row.attempts + 1, next_at=at + _PAUSES[row.attempts])


def _pick_up_the_fallen(at: datetime) -> None:
    """Letters whose sender died between claim and outcome: what is owed goes again, marketing is not risked twice."""
    fallen = Mail.everyone.filter(state=Mail.State.SENDING, next_at__lte=at)
    fallen.filter(is_marketing=True).update(state=Mail.State.FAILED, reason="outcome-unknown", sealed=None)
    fallen.filter(is_marketing=False).update(state=Mail.State.QUEUED)
