"""The worked cases of the law, one row a case: tests/rules/cases/*.yaml. A case is named by its number there."""

from collections.abc import Mapping
from datetime import date, datetime, time
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from ruamel.yaml import YAML

from lofte.rules.catalogue import LOCALES
from lofte.rules.deadlines import (
    Deadline,
    Received,
    Wait,
    acknowledge_by,
    appeal_deadline,
    breach_notices,
    rights_deadline,
)
from lofte.rules.devices import Sharing, Storage, Use, may_store
from lofte.rules.floors import Record, backups_may_wait, floor_of, proof_ceiling
from lofte.rules.marketing import Approach, Channel, Who, may_approach, stop_by
from lofte.rules.model import TransferTool
from lofte.rules.packs import LawPack, law_pack, normal_country
from lofte.rules.ruling import Ruling
from lofte.rules.transfers import Instrument, Listing, Shipment, may_send

CASES = Path(__file__).parent / "cases"
TODAY = date(2026, 11, 22)
WEDNESDAY_NOON = datetime(2026, 11, 18, 12, tzinfo=ZoneInfo("UTC"))


def rows(name: str) -> list[Any]:
    found = YAML(typ="safe", pure=True).load((CASES / f"{name}.yaml").read_text(encoding="utf-8"))
    return [pytest.param(row, id=row["id"]) for row in found]


def noon(day: date | str, pack: LawPack) -> datetime:
    if isinstance(day, str):
        return datetime.fromisoformat(day)
    return datetime.combine(day, time(12), ZoneInfo(pack.zone))


def test_every_case_of_the_reference_is_here() -> None:
    numbers = {name: [row.values[0]["id"] for row in rows(name)] for name in ("deadlines", "floors", "marketing")}
    numbers |= {name: [row.values[0]["id"] for row in rows(name)] for name in ("transfers", "devices")}

    assert numbers == {
        "deadlines": [f"D{n:02}" for n in range(1, 23)],
        "floors": [f"A{n:02}" for n in range(1, 14)],
        "marketing": [f"M{n:02}" for n in range(1, 23)],
        "transfers": [f"T{n:02}" for n in range(1, 17)],
        "devices": [f"C{n:02}" for n in range(1, 18)],
    }


@pytest.mark.parametrize("case", rows("deadlines"))
def test_deadlines(case: Mapping[str, Any]) -> None:
    pack = law_pack(case["law"])
    received = noon(case["received"], pack)
    if case["duty"] == "breach":
        notices = breach_notices(pack, received, case.get("residents"))
        told = {each.to: each.instant or each.day for each in notices}

        assert told == {
            to: datetime.fromisoformat(by) if isinstance(by, str) else by for to, by in case["told"].items()
        }
        assert all(case["citation"] in each.citation for each in notices)
        return
    if case["duty"] == "stop":
        assert stop_by(pack, Channel(case["channel"]), received) == case["due"]
        return
    found = _deadline(case, pack, received)
    if case["due"] is None:
        assert found is None
        return
    assert found is not None
    wanted = {key: case[key] for key in ("due", "aim_by", "notice_by", "extended_due", "may_be") if key in case}
    assert {key: getattr(found, key) for key in wanted} == wanted
    assert case["citation"] in found.citation
    assert case.get("note") in [None, *(note.key for note in found.notes)]


def _deadline(case: Mapping[str, Any], pack: LawPack, received: datetime) -> Deadline | None:
    match case["duty"]:
        case "appeal":
            return appeal_deadline(pack, received)
        case "acknowledge":
            return acknowledge_by(pack, received)
        case _:
            waits = [Wait(noon(first, pack), noon(last, pack)) for first, last in case.get("clarifications", [])]
            return rights_deadline(pack, Received(received, clarifications=waits), received)


@pytest.mark.parametrize("case", rows("floors"))
def test_accounting_minimum_against_erasure(case: Mapping[str, Any]) -> None:
    pack = law_pack(case["law"])
    for row in case["records"]:
        given = {key: value for key, value in row.items() if key not in ("keep_through", "waits_for")}
        floor = floor_of(pack, Record(**given), case["at"])
        waits = row.get("waits_for", "")

        assert (floor.keep_through if floor else None, floor.waits_for if floor else "") == (row["keep_through"], waits)
        assert bool(floor) is bool(row["keep_through"] or waits)
    for kind in case.get("unprotected", []):
        assert floor_of(pack, Record(kind, fiscal_year_end=date(2025, 12, 31)), case["at"]) is None
    assert backups_may_wait(pack, case["at"]) is case.get("backups_may_wait", case["law"] == "US-CO")
    if "proof_through" in case:
        ceiling = proof_ceiling(pack, case["proof_of_consent_ended"], case["at"])
        assert ceiling.keep_through == case["proof_through"]


@pytest.mark.parametrize("case", rows("marketing"))
def test_marketing(case: Mapping[str, Any]) -> None:
    given = case["given"] | {"channel": Channel(case["given"]["channel"]), "who": Who(case["given"]["who"])}
    at = datetime.fromisoformat(case["at"]) if "at" in case else WEDNESDAY_NOON
    for law in case["laws"]:
        _is_as_expected(may_approach(law_pack(law), Approach(**given), at), case, "marketing")


@pytest.mark.parametrize("case", rows("transfers"))
def test_transfers(case: Mapping[str, Any]) -> None:
    listing = Listing(*case["listing"]) if "listing" in case else None
    scc = [Instrument(TransferTool.SCC, case["scc"], assessed=case["scc"])] if "scc" in case else []
    shipment = Shipment(
        case["country"], case.get("facts", {}), is_hr=case.get("is_hr", False), listing=listing, instruments=scc
    )

    ruling = may_send(law_pack(case["law"]), shipment, case["at"], case.get("ended", {}))

    _is_as_expected(ruling, case, "transfers")
    assert normal_country(case["country"]) == case.get("stored_as", case["country"])
    assert case.get("note") in [None, *(note.key for note in ruling.notes)]


@pytest.mark.parametrize("case", rows("devices"))
def test_storage_before_any_choice(case: Mapping[str, Any]) -> None:
    given = case["given"] | {"use": Use(case["given"]["use"])}
    if "sharing" in given:
        given["sharing"] = Sharing(given["sharing"])

    _is_as_expected(may_store(law_pack(case["law"]), Storage(**given), case["at"]), case, "devices")


def _is_as_expected(ruling: Ruling, case: Mapping[str, Any], room: str) -> None:
    assert ruling.allowed is case["allowed"], ruling
    assert ruling.by.startswith(case.get("by", ruling.by)), ruling
    assert ruling.reason == f"{room}.{case['reason']}" if "reason" in case else ruling.allowed
    assert ruling.citation
    for locale in LOCALES:
        assert ruling.said(locale)
        assert all(note.said(locale) for note in ruling.notes)
