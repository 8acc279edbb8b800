"""What a person sees of themselves. Everything here is asked for one person and logged as a look by that person."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from lofte.core import clock, codes, evidence, holdings, obligations, ports, publication
from lofte.core.models import Entry
from lofte.features.rights import package, residue
from lofte.features.rights.models import Erasure
from lofte.features.rights.nouns import Grant, Residue
from lofte.features.rights.overview import (
    ConsentItem,
    DisclosureItem,
    EntryItem,
    HeldItem,
    LookItem,
    MailItem,
    Overview,
    RelationItem,
    Standing,
)
from lofte.rules.model import Basis


@dataclass(frozen=True, slots=True)
class ErasureItem:
    """``open_places`` is where something was still found, ``waiting_for`` the connected systems: what it waits for, if it does."""

    id: UUID
    state: str
    by: str
    started_at: datetime
    finished_at: datetime | None
    rows: int
    evidence_index: int | None
    open_places: tuple[str, ...]
    waiting_for: tuple[str, ...] = ()


def session(token: str) -> Grant | None:
    """The portal session behind a token, while it lasts and the person exists."""
    found = codes.peek(token, "session")
    if found is None or found.expires_at is None:
        return None
    return Grant(token, found.person_id, found.market, found.locale, found.expires_at)


def open_code(code: str, purpose: str = "open") -> tuple[str, str] | None:
    """Market and locale of a link that can still be used (``open`` or ``address``); changes nothing (for the page behind a GET)."""
    found = codes.peek(code, purpose)
    return (found.market, found.locale) if found else None


def overview(person_id: UUID) -> Overview:
    """Everything held about a person, in a fixed small number of SQL statements."""
    held = ports.register().held(person_id)
    rooms = holdings.export_person(person_id)
    consents = tuple(ConsentItem(**each) for each in rooms["consent"]["events"])
    market, locale = _edition(held, consents, rooms)
    items = tuple(
        HeldItem(
            id=each.id, field=each.field, value=each.value, purpose=each.purpose, basis=each.basis, source=each.source,
            clock=each.clock, since=each.since, due=each.due,
        )
        for each in held
    )  # fmt: skip
    return Overview(
        person_id=person_id, market=market, locale=locale, holdings=items, consents=consents,
        purposes=tuple(_standings({each.purpose for each in held}, consents)),
        relations=tuple(RelationItem(**each) for each in rooms["register"]["relations"]),
        looks=tuple(LookItem(**{**each, "fields": tuple(each["fields"])}) for each in rooms["register"]["looks"]),
        disclosures=tuple(
            DisclosureItem(**{**each, "fields": tuple(each["fields"])})
            for room in rooms.values()
            for each in room.get("disclosures", ())
        ),
        mails=tuple(
            MailItem(each["sent_at"] or each["made_at"], each["letter"], each["purpose"], each["state"])
            for each in rooms["core"]["mails"]
        ),
        entries=tuple(EntryItem(**each) for each in rooms["core"]["entries"]),
        next_due=min((each.due for each in items if each.due), default=None),
    )  # fmt: skip


def _edition(held: list[Any], consents: tuple[ConsentItem, ...], rooms: dict[str, Any]) -> tuple[str, str]:
    relations = rooms["register"]["relations"]
    if held:
        newest = max(held, key=lambda each: each.since)
        return newest.market, newest.locale
    if relations:
        return relations[-1]["market"], consents[-1].locale if consents else ""
    return (consents[-1].market, consents[-1].locale) if consents else ("", "")


def _standings(purposes: set[str], consents: tuple[ConsentItem, ...]) -> Iterator[Standing]:
    policy = publication.current().policy
    last = {each.purpose: each.action for each in consents}
    for purpose in sorted(purposes | set(last)):
        declared = policy.purposes.get(purpose)
        if declared is None:
            continue
        said = last.get(purpose, "")
        yield Standing(
            purpose=purpose, basis=declared.basis.value, state=said or "in_use",
            may_withdraw=declared.basis is Basis.CONSENT and said == "granted",
            may_object=declared.basis in (Basis.LEGITIMATE_INTEREST, Basis.PUBLIC_TASK) and said != "objected",
        )  # fmt: skip


def access_package(person_id: UUID) -> dict[str, Any]:
    """The machine-readable copy (GDPR 15, 20), valid against docs/reference/access-package.schema.json.

    Connected systems are asked as it is made; one that does not answer is named in it as incomplete, and stays owed.
    """
    seen = overview(person_id)
    return package.build(seen, _returned(seen), publication.current(), clock.now())


def access_csv(person_id: UUID) -> str:
    """The holdings as CSV (UTF-8, RFC 4180), cells that spreadsheets would run made harmless; connected systems included."""
    seen = overview(person_id)
    return package.as_csv(seen, _returned(seen))


def _returned(seen: Overview) -> list[obligations.Returned]:
    return obligations.export(seen.person_id, [(each.field, each.value) for each in seen.holdings])


def receipt(person_id: UUID, about: UUID) -> dict[str, Any] | None:
    """The log's receipt for something of this person (a consent event's id); None until it is in the log."""
    index = Entry.objects.of(person_id).filter(about=about).values_list("index", flat=True).first()
    return evidence.log().receipt(index) if index is not None and evidence.has_log() else None


def receipt_at(person_id: UUID, index: int) -> dict[str, Any] | None:
    """The log's receipt for an entry that is about this person; None for any other index."""
    if not evidence.has_log() or not Entry.objects.of(person_id).filter(index=index).exists():
        return None
    return evidence.log().receipt(index)


def residue_search(person_id: UUID) -> list[Residue]:
    """Where something of a person in the register stands in the clear or hashed, outside the places meant to hold it."""
    values = ports.register().needles_of(person_id)
    found = search_for(values)
    return [each for each in found.hits if each.form not in ("index", "handle")]


@dataclass(frozen=True, slots=True)
class Search:
    """``columns`` and ``files`` were looked through; ``hits`` is what was found."""

    columns: int
    files: int
    hits: tuple[Residue, ...]


def search_for(values: Iterable[tuple[str, str]], person_id: UUID | None = None) -> Search:
    """Look everywhere for (field, value) pairs, and for the person's handle: what a probe asks after an erasure."""
    found = residue.search(residue.needles(list(values), publication.current().policy.fields, person_id))
    return Search(
        found.columns, found.files, tuple(Residue(each.where, each.count, each.form, "") for each in found.hits)
    )


def erasures(limit: int = 50) -> list[ErasureItem]:
    """The latest erasures, for staff: nobody is named."""
    rows = Erasure.objects.order_by("-started_at")[:limit]
    return [
        ErasureItem(
            row.id,
            row.state,
            row.by,
            row.started_at,
            row.finished_at,
            sum(row.counts.values()),
            row.evidence_index,
            _open_places(row),
            tuple(each["system"] for each in row.elsewhere if each["state"] != "verified"),
        )
        for row in rows
    ]


def open_erasures() -> int:
    """Erasures that were ordered and are not proved yet."""
    return Erasure.objects.exclude(state=Erasure.State.DONE).count()


def _open_places(row: Erasure) -> tuple[str, ...]:
    return tuple(sorted({each["where"] for each in row.residue if not each["exemption"]}))
