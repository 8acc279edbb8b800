"""Mail: a sealed row in the queue first, then SMTP by a duty. The row shows nothing personal, and keeps nothing once it left.

What a letter is stands in `mailing.letters`, how it travels in the rest of `mailing`. Consent is asked when it is queued and
once more in the transaction that takes it out of the queue; a letter that may no longer go is kept as a bare row that says so.
"""

import json
from collections.abc import Callable, Iterable, Sequence
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import Count
from django.template.loader import render_to_string

from lofte.core import clock, publication, vault
from lofte.core.decisions import BY_LAW
from lofte.core.links import link
from lofte.core.mailing import suppression
from lofte.core.mailing.assembly import message_id_of
from lofte.core.mailing.delivering import deliver
from lofte.core.mailing.handing import connect
from lofte.core.mailing.letters import Attached, Letter, MarketingLetter, Thread, Words
from lofte.core.models import Mail, new_id
from lofte.kernel.problems import Problem

__all__ = [
    "Attached", "Letter", "MarketingLetter", "Thread", "Words", "compose", "counted_about", "deliver", "message_id_of", "send",
    "send_many", "suppress", "take_back", "tell_house", "waiting_about",
]  # fmt: skip
_BATCH = 500


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


def _row(letter: Letter, key: vault.Opener, make: Callable[..., Any]) -> Mail:
    row_id = new_id()
    row: Mail = make(
        id=row_id, person_id=letter.person_id, letter=letter.name, purpose=letter.purpose, about=letter.about,
        sealed=key.seal(row_id, json.dumps(letter.as_kept()).encode()), is_marketing=isinstance(letter, MarketingLetter),
        address=suppression.hash_of(letter.to),
    )  # fmt: skip
    return row


def tell_house(to: str, subject: str, text: str, html: str = "") -> bool:
    """A letter to ourselves, sent at once: nothing personal may stand in it. False without LOFTE_SMTP; raises OSError or
    SMTPException when the server does not take it."""
    if not settings.EMAIL_HOST:
        return False
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = settings.DEFAULT_FROM_EMAIL, to, subject
    message["Date"], message["Auto-Submitted"] = format_datetime(clock.now()), "auto-generated"
    message.set_content(text)
    if html:
        message.add_alternative(html, subtype="html")
    with connect() as server:
        server.send_message(message)
    return True


def suppress(person_id: UUID, purpose: str, reason: str) -> int:
    """Take what waits for this person and purpose out of the queue; the rows stay and say why."""
    return (
        Mail.objects.of(person_id)
        .filter(purpose=purpose, state=Mail.State.QUEUED)
        .update(state=Mail.State.SUPPRESSED, reason=reason, sealed=None)
    )


def waiting_about(about: UUID) -> list[UUID]:
    """The letters about this that wait in the queue."""
    rows = Mail.everyone.filter(state=Mail.State.QUEUED, is_marketing=True, about=about)
    return list(rows.values_list("id", flat=True))


def counted_about(about: UUID) -> list[tuple[str, str, int]]:
    """What became of the letters about this: state, reason and how many."""
    rows = Mail.everyone.filter(about=about).order_by().values_list("state", "reason")
    return list(rows.annotate(count=Count("id")))


def take_back(about: UUID, reason: str) -> int:
    """Take every letter about this out of the queue; the rows stay and say why. What a sender holds in hand leaves."""
    waiting = Mail.everyone.filter(about=about, state=Mail.State.QUEUED)
    return waiting.update(state=Mail.State.SUPPRESSED, reason=reason, sealed=None)
