"""How long a statute keeps a record that somebody asks to erase, and how long proof of a consent may be kept.

A floor protects only the record class it names: everything else about the person goes as usual (GDPR 17(3)(b), 18, 5(1)(c)).
Worked cases: tests/rules/cases/floors.yaml.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from lofte.kernel.problems import Problem
from lofte.rules.clocks import add_period
from lofte.rules.packs import LawPack, LawValue, find_value, value_at, values_at
from lofte.rules.ruling import Note, notes_of

_DAY = timedelta(days=1)
_MONTH_END_ANCHORS = ("fiscal_year_end", "calendar_year_end_of_fiscal_end", "tax_period_end")

RECORD_KINDS = frozenset(
    {
        "voucher", "ledger", "financial_statement", "contract", "correspondence", "delivery_note", "price_list",
        "payroll_record", "auditor_letter", "real_estate_vat", "vat_record", "resale_invoice", "request_log",
    }
)  # fmt: skip
"""What a record can be that a floor may protect."""

UNPROTECTED_KINDS = frozenset({"profile", "marketing", "free_text"})
"""What no accounting law ever keeps, wherever it stands beside a record."""


@dataclass(frozen=True, slots=True)
class Record:
    """A record somebody asks to erase, with the days its periods may count from.

    ``company`` (GB) is ``private_company`` or ``public_company``, empty when unknown: the longer period then holds.
    ``transferred`` is when its content was moved safely to another medium: this is the original left behind.
    """

    kind: str
    fiscal_year_end: date | None = None
    made: date | None = None
    tax_period_end: date | None = None
    tax_due: date | None = None
    tax_paid: date | None = None
    company: str = ""
    tax_enquiry_open: bool = False
    transferred: date | None = None


@dataclass(frozen=True, slots=True)
class Floor:
    """A record must be kept through a day, inclusive; None while it waits for an event (``waits_for``) that has no day."""

    record_class: str
    keep_through: date | None
    waits_for: str
    citation: str
    notes: tuple[Note, ...] = ()

    def holds(self, on: date) -> bool:
        return self.keep_through is None or on <= self.keep_through


def floor_of(pack: LawPack, record: Record, at: date) -> Floor | None:
    """The floor that keeps a record, by the law in force on a day; of several the latest. None: nothing keeps it.

    Sources: BFL 7:2 (SE), bokføringsloven 13 (NO), KPL 2:10 (FI), CA 2006 s.388 and FA 1998 Sch 18 (GB), 26 CFR 31.6001-1 (US).

    Raises Problem when the record is of a kind nobody declared, or lacks the day its period counts from: erasing on a
    guess would break the statute, and keeping on a guess would break the promise.
    """
    if record.kind in UNPROTECTED_KINDS:
        return None
    if record.kind not in RECORD_KINDS:
        raise _unusable(f"{record.kind!r} is no kind of record", "one of " + ", ".join(sorted(RECORD_KINDS)))
    if record.transferred is not None and _may_drop_original(pack, record.transferred, at):
        return None
    _refuse_the_past(pack, record.kind, at)
    rows = [row for row in values_at(pack, "floor.", at) if record.kind in row.value["covers"] and _is_of(row, record)]
    found = [_floor(row, record) for row in rows]
    return max(found, key=lambda floor: floor.keep_through or date.max, default=None)


def covers(pack: LawPack, kind: str) -> bool:
    """Whether some statute of the jurisdiction keeps records of this kind."""
    return any(
        kind in row.value["covers"] for topic, rows in pack.topics.items() if topic.startswith("floor.") for row in rows
    )


def record_of(kind: str, made: date, fiscal_year_end: str) -> Record:
    """A record by the day it was made and the day (MM-DD) its company's financial years end.

    Where the law counts from the tax it belongs to, that of its financial year: due, where no better day is known, three months
    and a half after the year's end.
    """
    end = fiscal_year_of(made, fiscal_year_end)
    return Record(kind, fiscal_year_end=end, made=made, tax_period_end=end, tax_due=add_period(end, "P3M15D"))


def fiscal_year_of(day: date, ends: str) -> date:
    """The last day of the financial year a day belongs to; the years end on MM-DD."""
    end = date.fromisoformat(f"{day.year}-{ends}")
    if (day.month, day.day) > (end.month, end.day) and not _is_leap_end(day, end):
        end = date.fromisoformat(f"{day.year + 1}-{ends}")
    return _leap_end(end)


def _is_leap_end(day: date, end: date) -> bool:
    return day == _leap_end(end)


def _leap_end(end: date) -> date:
    """A year that ends with February ends on its last day, in leap years too."""
    return end + _DAY if (end.month, end.day) == (2, 28) and (end + _DAY).month == 2 else end


def erase_from(floor: Floor | None, at: date) -> date | None:
    """The first day a record may be erased: today without a floor, None while no day is known."""
    if floor is None:
        return at
    return None if floor.keep_through is None else max(at, floor.keep_through + _DAY)


def proof_ceiling(pack: LawPack, ended: date, at: date) -> Floor:
    """The last day proof of a consent may be kept after it ended. A ceiling, not a duty: restricted and minimal.

    Where a length is not verified the shorter one is used. Sources: GDPR 7(1), 17(3)(e); the limitation acts in the packs.
    """
    row = value_at(pack, "consent_proof_ceiling", at)
    return Floor("consent_proof", add_period(ended, row.value["add"]), "", row.citation, notes_of([row]))


def backups_may_wait(pack: LawPack, at: date) -> bool:
    """Whether a copy in a backup may wait until it is restored or next used. Source: 4 CCR 904-3 Rule 4.06(C)."""
    return find_value(pack, "erasure_in_backups", at) is not None


def kept_through(anchor: date, period: str, kind: str) -> date:
    """The last day of a period. An anchor that ends its month gives a day that ends its month; weekends move nothing.

    30 June and three years six months is 31 December, not 30 December.
    """
    end = add_period(anchor, period)
    if kind in _MONTH_END_ANCHORS and (anchor + _DAY).day == 1:
        return add_period(end.replace(day=1), "P1M") - _DAY
    return end


def _refuse_the_past(pack: LawPack, kind: str, at: date) -> None:
    """Before the wording the pack knows there was another: silence about it must not erase what that one kept."""
    for topic, rows in pack.topics.items():
        if topic.startswith("floor.") and kind in rows[0].value["covers"]:
            first = rows[0].valid_from
            if first is not None and at < first <= rows[0].checked_on:
                value_at(pack, topic, at)


def _floor(row: LawValue, record: Record) -> Floor:
    value = row.value
    notes = notes_of([row])
    if record.tax_enquiry_open and value.get("longer_while") == "tax_enquiry_open":
        return Floor(value["class"], None, "tax_enquiry_closed", row.citation, notes)
    through = kept_through(_anchor(value["anchor"], record, row), value["add"], value["anchor"])
    return Floor(value["class"], through, "", row.citation, notes)


def _is_of(row: LawValue, record: Record) -> bool:
    company = row.value.get("of")
    return company is None or not record.company or record.company == company


def _may_drop_original(pack: LawPack, transferred: date, at: date) -> bool:
    return transferred <= at and find_value(pack, "replaced_originals", transferred) is not None


def _anchor(name: str, record: Record, row: LawValue) -> date:
    known: Mapping[str, Sequence[date | None]] = {
        "fiscal_year_end": [record.fiscal_year_end],
        "calendar_year_end_of_fiscal_end": [record.fiscal_year_end],
        "record_made": [record.made],
        "tax_period_end": [record.tax_period_end],
        "tax_due_or_paid": [record.tax_due, record.tax_paid],
    }
    days = [day for day in known[name] if day is not None]
    if not days:
        detail = f"the {row.value['class']} record has no day to count from"
        raise _unusable(detail, f"the day for {name}", row.citation)
    return max(days).replace(month=12, day=31) if name == "calendar_year_end_of_fiscal_end" else max(days)


def _unusable(detail: str, expected: str, law: str = "") -> Problem:
    return Problem("law.unusable-record", detail, expected=expected, law=law)
