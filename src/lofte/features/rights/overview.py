"""What a person sees of themselves: plain rows, a class a kind. Filled by `rights.reads`, shown by `web`, exported by `package`."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


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
