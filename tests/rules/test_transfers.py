"""Transfers beyond the worked cases: nothing leaves on a guess."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lofte.kernel.problems import Problem
from lofte.rules.catalogue import LOCALES
from lofte.rules.model import TransferTool
from lofte.rules.packs import eea, law_pack, laws, shared
from lofte.rules.transfers import Instrument, Listing, Shipment, may_send

TODAY = date(2026, 11, 22)
DPF = "(EU) 2023/1795"
LISTED = Listing(date(2026, 1, 1), date(2026, 12, 31))
DECIDED = {row["country"] for row in shared("transfers")["adequacy"]}
CODES = st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ", min_size=2, max_size=2)


@given(st.sampled_from(["FI", "GB", "NO", "SE"]), CODES)
def test_a_country_nobody_decided_on_is_denied(law: str, country: str) -> None:
    ruling = may_send(law_pack(law), Shipment(country), TODAY)

    assert not ruling.allowed or country in eea() | DECIDED | {"UK", "EL"}
    assert ruling.citation
    assert all(ruling.said(locale) for locale in LOCALES)


@given(st.sampled_from(["SE", "NO", "FI"]), st.integers(-400, 400))
def test_a_listing_holds_on_its_days_and_on_no_other(law: str, days: int) -> None:
    on = date(2026, 6, 30) + timedelta(days=days)

    assert may_send(law_pack(law), Shipment("US", listing=LISTED), on).allowed is (
        LISTED.seen_on <= on <= LISTED.valid_to
    )


@pytest.mark.parametrize("country", sorted(DECIDED - {"GB", "EPO"}))
def test_a_scope_not_shown_to_be_met_is_not_met(country: str) -> None:
    rows = [row for row in shared("transfers")["adequacy"] if row["country"] == country and "eu" in row["regimes"]]
    ruling = may_send(law_pack("SE"), Shipment(country), TODAY)

    assert ruling.allowed is not any(row.get("requires") for row in rows)


@pytest.mark.parametrize(
    "country, facts, allowed",
    [
        ("KR", {"subject_to": "PIPA"}, True),
        ("KR", {"subject_to": "PIPA", "sector": "party_nomination"}, False),
        ("BR", {"subject_to": "LGPD", "purpose": "defence"}, False),
        ("JP", {"kind": "business_operator_under_APPI"}, True),
        ("IL", {"processing": "automated"}, True),
        ("DE", {"organisation": "European Patent Organisation"}, True),
        ("DE", {"organisation": "another one"}, False),
        ("GB", {"purpose": "uk_immigration_control"}, True),
    ],
)
def test_the_scope_of_a_decision(country: str, facts: dict[str, str], allowed: bool) -> None:
    assert may_send(law_pack("SE"), Shipment(country, facts), TODAY).allowed is allowed


def test_immigration_control_stood_outside_until_the_renewal() -> None:
    shipment = Shipment("GB", {"purpose": "uk_immigration_control"})

    assert not may_send(law_pack("SE"), shipment, date(2025, 12, 22)).allowed
    assert may_send(law_pack("SE"), Shipment("GB"), date(2025, 12, 22)).allowed
    assert may_send(law_pack("SE"), shipment, date(2025, 12, 23)).allowed


def test_the_uk_extension_lets_data_go_from_the_united_kingdom_only_while_it_lasts() -> None:
    extended = replace(LISTED, uk_extension_from=date(2026, 3, 1), uk_extension_to=date(2026, 11, 30))

    def allowed(on: date) -> bool:
        return may_send(law_pack("GB"), Shipment("US", listing=extended), on).allowed

    assert [allowed(date(2026, month, 15)) for month in (2, 3, 11, 12)] == [False, True, True, False]


def test_the_kill_switch_works_from_its_day_and_leaves_the_clauses() -> None:
    stop = {DPF: date(2026, 12, 1)}
    clauses = Instrument(TransferTool.SCC, date(2026, 1, 1), assessed=date(2026, 1, 1))

    assert may_send(law_pack("SE"), Shipment("US", listing=LISTED), date(2026, 11, 30), stop).allowed
    assert not may_send(law_pack("SE"), Shipment("US", listing=LISTED), date(2026, 12, 1), stop).allowed
    assert (
        may_send(law_pack("SE"), Shipment("US", listing=LISTED, instruments=[clauses]), date(2026, 12, 1), stop).by
        == "scc"
    )
    with pytest.raises(Problem, match=r"law\.unknown-decision"):
        may_send(law_pack("SE"), Shipment("US"), TODAY, {"DPF": TODAY})


def test_counsel_can_confirm_what_waits_for_review_and_nothing_else() -> None:
    brazil = Shipment("BR", {"subject_to": "LGPD"})

    assert may_send(law_pack("NO"), replace(brazil, confirmed=frozenset({"(EU) 2026/179"})), TODAY).allowed
    assert not may_send(law_pack("NO"), replace(brazil, confirmed=frozenset({DPF})), TODAY).allowed
    assert not may_send(law_pack("GB"), Shipment("CH"), TODAY).allowed
    assert may_send(law_pack("GB"), Shipment("CH", confirmed=frozenset({"DPA 2018 Sch 21"})), TODAY).allowed


@pytest.mark.parametrize(
    "held, allowed",
    [
        (Instrument(TransferTool.SCC, TODAY), False),
        (Instrument(TransferTool.SCC, TODAY, assessed=TODAY), True),
        (Instrument(TransferTool.SCC, TODAY, assessed=TODAY + timedelta(days=1)), False),
        (Instrument(TransferTool.SCC, TODAY + timedelta(days=1), assessed=TODAY), False),
        (Instrument(TransferTool.SCC, date(2026, 1, 1), assessed=date(2026, 1, 1), valid_to=date(2026, 11, 21)), False),
        (Instrument(TransferTool.BCR, TODAY, assessed=TODAY), True),
        (Instrument(TransferTool.DEROGATION, TODAY), False),
        (Instrument(TransferTool.DEROGATION, TODAY, reason="claim in court"), True),
        (Instrument(TransferTool.DEROGATION, TODAY, reason="claim in court", used=True), False),
        (Instrument(TransferTool.ADEQUACY, TODAY, assessed=TODAY), False),
    ],
)
def test_an_instrument_counts_when_it_is_signed_assessed_and_not_spent(held: Instrument, allowed: bool) -> None:
    assert may_send(law_pack("FI"), Shipment("IN", instruments=[held]), TODAY).allowed is allowed


def test_colorado_limits_nothing_and_warns_of_bulk_sensitive_data() -> None:
    ruling = may_send(law_pack("US-CO"), Shipment("CN", is_bulk_sensitive=True), TODAY)

    assert (ruling.allowed, [note.key for note in ruling.notes]) == (True, ["country_of_concern"])
    assert may_send(law_pack("US-CO"), Shipment("CN"), TODAY).notes == ()
    assert all(note.said(locale) for note in ruling.notes for locale in LOCALES)


def test_every_law_has_its_way_of_saying_no() -> None:
    assert {law: may_send(law_pack(law), Shipment("IN"), TODAY).citation for law in laws()} == {
        "FI": "GDPR 44", "GB": "UK GDPR 44A", "NO": "GDPR 44", "SE": "GDPR 44", "US-CO": "C.R.S. 6-1-1301 and following",
    }  # fmt: skip
