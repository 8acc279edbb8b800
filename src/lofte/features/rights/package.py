"""The access package: everything held about one person as one JSON document in a documented schema, and as CSV.

The schema is generated from the classes below into docs/reference/access-package.schema.json; a test keeps the two the same.
"""

import csv
import io
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from lofte.core.obligations import Returned
from lofte.features.rights.overview import Overview
from lofte.kernel.instants import rfc3339
from lofte.rules.published import Published

FORMAT: Literal["lofte/access/1"] = "lofte/access/1"
_FORMULA = ("=", "+", "-", "@", "\t", "\r")  # what a spreadsheet would run


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Controller(_Part):
    """Who is responsible (GDPR 15(1), 13(1)(a))."""

    name: str
    email: str
    phone: str
    post: list[str]


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


class Consent(_Part):
    """One event: a consent, a withdrawal or an objection (GDPR 7(1))."""

    id: UUID
    purpose: str
    action: Literal["granted", "withdrawn", "objected"]
    method: str
    market: str
    locale: str
    wording: str = Field(description="SHA-256 of the words that were shown")
    publication: str = Field(description="the policy version in force")
    at: datetime
    evidence_index: int | None = Field(description="place in the evidence log")


class Relation(_Part):
    id: UUID
    relation: str
    market: str
    started_at: datetime
    ended_at: datetime | None


class Look(_Part):
    """Who read or tried to read the data, and for what."""

    at: datetime
    by: str
    purpose: str
    fields: list[str]
    allowed: bool
    reason: str


class Disclosure(_Part):
    """To whom data was given (GDPR 15(1)(c))."""

    at: datetime
    recipient: str
    purpose: str
    fields: list[str]


class Mail(_Part):
    at: datetime
    letter: str
    purpose: str
    state: str


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

    format: Literal["lofte/access/1"]
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
    looks: list[Look]
    disclosures: list[Disclosure]
    mails: list[Mail]
    evidence: list[Evidence]
    recipients: list[Recipient]


RIGHTS = ["GDPR 15", "GDPR 16", "GDPR 17", "GDPR 18", "GDPR 20", "GDPR 21", "GDPR 7(3)", "GDPR 77"]


def build(seen: Overview, returned: Sequence[Returned], published: Published, at: datetime) -> dict[str, Any]:
    """The package as JSON-able values."""
    policy = published.policy
    edition = policy.markets.get(seen.market)
    whole = AccessPackage(
        format=FORMAT, made_at=at, person=seen.person_id, market=seen.market, locale=seen.locale,
        policy_version=published.version, policy_digest=published.digest, rights=RIGHTS,
        controller=Controller(**policy.controllers[edition.controller].model_dump(exclude={"country"})) if edition else None,
        holdings=[
            Holding(
                id=each.id, field=each.field, name=_name(published, seen.locale, "fields", each.field), value=each.value,
                purpose=each.purpose, purpose_name=_name(published, seen.locale, "purposes", each.purpose, "name"),
                basis=each.basis, source=each.source, since=each.since, clock=each.clock, erased_by=each.due,
            )
            for each in seen.holdings
        ],
        systems=[_system(each, published, seen.locale) for each in returned],
        consents=[Consent.model_validate(each, from_attributes=True) for each in seen.consents],
        relations=[Relation.model_validate(each, from_attributes=True) for each in seen.relations],
        looks=[
            Look(at=each.at, by=each.by, purpose=each.purpose, fields=list(each.fields), allowed=each.allowed, reason=each.reason)
            for each in seen.looks
        ],
        disclosures=[
            Disclosure(at=each.at, recipient=each.recipient, purpose=each.purpose, fields=list(each.fields))
            for each in seen.disclosures
        ],
        mails=[Mail.model_validate(each, from_attributes=True) for each in seen.mails],
        evidence=[Evidence.model_validate(each, from_attributes=True) for each in seen.entries],
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

    A cell a spreadsheet would run begins with an apostrophe.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(["field", "value", "purpose", "basis", "source", "since", "clock", "erased_by"])
    for each in seen.holdings:
        due = rfc3339(each.due) if each.due else ""
        row = [
            each.field,
            each.value,
            each.purpose,
            each.basis,
            each.source,
            rfc3339(each.since),
            each.clock or "",
            due,
        ]
        writer.writerow([_harmless(cell) for cell in row])
    for system in returned:
        for record in system.records:
            for value in record.values:
                row = [value.field, value.value, value.purpose, "", f"{system.system}.{record.where}", "", "", ""]
                writer.writerow([_harmless(cell) for cell in row])
    return out.getvalue()


def _harmless(cell: str) -> str:
    return f"'{cell}" if cell.startswith(_FORMULA) else cell


def _name(published: Published, locale: str, section: str, key: str, part: str | None = None) -> str:
    found: Any = published.words.get(locale, {}).get(section, {}).get(key)
    if part is not None:
        found = found.get(part) if isinstance(found, dict) else None
    return found if isinstance(found, str) else key
