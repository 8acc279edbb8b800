"""What a person sees of themselves. Everything here is asked for one person and logged as a look by that person."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from lofte.features.rights.verbs import Grant, Residue


@dataclass(frozen=True, slots=True)
class HeldItem:
    """One holding as the person may see it. ``due`` is when it must be gone, if a clock runs; ``clock`` is the clock's id."""

    id: UUID
    field: str
    value: str
    purpose: str
    basis: str
    source: str
    clock: str | None
    since: datetime
    due: datetime | None


@dataclass(frozen=True, slots=True)
class ConsentItem:
    id: UUID
    purpose: str
    action: str
    method: str
    market: str
    locale: str
    wording: str
    publication: str
    at: datetime
    evidence_index: int | None


@dataclass(frozen=True, slots=True)
class RelationItem:
    id: UUID
    relation: str
    market: str
    started_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class LookItem:
    at: datetime
    by: str
    purpose: str
    fields: tuple[str, ...]
    allowed: bool
    reason: str


@dataclass(frozen=True, slots=True)
class DisclosureItem:
    at: datetime
    recipient: str
    purpose: str
    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MailItem:
    at: datetime
    letter: str
    purpose: str
    state: str


@dataclass(frozen=True, slots=True)
class EntryItem:
    at: datetime
    kind: str
    index: int


@dataclass(frozen=True, slots=True)
class Standing:
    """How a purpose stands for this person now."""

    purpose: str
    basis: str
    state: str  # "granted", "withdrawn", "objected", "in_use"
    may_withdraw: bool
    may_object: bool


@dataclass(frozen=True, slots=True)
class Overview:
    person_id: UUID
    market: str
    locale: str
    holdings: tuple[HeldItem, ...]
    purposes: tuple[Standing, ...]
    consents: tuple[ConsentItem, ...]
    relations: tuple[RelationItem, ...]
    looks: tuple[LookItem, ...]
    disclosures: tuple[DisclosureItem, ...]
    mails: tuple[MailItem, ...]
    entries: tuple[EntryItem, ...]
    next_due: datetime | None


def session(token: str) -> Grant | None:
    """The portal session behind a token, while it lasts and the person exists."""
    raise NotImplementedError


def open_code(code: str) -> tuple[str, str] | None:
    """Market and locale of a link that can still be used; changes nothing (for the page behind a GET)."""
    raise NotImplementedError


def overview(person_id: UUID) -> Overview:
    """Everything held about a person, in a fixed small number of SQL statements."""
    raise NotImplementedError


def access_package(person_id: UUID) -> dict[str, Any]:
    """The machine-readable copy (GDPR 15, 20), valid against docs/reference/access-package.schema.json."""
    raise NotImplementedError


def access_csv(person_id: UUID) -> str:
    """The holdings as CSV (UTF-8, RFC 4180), cells that spreadsheets would run made harmless."""
    raise NotImplementedError


def receipt(person_id: UUID, about: UUID) -> dict[str, Any] | None:
    """The log's receipt for something of this person (a consent event's id); None until it is in the log."""
    raise NotImplementedError


def receipt_at(person_id: UUID, index: int) -> dict[str, Any] | None:
    """The log's receipt for an entry that is about this person; None for any other index."""
    raise NotImplementedError


def residue_search(person_id: UUID) -> list[Residue]:
    """Every place in both databases and the files where something of this person stands in the clear or hashed."""
    raise NotImplementedError
