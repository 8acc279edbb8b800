"""What a person does with their rights. The door is a link mailed to the address on file; it opens one session for one person.

Raises `Problem` with these codes: `code.unknown` (wrong, used or expired), `register.undeclared`, `register.bad-value`,
`rights.not-withdrawable` (the purpose does not rest on consent), `rights.not-objectable`, `rights.closed` (the session is over).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Grant:
    """A portal session for exactly one person. Keep only ``token`` in the cookie or Django session; ask `reads.session` each time."""

    token: str
    person_id: UUID
    market: str
    locale: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class PlanItem:
    """``stays_under`` names the statute when the item must be kept, with ``until``; empty when it goes."""

    what: str
    count: int
    stays_under: str
    until: datetime | None


@dataclass(frozen=True, slots=True)
class Residue:
    """One place where something of the person was still found; ``exemption`` says why it may stay, if it may."""

    where: str
    count: int
    form: str
    exemption: str


@dataclass(frozen=True, slots=True)
class Erased:
    """``is_complete`` only when the search found nothing that is not exempt and the entry is in the log.

    ``receipt`` is the log's receipt (no personal data in it) for the person to keep; None while the log is not reachable from here.
    """

    id: UUID
    is_complete: bool
    counts: Mapping[str, int]
    residue: tuple[Residue, ...]
    evidence_index: int | None
    receipt: dict[str, Any] | None


def ask_for_link(market: str, locale: str, address: str, *, remote: str = "") -> None:
    """Somebody wants into the portal. Always the same answer in the same time; the work is done by a duty afterwards.

    A malformed address, an unknown one and one over its limit are all silently nothing. ``remote`` is hashed for the limit.
    """
    raise NotImplementedError


def open_portal(code: str) -> Grant:
    """Use up the link (POST, never GET): a session of 30 minutes for the person it was mailed to."""
    raise NotImplementedError


def close_portal(token: str) -> None:
    raise NotImplementedError


def correct(person_id: UUID, holding_id: UUID, value: str) -> None:
    """Put a value right, in every purpose it is held for; a new address must prove itself before it replaces the old one."""
    raise NotImplementedError


def withdraw(person_id: UUID, purpose: str) -> UUID:
    """Take back a consent, at once. Returns the id of the consent event."""
    raise NotImplementedError


def object_to(person_id: UUID, purpose: str) -> UUID:
    """Object to a use that rests on legitimate interest; for marketing it is absolute (GDPR 21(2))."""
    raise NotImplementedError


def plan_erasure(person_id: UUID) -> list[PlanItem]:
    """What would go and what must stay under which statute; changes nothing."""
    raise NotImplementedError


def erase(person_id: UUID, by: str = "person") -> Erased:
    """Erase the person: key, rows, index, codes, sessions, queued mail; search for residue; log it; give the receipt.

    Can be killed at any moment; `resume` (a duty) or calling it again carries it to its end. ``by``: person, staff:<id> or sweep.
    """
    raise NotImplementedError
