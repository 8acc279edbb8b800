"""May data leave for that country and recipient? By decision, listing and instrument, from the law packs. Unknown denies.

`packs.transfer_ground` answers for a policy as it is written; here one transfer is judged by what is on file about the recipient.
Worked cases: tests/rules/cases/transfers.yaml.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from types import MappingProxyType
from typing import Any

from lofte.kernel.problems import Problem
from lofte.rules.model import TransferTool
from lofte.rules.packs import LawPack, free_area, is_row_in_force, normal_country, shared, value_at
from lofte.rules.ruling import Note, Ruling


@dataclass(frozen=True, slots=True)
class Listing:
    """Proof that a recipient stood on the Data Privacy Framework list: seen on ``seen_on``, valid through ``valid_to``.

    ``covers_hr`` is for employment data; ``uk_extension_to`` is the last day of the UK Extension, None without one.
    """

    seen_on: date
    valid_to: date
    covers_hr: bool = False
    uk_extension_from: date | None = None
    uk_extension_to: date | None = None

    def holds(self, on: date) -> bool:
        return self.seen_on <= on <= self.valid_to

    def extends_to_uk(self, on: date) -> bool:
        first, last = self.uk_extension_from or self.seen_on, self.uk_extension_to
        return last is not None and first <= on <= last


@dataclass(frozen=True, slots=True)
class Instrument:
    """Clauses, rules or a derogation on file. ``assessed`` is the day of the assessment, ``valid_to`` the last day if any.

    A derogation carries one case: its ``reason``, and whether it was ``used`` already.
    """

    tool: TransferTool
    signed: date
    assessed: date | None = None
    valid_to: date | None = None
    reason: str = ""
    used: bool = False

    def holds(self, on: date) -> bool:
        return self.signed <= on and (self.valid_to is None or on <= self.valid_to)


@dataclass(frozen=True, slots=True)
class Shipment:
    """One transfer: to whom, what, and what is on file.

    ``facts`` are what a decision's scope asks: ``subject_to`` (PIPEDA, PIPA, LGPD), ``kind``, ``sector``, ``purpose``,
    ``processing``; ``organisation`` is an international one, which no country's decision covers.
    ``confirmed`` names decisions whose standing here counsel has confirmed in writing.
    """

    country: str
    facts: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    is_hr: bool = False
    is_bulk_sensitive: bool = False
    listing: Listing | None = None
    instruments: Sequence[Instrument] = ()
    confirmed: frozenset[str] = frozenset()


def may_send(pack: LawPack, shipment: Shipment, on: date, ended: Mapping[str, date] = MappingProxyType({})) -> Ruling:
    """Whether the data may leave on this day, and by which decision or instrument.

    ``ended`` is the kill-switch: decisions (``(EU) 2023/1795``) with the first day on which they are no longer relied on.
    Sources: GDPR 44-49; UK GDPR 44A-49; decisions in packs/transfers.yaml. Raises Problem for a kill-switch of a decision nobody
    knows: it would switch off nothing.
    """
    _refuse_unknown(ended)
    # GDPR 44 treats an international organisation as a third country, wherever its office stands.
    organisation = shipment.facts.get("organisation", "")
    country = _ORGANISATIONS.get(organisation, organisation) or normal_country(shipment.country)
    area = free_area(pack)
    if area is None:
        law = value_at(pack, "base_law", on)
        return Ruling(True, "no_limit", "transfers.no_limit", law.citation, _bulk(pack, shipment, country))
    if country in area:
        return _free(pack)
    rows = [row for row in _decisions(pack, country) if is_row_in_force(row, on)]
    met = [row for row in rows if _lacks(row, shipment, on, ended) == ""]
    if met:
        reason = "transfers.listed" if met[0].get("listed") else "transfers.adequate"
        return Ruling(True, met[0]["decision"], reason, met[0]["citation"], _notes(met[0]))
    by_instrument = _instrument(pack, shipment, on)
    if by_instrument is not None:
        return by_instrument
    lacking = next((_lacks(row, shipment, on, ended) for row in rows), "no_decision")
    notes = tuple(Note("review", {"citation": row["decision"]}) for row in rows if row.get("review"))
    citation = shared("transfers")["default"].get(pack.regime, "")
    return Ruling(False, "default", f"transfers.{lacking}", citation, notes)


_ORGANISATIONS = {"European Patent Organisation": "EPO"}


def _refuse_unknown(ended: Mapping[str, date]) -> None:
    rows = shared("transfers")
    unknown = sorted(set(ended) - {row["decision"] for row in [*rows["adequacy"], *rows["dpf"]]})
    if unknown:
        raise Problem(
            "law.unknown-decision", f"no decision {unknown[0]}", expected="a decision of packs/transfers.yaml"
        )


def _free(pack: LawPack) -> Ruling:
    row = shared("transfers")["free_by"][pack.regime]
    return Ruling(True, "free", "transfers.free", row["citation"], _notes(row))


def _decisions(pack: LawPack, country: str) -> list[Mapping[str, Any]]:
    rows = shared("transfers")
    listed = [row | {"listed": True} for row in rows["dpf"]]
    return [row for row in [*rows["adequacy"], *listed] if row["country"] == country and pack.regime in row["regimes"]]


def _lacks(row: Mapping[str, Any], shipment: Shipment, on: date, ended: Mapping[str, date]) -> str:
    """What keeps a decision from covering this transfer, empty when it does."""
    stop = ended.get(row["decision"]) or row.get("kill_switch")
    if stop is not None and on >= stop:
        return "switched_off"
    if row.get("review") and row["decision"] not in shipment.confirmed:
        return "not_confirmed"
    if any(shipment.facts.get(name) != wanted for name, wanted in row.get("requires", {}).items()):
        return "outside_scope"
    if any(shipment.facts.get(name) in barred for name, barred in row.get("excludes", {}).items()):
        return "outside_scope"
    return _lacks_listing(row, shipment, on) if row.get("listed") else ""


def _lacks_listing(row: Mapping[str, Any], shipment: Shipment, on: date) -> str:
    listing = shipment.listing
    if listing is None:
        return "not_listed"
    if not listing.holds(on):
        return "listing_lapsed"
    if shipment.is_hr and not listing.covers_hr:
        return "listing_without_hr"
    return "no_uk_extension" if row.get("uk_extension") and not listing.extends_to_uk(on) else ""


def _instrument(pack: LawPack, shipment: Shipment, on: date) -> Ruling | None:
    for row in shared("transfers")["instruments"]:
        if pack.regime not in row["regimes"] or not is_row_in_force(row, on):
            continue
        for held in shipment.instruments:
            if held.tool == row["tool"] and held.holds(on) and _is_proved(row, held, on):
                return Ruling(True, held.tool.value, f"transfers.by_{held.tool.value}", row["citation"], _notes(row))
    return None


def _is_proved(row: Mapping[str, Any], held: Instrument, on: date) -> bool:
    """An assessment made by this day where one is asked for; a derogation with its reason, and once only (GDPR 49)."""
    if held.tool is TransferTool.DEROGATION:
        return bool(held.reason) and not held.used
    return not row["assessed"] or (held.assessed is not None and held.assessed <= on)


def _bulk(pack: LawPack, shipment: Shipment, country: str) -> tuple[Note, ...]:
    rule = shared("transfers")["countries_of_concern"]
    warned = pack.regime in rule["regimes"] and shipment.is_bulk_sensitive and country in rule["countries"]
    return (Note("country_of_concern", {"citation": rule["citation"]}),) if warned else ()


def _notes(row: Mapping[str, Any]) -> tuple[Note, ...]:
    key = {"unverified": "not_verified", "secondary": "check_before_relying"}.get(row["status"])
    if key is None and "unverified" in row.get("weaker", {}).values():
        key = "partly_not_verified"
    return (Note(key, {"citation": row["citation"]}),) if key else ()
