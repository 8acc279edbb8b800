"""Agreements with partners: on file before anything goes, narrow, dated, and without payment. One that is over shares nothing.

A change is a new agreement; an old one is never edited. Raises `Problem`: `sharing.not-declared`, `sharing.sold`,
`sharing.bad-dates`, `sharing.no-document`, `sharing.too-large`, `sharing.bad-endpoint`, `sharing.no-agreement`.
"""

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from lofte.core import actions, clock, outbox, ports, publication, roles, vault
from lofte.core.models import new_id
from lofte.core.retry import in_transaction
from lofte.features.sharing import papers
from lofte.features.sharing.models import Agreement
from lofte.kernel.problems import Place, Problem
from lofte.rules.model import Policy

SERVICES = ("sell", "implement", "accounting", "payroll")
CONTROL = "partners_agreed"
LONGEST = timedelta(days=5 * 366)
"""No agreement runs longer than five years without being looked at and signed anew."""
_LONGEST_NAME = 120


@dataclass(frozen=True, slots=True)
class Given:
    """What an agreement says, as staff noted it down."""

    recipient: str
    partner: str
    services: Sequence[str]
    purposes: Sequence[str]
    fields: Sequence[str]
    country: str
    signed: date
    expires: date
    review_at: date
    reviewer: str
    contact: str
    document_name: str
    document: bytes
    without_payment: bool
    endpoint: str = ""


@in_transaction
def record(given: Given, *, by: str) -> UUID:
    """Put an agreement on file, with its document sealed. It holds from the day it was signed."""
    _demand_declared(given)
    _demand_sound(given)
    paper = papers.checked(given.document_name, given.document)
    row_id = new_id()
    row = Agreement(
        id=row_id, recipient=given.recipient, partner=given.partner.strip(), services=sorted(set(given.services)),
        purposes=sorted(set(given.purposes)), fields=sorted(set(given.fields)), country=given.country, signed=given.signed,
        expires=given.expires, review_at=given.review_at, reviewer=given.reviewer, by=by, at=clock.now(),
        endpoint=given.endpoint.strip(),
        sealed_contact=vault.seal_for_house(papers.beside(row_id, "contact"), given.contact.encode()),
        **papers.sealed(row_id, paper),
    )  # fmt: skip
    if row.endpoint:
        secret = secrets.token_urlsafe(32).encode()
        row.sealed_secret = vault.seal_for_house(papers.beside(row_id, "secret"), secret)
    row.save(force_insert=True)
    outbox.add(
        "agreement.recorded",
        {
            "agreement": str(row.id), "recipient": row.recipient, "services": row.services, "purposes": row.purposes,
            "fields": row.fields, "country": row.country, "signed": row.signed.isoformat(), "expires": row.expires.isoformat(),
            "document": row.digest, "without_payment": True,
        },
        policy=publication.current().digest, about=row.id,
    )  # fmt: skip
    actions.record("agreement.recorded", by, recipient=row.recipient, agreement=str(row.id))
    return row_id


@in_transaction
def end(agreement: UUID, *, by: str) -> None:
    """The agreement is over from this moment. What the partner holds is called back by whoever ends it: see `recalls`."""
    at = clock.now()
    if not Agreement.objects.filter(pk=agreement, ended_at__isnull=True).update(ended_at=at):
        raise _none()
    row = Agreement.objects.get(pk=agreement)
    outbox.add(
        "agreement.ended", {"agreement": str(row.id), "recipient": row.recipient}, policy=publication.current().digest, about=row.id
    )  # fmt: skip
    actions.record("agreement.ended", by, recipient=row.recipient, agreement=str(row.id))


@in_transaction
def reviewed(agreement: UUID, review_at: date, *, by: str) -> None:
    """Somebody with the reviewer's role looked at it and says when to look again."""
    today = clock.now().date()
    row = row_of(agreement)
    if not today < review_at <= row.expires:
        raise Problem(
            "sharing.bad-dates", "the next review lies between today and the end of the agreement",
            Place(key="review_at"), status=422,
        )  # fmt: skip
    Agreement.objects.filter(pk=agreement).update(review_at=review_at)
    actions.record("agreement.reviewed", by, agreement=str(agreement))


# --- questions ------------------------------------------------------------------------------------------------------


def row_of(agreement: UUID) -> Agreement:
    row = Agreement.objects.filter(pk=agreement).first()
    if row is None:
        raise _none()
    return row


def listed() -> list[Agreement]:
    """Every agreement without its document, those that run first, the one that ends soonest first."""
    rows = list(Agreement.objects.defer("sealed", "sealed_contact", "sealed_secret"))
    today = clock.now().date()
    return sorted(
        rows,
        key=lambda row: (not runs(row, today), row.expires if runs(row, today) else date.max - row.expires + date.min),
    )


def runs(row: Agreement, on: date) -> bool:
    """Whether it is signed, not over and not ended on that day."""
    return row.signed <= on <= row.expires and row.ended_at is None


def covers(row: Agreement, purpose: str, fields: Iterable[str]) -> bool:
    return purpose in row.purposes and set(fields) <= set(row.fields)


def running(recipient: str, purpose: str = "", fields: Iterable[str] = ()) -> list[Agreement]:
    """The agreements with this recipient that hold today (and cover this purpose and these fields)."""
    today, wanted = clock.now().date(), frozenset(fields)
    rows = Agreement.objects.filter(recipient=recipient, ended_at__isnull=True, signed__lte=today, expires__gte=today)
    return [row for row in rows.order_by("partner") if not purpose or covers(row, purpose, wanted)]


def contact_of(agreement: UUID) -> str:
    """Where the partner's desk for this is written to."""
    row = row_of(agreement)
    return vault.open_for_house(papers.beside(row.id, "contact"), row.sealed_contact).decode()


def secret_of(agreement: UUID) -> str:
    """What requests to the partner's endpoint are signed with; empty without an endpoint."""
    row = row_of(agreement)
    if row.sealed_secret is None:
        return ""
    return vault.open_for_house(papers.beside(row.id, "secret"), row.sealed_secret).decode()


def document_of(agreement: UUID, *, by: str) -> papers.Paper:
    """The signed document. Who took it out is kept."""
    row = row_of(agreement)
    actions.record("agreement.document_read", by, agreement=str(agreement))
    return papers.opened(row.id, row.sealed_name, row.sealed, row.kind)


def as_agreed(row: Agreement) -> ports.Agreement:
    """As the compiled table sees it: an agreement that was ended holds through the day before at the most."""
    last = row.expires
    if row.ended_at is not None:
        last = min(last, row.ended_at.date() - timedelta(days=1))
    return ports.Agreement(row.recipient, frozenset(row.purposes), frozenset(row.fields), row.country, row.signed, last)


def agreements() -> Sequence[ports.Agreement]:
    """Provided to `core.decisions` as `ports.agreements()`."""
    columns = ("recipient", "purposes", "fields", "country", "signed", "expires", "ended_at")
    return [as_agreed(row) for row in Agreement.objects.only(*columns)]


def agreements_version() -> str:
    """Changes whenever an agreement is recorded or ended: nothing else of one ever changes what may go."""
    rows = Agreement.objects.order_by("pk").values_list("pk", "ended_at")
    return ",".join(f"{pk.hex}:{ended or ''}" for pk, ended in rows)


def due_for_review(at: datetime) -> list[Agreement]:
    today = at.date()
    return [row for row in listed() if runs(row, today) and row.review_at <= today]


def offered(policy: Policy) -> tuple[dict[str, Any], list[str]]:
    """Recipients an agreement may be with, and the purposes it may name: what the promise about partners speaks of, if one does."""
    bound = [
        each.parameters for promise in policy.promises.values() for each in promise.controls if each.control == CONTROL
    ]
    named = {each for parameters in bound for each in parameters.get("recipients", ())}
    purposes = {each for parameters in bound for each in parameters.get("purposes", ())}
    partners = {
        key: each
        for key, each in policy.recipients.items()
        if (key in named if named else each.role in ("partner", "group", "joint_controller"))
    }
    declared = [
        key for key, each in policy.purposes.items() if each.scope == "person" and (not purposes or key in purposes)
    ]
    return partners, declared


# --- within ---------------------------------------------------------------------------------------------------------


def _demand_declared(given: Given) -> None:
    policy = publication.current().policy
    recipients, purposes = offered(policy)
    if given.recipient not in recipients:
        raise _undeclared("recipient", "GDPR 13(1)(e)")
    if not given.purposes or not set(given.purposes) <= set(purposes):
        raise _undeclared("purposes", "GDPR 5(1)(b)")
    allowed = {field for purpose in given.purposes for field in policy.purposes[purpose].fields}
    if not given.fields or not set(given.fields) <= allowed:
        raise _undeclared("fields", "GDPR 5(1)(c)")
    declared = recipients[given.recipient]
    if given.country not in {declared.country, *(each.country for each in declared.transfers)}:
        raise _undeclared("country", "GDPR 13(1)(f)")
    if not given.services or not set(given.services) <= set(SERVICES):
        raise _undeclared("services", "GDPR 5(1)(b)")
    if given.reviewer not in roles.declared():
        raise _undeclared("reviewer", "GDPR 24(1)")


def _demand_sound(given: Given) -> None:
    if not given.without_payment:
        raise Problem(
            "sharing.sold", "data that somebody pays for is sold, and nothing here is for sale", Place(key="without_payment"),
            law="GDPR 5(1)(a); C.R.S. 6-1-1303(23)", status=422,
        )  # fmt: skip
    if not given.partner.strip() or len(given.partner) > _LONGEST_NAME:
        raise Problem(
            "sharing.bad-value", "the partner's name is missing or too long", Place(key="partner"), status=422
        )
    if not given.signed <= clock.now().date():
        raise Problem(
            "sharing.bad-dates", "an agreement is put on file once it is signed", Place(key="signed"), status=422
        )
    if not given.signed <= given.expires <= given.signed + LONGEST:
        raise Problem(
            "sharing.bad-dates", "it ends after it was signed, within five years", Place(key="expires"), status=422
        )
    if not given.signed <= given.review_at <= given.expires:
        raise Problem("sharing.bad-dates", "it is reviewed before it ends", Place(key="review_at"), status=422)
    try:
        validate_email(given.contact)
    except ValidationError:
        raise Problem("sharing.bad-value", "the contact is no address", Place(key="contact"), status=422) from None
    parts = urlsplit(given.endpoint.strip())
    if given.endpoint.strip() and (
        parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.fragment
    ):
        raise Problem("sharing.bad-endpoint", "the endpoint is no plain web address", Place(key="endpoint"), status=422)


def _undeclared(what: str, law: str) -> Problem:
    return Problem(
        "sharing.not-declared", f"the policy in force does not declare this for partners: {what}", Place(key=what), law=law,
        status=422,
        way_out="Publish a policy that says so first; people are told before it happens.",
    )  # fmt: skip


def _none() -> Problem:
    return Problem("sharing.no-agreement", "there is no such agreement, or it has ended", status=404)
