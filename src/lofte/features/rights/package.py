"""The access package: everything held about one person as one JSON document in a documented schema, and as CSV.

The schema is generated from the classes below into docs/reference/access-package.schema.json; a test keeps the two the same.
"""

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import asdict, is_dataclass
from datetime import date, datetime
from typing import Any, Literal, TypeVar, get_args
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from lofte.core.obligations import Returned
from lofte.features.rights.overview import Counted, Overview
from lofte.kernel.instants import rfc3339
from lofte.rules.published import Published

FORMAT: Literal["lofte/access/3"] = "lofte/access/3"
COLUMNS = (
    "field", "value", "purpose", "basis", "source", "since", "clock", "erased_by", "system", "said_at", "medium", "direction",
)  # fmt: skip
_FORMULA = ("=", "+", "-", "@", "\t", "\r")  # what a spreadsheet would run


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


_AnyPart = TypeVar("_AnyPart", bound=_Part)


class Controller(_Part):
    """Who is responsible (GDPR 15(1), 13(1)(a))."""

    name: str
    email: str
    phone: str
    post: list[str]


TakenOut = Literal["email", "phone", "number", "account", "name"]


class Holding(_Part):
    """One piece of data (GDPR 15(1)(a), (b), (d), (g))."""

    id: UUID
    field: str
    name: str = Field(description="the field's name in the person's language")
    value: str
    purpose: str
    purpose_name: str
    basis: str = Field(description="the ground of GDPR 6(1) it rests on")
    source: str = Field(description="where it came from")
    since: datetime
    clock: str | None = Field(description="the clock that runs for it")
    erased_by: datetime | None = Field(description="when it must be gone, if a clock runs")
    taken_out: list[TakenOut] = Field(
        description="what in the value was somebody else's and became a mark (GDPR 15(4))"
    )


class Consent(_Part):
    """One event: a consent, a withdrawal or an objection (GDPR 7(1))."""

    id: UUID
    purpose: str
    action: Literal["granted", "withdrawn", "objected"]
    method: str
    market: str
    locale: str
    wording: str = Field(description="SHA-256 of the words that were shown")
    shown: str = Field(
        description="what showed them: form.newsletter, banner; empty where the person acted of themselves"
    )
    words: list[str] = Field(description="what it said, line by line, in the version that was in force")
    publication: str = Field(description="the policy version in force")
    at: datetime
    evidence_index: int | None = Field(description="place in the evidence log")
    channel: str = Field(description="the way we may write to them (email, sms), empty for every way")


class Relation(_Part):
    id: UUID
    relation: str
    market: str
    started_at: datetime
    ended_at: datetime | None


class Place(_Part):
    """A place in an organisation."""

    company: str
    title: str
    role: str
    purpose: str
    market: str
    started_at: datetime
    ended_at: datetime | None


class Said(_Part):
    """One letter, call, meeting or message with us."""

    id: UUID = Field(description="the holding that keeps the words")
    at: datetime
    medium: str = Field(description="mail, phone, meeting, chat or post")
    direction: str = Field(description="in or out")
    by: str = Field(description="who of us: a member of staff by number, or a part of the system")
    purpose: str
    words: str
    taken_out: list[TakenOut]


class Attachment(_Part):
    """A file that came with an entry of the dialogue. The copy as one archive holds what is given, under this id."""

    id: UUID
    holding: UUID
    name: str
    kind: str = Field(description="media type, by the ending of the name")
    size: int = Field(description="bytes")
    at: datetime
    state: Literal["looking", "given", "withheld"] = Field(
        description="looking: a person must see first whether it holds data of others (GDPR 15(4)); withheld: it does"
    )


class Restriction(_Part):
    """Days on which the data was only kept (GDPR 18)."""

    since: datetime
    told_at: datetime | None
    lifted_at: datetime | None
    by: str


class Merged(_Part):
    """Two records of the person became one; ``kept_once`` is what both said and now stands once."""

    at: datetime
    kept_once: list[Any]


class Signal(_Part):
    """The latest sign of interest of a kind; the clock of inactivity counts from it."""

    kind: str
    at: datetime


class Look(_Part):
    """Who read or tried to read the data, and for what."""

    at: datetime
    by: str
    role: str = Field(description="the role the member of staff had; empty for the person and for parts of the system")
    purpose: str
    fields: list[str]
    allowed: bool
    reason: str


class Disclosure(_Part):
    """To whom data was given (GDPR 15(1)(c))."""

    at: datetime = Field(description="when it was decided and written down")
    recipient: str = Field(description="the recipient as the policy names it")
    name: str = Field(description="the very company or authority")
    purpose: str
    fields: list[str]
    basis: str
    country: str
    ground: str = Field(description="what lets it go: agreement, processor, authority, merger")
    law: str
    state: Literal["recorded", "handed_over", "cancelled", "recalled"] = Field(
        description="recorded: nothing has left; recalled: they were told to erase it (GDPR 19)"
    )
    handed_at: datetime | None
    evidence_index: int | None = Field(description="where the decision stands in the evidence log")


class Transfer(_Part):
    """A merger or sale that may take data along unless the person objects (GDPR 13(3), 21)."""

    name: str
    purpose: str
    fields: list[str]
    country: str
    free_from: date | None = Field(description="no earlier than this day")
    state: str


class Segment(_Part):
    """A group letters are sent to that held the person when this copy was made; worked out then, kept nowhere."""

    name: str
    purpose: str
    fields: list[str] = Field(description="the data it uses")
    conditions: list[dict[str, Any]] = Field(description="what puts the person in it; all of them hold")


class Mail(_Part):
    at: datetime
    letter: str
    purpose: str
    state: str


class Delivery(_Part):
    """A newsletter that was queued, or held back."""

    at: datetime
    state: str


class Carried(_Part):
    """A correction, restriction or withdrawal carried to a connected system (GDPR 19)."""

    made_at: datetime
    what: str
    system: str
    state: str
    reason: str
    due: datetime
    verified_at: datetime | None = Field(description="when the system, read back, agreed")


class Step(_Part):
    at: datetime
    kind: str
    by: str
    reason: str
    words: str


class Answer(_Part):
    field: str
    value: str


class Registration(_Part):
    """An event the person registered for, with what they wrote as far as it is still there."""

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
    due: datetime = Field(description="from when nothing of it is kept")
    answers: list[Answer]


class Request(_Part):
    """A right that was exercised, with its history."""

    id: UUID
    reference: str
    right: str
    purpose: str
    channel: str
    state: str
    outcome: str
    received_at: datetime
    due: date = Field(description="the last day to answer, by the law of the market")
    closed_at: datetime | None
    waiting_for: list[str]
    history: list[Step]


class Material(_Part):
    """Material the person asked for. That is no consent to anything else."""

    id: UUID
    material: UUID
    title: str = Field(description="empty where the material is no longer there")
    purpose: str
    form: str
    asked_at: datetime
    ends_at: datetime = Field(description="when the link in the letter stops working")
    taken_at: datetime | None = Field(description="when the file was first fetched")
    times: int = Field(description="how often it was fetched")
    due: datetime = Field(description="when it is forgotten that the person asked")


class Box(_Part):
    """A box under a form as it was sent. A ticked one is no consent until its mail was confirmed; see `consents`."""

    purpose: str
    channel: str
    ticked: bool
    wording: str = Field(description="hash of the words beside the box")


class SentForm(_Part):
    """A form that was sent in with the person's address."""

    form: str
    at: datetime
    purpose: str
    page: str = Field(description="path of the page it stood on, where that was told")
    wording: str = Field(description="hash of everything the form said, in the language it was shown in")
    version: str = Field(description="digest of all the form asked and said, in every language")
    boxes: list[Box]


class Inquiry(_Part):
    """What was written to us, and our answers, with what we noted for ourselves."""

    id: UUID
    reference: str
    kind: str = Field(description="inquiry, application, supplier or partner")
    purpose: str
    market: str
    state: str
    outcome: str
    received_at: datetime
    due: date | None = Field(description="the last day to answer, while we owe one")
    closed_at: datetime | None
    history: list[Step]


class Table(_Part):
    """How many rows about the person stand in a table, and the part of this copy that shows them."""

    table: str
    rows: int
    part: str


class Evidence(_Part):
    at: datetime
    kind: str
    index: int


class Recipient(_Part):
    """Who may receive data, by the policy in force (GDPR 15(1)(c), 15(2))."""

    id: str
    name: str
    role: str
    country: str
    transfers: list[str] = Field(description="countries outside the EEA and the ground: US dpf")


class SystemValue(_Part):
    name: str = Field(description="what the system itself calls it")
    field: str
    field_name: str = Field(description="the field's name in the person's language")
    purpose: str
    value: str


class SystemRecord(_Part):
    """One row of a connected system."""

    where: str
    values: list[SystemValue]


class ConnectedSystem(_Part):
    """What a connected system holds. Not complete: it could not be asked or read back; ask for a new copy later."""

    id: str
    name: str
    complete: bool
    reason: str
    records: list[SystemRecord]


class AccessPackage(_Part):
    """A copy of everything held about one person (GDPR 15(3) and 20(1))."""

    format: Literal["lofte/access/3"]
    made_at: datetime
    person: UUID
    market: str
    locale: str
    policy_version: str
    policy_digest: str
    controller: Controller | None
    rights: list[str] = Field(description="articles a person may call upon")
    holdings: list[Holding]
    systems: list[ConnectedSystem] = Field(description="what connected systems returned when this copy was made")
    consents: list[Consent]
    relations: list[Relation]
    places: list[Place]
    dialogue: list[Said]
    attachments: list[Attachment]
    signals: list[Signal]
    looks: list[Look]
    disclosures: list[Disclosure]
    transfers: list[Transfer]
    mails: list[Mail]
    deliveries: list[Delivery]
    carried: list[Carried]
    requests: list[Request]
    inquiries: list[Inquiry]
    restrictions: list[Restriction]
    merged: list[Merged]
    registrations: list[Registration]
    materials: list[Material]
    forms: list[SentForm]
    segments: list[Segment]
    alike: int = Field(description="other records that may be of the same person and wait for somebody to look")
    evidence: list[Evidence]
    recipients: list[Recipient]
    tables: list[Table] = Field(description="everything that stands about the person, counted in the store itself")


RIGHTS = ["GDPR 15", "GDPR 16", "GDPR 17", "GDPR 18", "GDPR 20", "GDPR 21", "GDPR 7(3)", "GDPR 77"]


def build(
    seen: Overview, returned: Sequence[Returned], counted: Sequence[Counted], published: Published, at: datetime
) -> dict[str, Any]:
    """The package as JSON-able values."""
    policy = published.policy
    edition = policy.markets.get(seen.market)
    whole = AccessPackage(
        format=FORMAT, made_at=at, person=seen.person_id, market=seen.market, locale=seen.locale,
        policy_version=published.version, policy_digest=published.digest, rights=RIGHTS,
        controller=_controller(policy.controllers[edition.controller]) if edition else None,
        holdings=[
            Holding(
                id=each.id, field=each.field, name=_name(published, seen.locale, "fields", each.field), value=each.value,
                purpose=each.purpose, purpose_name=_name(published, seen.locale, "purposes", each.purpose, "name"),
                basis=each.basis, source=each.source, since=each.since, clock=each.clock, erased_by=each.due,
                taken_out=_taken(each.taken_out),
            )
            for each in seen.holdings
        ],
        systems=[_system(each, published, seen.locale) for each in returned],
        consents=_all(Consent, seen.consents), relations=_all(Relation, seen.relations), places=_all(Place, seen.places),
        dialogue=_all(Said, seen.dialogue), signals=_all(Signal, seen.signals), looks=_all(Look, seen.looks),
        disclosures=_all(Disclosure, seen.disclosures), transfers=_all(Transfer, seen.transfers),
        mails=_all(Mail, seen.mails), deliveries=_all(Delivery, seen.deliveries),
        carried=_all(Carried, seen.carried), requests=_all(Request, seen.requests), inquiries=_all(Inquiry, seen.inquiries),
        restrictions=_all(Restriction, seen.restrictions), merged=_all(Merged, seen.merged),
        alike=sum(each.rows for each in counted if each.part == "alike"),
        attachments=_all(Attachment, seen.attachments), registrations=_all(Registration, seen.registrations),
        materials=_all(Material, seen.materials), forms=_all(SentForm, seen.forms),
        segments=_all(Segment, seen.segments),
        evidence=_all(Evidence, seen.entries), tables=_all(Table, counted),
        recipients=[
            Recipient(
                id=key, name=each.name, role=each.role, country=each.country,
                transfers=[f"{transfer.country} {transfer.tool.value}" for transfer in each.transfers],
            )
            for key, each in policy.recipients.items()
            if not each.markets or seen.market in each.markets
        ],
    )  # fmt: skip
    return whole.model_dump(mode="json")


def _controller(declared: Any) -> Controller:
    return Controller(**declared.model_dump(include=set(Controller.model_fields)))


def _all(part: type[_AnyPart], items: Iterable[Any]) -> list[_AnyPart]:
    return [part.model_validate({name: _listed(getattr(each, name)) for name in part.model_fields}) for each in items]


def _listed(value: Any) -> Any:
    """Plain rows as pydantic reads them: tuples and rows within rows."""
    if isinstance(value, tuple):
        return [_listed(each) for each in value]
    return asdict(value) if is_dataclass(value) and not isinstance(value, type) else value


def _taken(kinds: Iterable[str]) -> list[TakenOut]:
    return [kind for kind in get_args(TakenOut) for each in kinds if each == kind]


def _system(returned: Returned, published: Published, locale: str) -> ConnectedSystem:
    declared = published.policy.systems.get(returned.system)
    return ConnectedSystem(
        id=returned.system, name=declared.name if declared else returned.system, complete=returned.is_complete,
        reason=returned.reason,
        records=[
            SystemRecord(
                where=record.where,
                values=[
                    SystemValue(
                        name=each.name, field=each.field, field_name=_name(published, locale, "fields", each.field),
                        purpose=each.purpose, value=each.value,
                    )
                    for each in record.values
                ],
            )
            for record in returned.records
        ],
    )  # fmt: skip


def schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of the package."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **AccessPackage.model_json_schema()}


def as_csv(seen: Overview, returned: Sequence[Returned] = ()) -> str:
    """The holdings and what connected systems returned, one a line, UTF-8 with CRLF (RFC 4180).

    A cell a spreadsheet would run begins with an apostrophe. What was said carries its day, medium and direction.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    said = {each.id: each for each in seen.dialogue}
    for each in seen.holdings:
        talk = said.get(each.id)
        row = [
            each.field, each.value, each.purpose, each.basis, each.source, rfc3339(each.since), each.clock or "",
            rfc3339(each.due) if each.due else "", "register",
            *((rfc3339(talk.at), talk.medium, talk.direction) if talk else ("", "", "")),
        ]  # fmt: skip
        writer.writerow([_harmless(cell) for cell in row])
    for system in returned:
        for record in system.records:
            for value in record.values:
                row = [
                    value.field,
                    value.value,
                    value.purpose,
                    "",
                    f"{system.system}.{record.where}",
                    *[""] * 3,
                    system.system,
                ]
                writer.writerow([_harmless(cell) for cell in [*row, *[""] * 3]])
    return out.getvalue()


def _harmless(cell: str) -> str:
    return f"'{cell}" if cell.startswith(_FORMULA) else cell


def _name(published: Published, locale: str, section: str, key: str, part: str | None = None) -> str:
    found: Any = published.words.get(locale, {}).get(section, {}).get(key)
    if part is not None:
        found = found.get(part) if isinstance(found, dict) else None
    return found if isinstance(found, str) else key
