"""What a person sees of themselves. Everything here is asked for one person and logged as a look by that person."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from lofte.core import clock, codes, evidence, obligations, ports, publication, vault
from lofte.core.models import Entry
from lofte.features.rights import gathering, package, residue
from lofte.features.rights.models import Erasure
from lofte.features.rights.nouns import Grant, Residue
from lofte.features.rights.overview import Counted, InquiryItem, Overview, RequestItem


@dataclass(frozen=True, slots=True)
class ErasureItem:
    """``open_places`` is where something was still found, ``waiting_for`` the connected systems: what it waits for, if it does.

    ``steps`` are the stages in order, each with whether it is behind: key, rows, log, systems, search, proof.
    """

    id: UUID
    state: str
    by: str
    started_at: datetime
    finished_at: datetime | None
    rows: int
    evidence_index: int | None
    open_places: tuple[str, ...]
    waiting_for: tuple[str, ...] = ()
    steps: tuple[tuple[str, bool], ...] = ()

    @property
    def is_done(self) -> bool:
        return self.state == Erasure.State.DONE


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
    """Everything held about a person, in a fixed small number of SQL statements. What is somebody else's is taken out."""
    with vault.in_hand(person_id):
        return gathering.gather(person_id, ports.register().held(person_id)).seen


def requests_of(person_id: UUID, locale: str) -> tuple[RequestItem, ...]:
    """What the person asked for and how far it has come, the latest first."""
    return gathering.requests_of(person_id, locale)


def inquiries_of(person_id: UUID, locale: str) -> tuple[InquiryItem, ...]:
    """What the person wrote to us about, and our answers, the latest first."""
    with vault.in_hand(person_id):
        return gathering.inquiries_of(person_id, locale)


@dataclass(frozen=True, slots=True)
class Copy:
    """One copy of everything (GDPR 15(3)): what is held here, what connected systems gave, and where it all stands."""

    seen: Overview
    returned: tuple[obligations.Returned, ...]
    counted: tuple[Counted, ...]
    made_at: datetime

    def as_json(self) -> dict[str, Any]:
        """Valid against docs/reference/access-package.schema.json."""
        return package.build(self.seen, self.returned, self.counted, publication.current(), self.made_at)

    def as_csv(self) -> str:
        """One value a line (UTF-8, RFC 4180), cells that spreadsheets would run made harmless."""
        return package.as_csv(self.seen, self.returned)


def copy_of(person_id: UUID) -> Copy:
    """Connected systems are asked as it is made; one that does not answer is named in it as incomplete, and stays owed."""
    with vault.in_hand(person_id):
        held = ports.register().held(person_id)
        returned = obligations.export(person_id, [(each.field, each.value) for each in held])
        found = gathering.gather(person_id, held, returned)
        return Copy(found.seen, found.returned, found.counted, clock.now())


def access_package(person_id: UUID) -> dict[str, Any]:
    """The machine-readable copy (GDPR 15, 20)."""
    return copy_of(person_id).as_json()


def access_csv(person_id: UUID) -> str:
    """The holdings as CSV; connected systems included."""
    return copy_of(person_id).as_csv()


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
    values = ports.register().needles_of(person_id, "security", by="rights")
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
    return [_erasure(row) for row in Erasure.objects.order_by("-started_at")[:limit]]


def erasure(order_id: UUID) -> ErasureItem | None:
    """One erasure, for whoever holds the address of its page."""
    row = Erasure.objects.filter(pk=order_id).first()
    return _erasure(row) if row else None


def _erasure(row: Erasure) -> ErasureItem:
    at = _STAGES.index(row.state)
    return ErasureItem(
        row.id, row.state, row.by, row.started_at, row.finished_at, sum(row.counts.values()), row.evidence_index,
        _open_places(row), tuple(each["system"] for each in row.elsewhere if each["state"] != "verified"),
        tuple((step, at >= _STAGES.index(behind)) for step, behind in _STEPS),
    )  # fmt: skip


_State = Erasure.State
_STAGES: list[str] = [
    _State.PLANNED, _State.KEY_DESTROYED, _State.ROWS_ERASED, _State.SHREDDED, _State.ELSEWHERE, _State.VERIFIED, _State.RESIDUE,
    _State.CLEAN, _State.DONE,
]  # fmt: skip
_STEPS = (
    ("key", _State.KEY_DESTROYED), ("rows", _State.ROWS_ERASED), ("log", _State.SHREDDED), ("systems", _State.VERIFIED),
    ("search", _State.CLEAN), ("proof", _State.DONE),
)  # fmt: skip


def open_erasures() -> int:
    """Erasures that were ordered and are not proved yet."""
    return Erasure.objects.exclude(state=Erasure.State.DONE).count()


def _open_places(row: Erasure) -> tuple[str, ...]:
    return tuple(sorted({each["where"] for each in row.residue if not each["exemption"]}))
