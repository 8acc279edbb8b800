"""What a person sees of themselves: plain rows, a class a kind. Filled by `rights.reads`, shown by `web`, exported by `package`."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID


@dataclass(frozen=True, slots=True)
class HeldItem:
    """One holding as the person may see it. ``due`` is when it must be gone, if a clock runs; ``clock`` is the clock's id.

    ``taken_out`` are the kinds of things in the value that belong to somebody else and became marks.
    """

    id: UUID
    field: str
    value: str
    purpose: str
    basis: str
    source: str
    clock: str | None
    since: datetime
    due: datetime | None
    taken_out: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ConsentItem:
    """``shown`` is the form or banner that asked, ``words`` what it said, line by line; ``channel`` how we may write to them."""

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
    channel: str = ""
    shown: str = ""
    words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RelationItem:
    id: UUID
    relation: str
    market: str
    started_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class PlaceItem:
    """A place in an organisation."""

    company: str
    title: str
    role: str
    purpose: str
    market: str
    started_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class SaidItem:
    """One letter, call, meeting or message. ``id`` is the holding its words are in."""

    id: UUID
    at: datetime
    medium: str
    direction: str
    by: str
    purpose: str
    words: str
    taken_out: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AttachmentItem:
    """A file that came with what was said; ``holding`` is the entry it belongs to.

    ``state``: looking (nobody has judged yet whether it holds data of others), given or withheld. Only what is given is handed out.
    """

    id: UUID
    holding: UUID
    name: str
    kind: str
    size: int
    at: datetime
    state: str = "looking"


@dataclass(frozen=True, slots=True)
class RestrictionItem:
    """Between these days the data was only kept."""

    since: datetime
    told_at: datetime | None
    lifted_at: datetime | None
    by: str


@dataclass(frozen=True, slots=True)
class MergedItem:
    """Two records of the person became one; ``kept_once`` is what both said and now stands once."""

    at: datetime
    kept_once: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class SignalItem:
    """The latest interest of a kind; what the clock of inactivity counts from."""

    kind: str
    at: datetime


@dataclass(frozen=True, slots=True)
class LookItem:
    """``role`` is that of the member of staff, when it was one."""

    at: datetime
    by: str
    purpose: str
    fields: tuple[str, ...]
    allowed: bool
    reason: str
    role: str = ""


@dataclass(frozen=True, slots=True)
class DisclosureItem:
    """Who got, or is to get, what: ``name`` is the very company of the policy's ``recipient``; ``ground`` what lets it go."""

    at: datetime
    recipient: str
    purpose: str
    fields: tuple[str, ...]
    name: str = ""
    basis: str = ""
    country: str = ""
    ground: str = ""
    law: str = ""
    state: str = "handed_over"
    handed_at: datetime | None = None
    evidence_index: int | None = None


@dataclass(frozen=True, slots=True)
class TransferItem:
    """A merger or sale the person was told of, that may take their data along unless they object."""

    name: str
    purpose: str
    fields: tuple[str, ...]
    country: str
    free_from: date | None
    state: str


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
class DeliveryItem:
    """That a newsletter was queued for the person, or why it was not."""

    at: datetime
    state: str


@dataclass(frozen=True, slots=True)
class AnswerItem:
    """One thing somebody wrote when they registered."""

    field: str
    value: str


@dataclass(frozen=True, slots=True)
class RegistrationItem:
    """That the person registered for an event, with what they wrote as far as it is still there."""

    id: UUID
    title: str
    place: str
    starts_at: datetime
    ends_at: datetime
    purpose: str
    state: str
    reference: str
    made_at: datetime
    checked_in_at: datetime | None
    due: datetime
    answers: tuple[AnswerItem, ...]


@dataclass(frozen=True, slots=True)
class CarriedItem:
    """Something done for the person in a connected system: a correction, a restriction, a withdrawal."""

    made_at: datetime
    what: str
    system: str
    state: str
    reason: str
    due: datetime
    verified_at: datetime | None


@dataclass(frozen=True, slots=True)
class StepItem:
    at: datetime
    kind: str
    by: str
    reason: str
    words: str


@dataclass(frozen=True, slots=True)
class RequestItem:
    """A right the person exercised. ``waiting_for`` names systems, or person, log, search."""

    id: UUID
    reference: str
    right: str
    purpose: str
    channel: str
    state: str
    outcome: str
    received_at: datetime
    due: date
    closed_at: datetime | None
    waiting_for: tuple[str, ...]
    history: tuple[StepItem, ...]


@dataclass(frozen=True, slots=True)
class MaterialItem:
    """Material the person asked for: until when its link works, and how often the file was fetched by it."""

    id: UUID
    material: UUID
    title: str
    purpose: str
    form: str
    asked_at: datetime
    ends_at: datetime
    taken_at: datetime | None
    times: int
    due: datetime


@dataclass(frozen=True, slots=True)
class BoxItem:
    """A box under a form, with the hash of the words beside it, as it was sent."""

    purpose: str
    channel: str
    ticked: bool
    wording: str


@dataclass(frozen=True, slots=True)
class FormItem:
    """A form somebody sent in with the person's address: which words it had, on which page it stood."""

    form: str
    at: datetime
    purpose: str
    page: str
    wording: str
    version: str
    boxes: tuple[BoxItem, ...]


@dataclass(frozen=True, slots=True)
class InquiryItem:
    """What the person wrote to us about, with its history. ``due`` is when we owe an answer; empty while the word is theirs."""

    id: UUID
    reference: str
    kind: str
    purpose: str
    market: str
    state: str
    outcome: str
    received_at: datetime
    due: date | None
    closed_at: datetime | None
    history: tuple[StepItem, ...]


@dataclass(frozen=True, slots=True)
class Counted:
    """How many rows about the person stand in a table, and which part of the copy shows them."""

    table: str
    rows: int
    part: str


@dataclass(frozen=True, slots=True)
class Standing:
    """How a purpose stands for this person now."""

    purpose: str
    basis: str
    state: str  # "granted", "withdrawn", "objected", "in_use"
    may_withdraw: bool
    may_object: bool


@dataclass(frozen=True, slots=True)
class SegmentItem:
    """A group letters are sent to that holds the person now: what it asks, and which of their data it uses."""

    name: str
    purpose: str
    fields: tuple[str, ...]
    conditions: tuple[Mapping[str, Any], ...]


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
    transfers: tuple[TransferItem, ...]
    mails: tuple[MailItem, ...]
    entries: tuple[EntryItem, ...]
    next_due: datetime | None
    places: tuple[PlaceItem, ...] = ()
    dialogue: tuple[SaidItem, ...] = ()
    signals: tuple[SignalItem, ...] = ()
    deliveries: tuple[DeliveryItem, ...] = ()
    carried: tuple[CarriedItem, ...] = ()
    requests: tuple[RequestItem, ...] = ()
    inquiries: tuple[InquiryItem, ...] = ()
    restrictions: tuple[RestrictionItem, ...] = ()
    attachments: tuple[AttachmentItem, ...] = ()
    merged: tuple[MergedItem, ...] = ()
    registrations: tuple[RegistrationItem, ...] = ()
    materials: tuple[MaterialItem, ...] = ()
    forms: tuple[FormItem, ...] = ()
    segments: tuple[SegmentItem, ...] = ()

    @property
    def restricted_since(self) -> datetime | None:
        """Since when the data may only be kept; None when it is not restricted."""
        return next((each.since for each in self.restrictions if each.lifted_at is None), None)
