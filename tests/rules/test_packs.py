"""Law packs: every value dated and cited, and the right one picked on the right day."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from lofte.kernel.problems import Problem
from lofte.rules.catalogue import LOCALES
from lofte.rules.model import TransferTool
from lofte.rules.packs import (
    NEEDED_TOPICS,
    LawValue,
    eea,
    find_value,
    free_area,
    law_pack,
    laws,
    normal_country,
    notice_items,
    notice_stems,
    spoken,
    transfer_ground,
    value_at,
    values_at,
)
from lofte.rules.ruling import notes_of

TODAY = date(2026, 11, 22)
STATUSES = ("primary-read", "official-page", "secondary", "unverified")
REFERENCE = YAML(typ="safe", pure=True).load((Path(__file__).parent / "cases/values.yaml").read_text(encoding="utf-8"))


def titled(law: str, title: str) -> list[LawValue]:
    return [row for rows in law_pack(law).topics.values() for row in rows if row.title == title]


@pytest.mark.parametrize("value", [pytest.param(row, id=f"{row['law']} {row['title']}") for row in REFERENCE])
def test_every_value_of_the_reference_is_in_its_pack(value: Mapping[str, Any]) -> None:
    found = titled(value["law"], value["title"])

    assert found
    assert {(row.valid_from, row.valid_to) for row in found} == {(value["valid_from"], value["valid_to"])}
    assert all(row.citation in (value["citation"], "PECR Sch A1 paras 3-7") for row in found)
    assert value["status"] in {row.status for row in found}
    assert [name for name in value["names"] if not any(name in str(row.value) for row in found)] == []


@pytest.mark.parametrize("law", laws())
def test_no_pack_holds_a_titled_value_the_reference_does_not_know(law: str) -> None:
    known = {row["title"] for row in REFERENCE if row["law"] == law}

    assert {row.title for rows in law_pack(law).topics.values() for row in rows} - {""} == known


def test_an_unverified_value_says_so_in_part_or_as_a_whole() -> None:
    phone = value_at(law_pack("SE"), "authority.phone", TODAY)
    proof = value_at(law_pack("NO"), "consent_proof_ceiling", TODAY)
    base = value_at(law_pack("SE"), "base_law", TODAY)

    assert (phone.is_verified, [note.key for note in notes_of([phone])]) == (False, ["not_verified"])
    assert (proof.unsure, [note.key for note in notes_of([proof])]) == (
        ("start, outer limit",),
        ["partly_not_verified"],
    )
    assert notes_of([base]) == ()
    assert [note.key for note in notes_of([value_at(law_pack("SE"), "rights_deadline", TODAY)])] == [
        "check_before_relying"
    ]


@pytest.mark.parametrize(
    "law, topic, key, safer",
    [
        ("NO", "rights_deadline", "roll", "none"),  # the earlier day
        ("NO", "consent_proof_ceiling", "add", "P3Y"),  # the shorter ceiling
        ("US-CO", "consent_proof_ceiling", "add", "P2Y"),
    ],
)
def test_what_is_not_verified_takes_the_safer_side(law: str, topic: str, key: str, safer: str) -> None:
    assert value_at(law_pack(law), topic, TODAY).value[key] == safer


def test_a_value_of_the_future_can_be_loaded_and_waits_for_its_day() -> None:
    pack = law_pack("SE")
    starts = date(2028, 1, 1)
    old = value_at(pack, "consent_age", TODAY)
    rows = (replace(old, valid_to=starts - timedelta(days=1)), replace(old, value={"years": 15}, valid_from=starts))
    future = replace(pack, topics={**pack.topics, "consent_age": rows})

    assert value_at(future, "consent_age", starts - timedelta(days=1)).value["years"] == 13
    assert value_at(future, "consent_age", starts).value == {"years": 15}


def test_a_value_that_ran_out_is_a_problem_however_softly_one_asks() -> None:
    pack = law_pack("SE")
    ended = replace(value_at(pack, "breach", TODAY), valid_to=date(2026, 12, 31))
    expired = replace(pack, topics={**pack.topics, "breach": (ended,)})

    for asked in (value_at, find_value, values_at):
        with pytest.raises(Problem, match="ended on 2026-12-31"):
            asked(expired, "breach", date(2027, 1, 1))


def test_an_abolished_rule_is_no_rule_and_one_of_the_future_is_none_yet() -> None:
    pack = law_pack("US-CO")
    until = date(2026, 12, 31)
    old = value_at(pack, "universal_opt_out", TODAY)
    rows = (replace(old, valid_to=until), replace(old, value=None, valid_from=until + timedelta(days=1)))
    abolished = replace(pack, topics={**pack.topics, "universal_opt_out": rows})

    assert find_value(abolished, "universal_opt_out", until) is not None
    assert find_value(abolished, "universal_opt_out", until + timedelta(days=1)) is None
    assert find_value(pack, "universal_opt_out", date(2024, 6, 30)) is None
    assert find_value(pack, "appeal_to_the_moon", TODAY) is None


def test_values_of_a_prefix_are_those_in_force() -> None:
    assert [row.value["class"] for row in values_at(law_pack("FI"), "floor.", TODAY)] == [
        "books",
        "vouchers",
        "real_estate_vat",
    ]
    assert values_at(law_pack("FI"), "floor.", date(2015, 12, 31)) == values_at(law_pack("FI"), "floor.real", TODAY)


def test_five_jurisdictions_have_a_pack() -> None:
    assert laws() == ["FI", "GB", "NO", "SE", "US-CO"]


@pytest.mark.parametrize("law", laws())
def test_every_value_has_its_citation_source_status_and_days(law: str) -> None:
    for topic, rows in law_pack(law).topics.items():
        for row in rows:
            assert row.citation, topic
            assert row.source, topic
            assert row.status in STATUSES, topic
            assert set(row.weaker.values()) <= set(STATUSES), topic
            assert isinstance(row.checked_on, date), topic
            assert row.valid_from is None or isinstance(row.valid_from, date), topic


@pytest.mark.parametrize("law", laws())
def test_values_of_one_topic_follow_each_other_without_gap_or_overlap(law: str) -> None:
    for topic, rows in law_pack(law).topics.items():
        for before, after in pairwise(rows):
            assert (after.valid_from - before.valid_to).days == 1, topic
        assert rows[-1].valid_to is None, topic


@pytest.mark.parametrize("law", laws())
@pytest.mark.parametrize("topic", NEEDED_TOPICS)
def test_every_pack_has_what_a_market_needs(law: str, topic: str) -> None:
    assert value_at(law_pack(law), topic, TODAY).law == law


@pytest.mark.parametrize(
    "law, topic, at, key, expected",
    [
        ("GB", "storage", date(2026, 2, 4), "also", None),
        ("GB", "storage", date(2026, 2, 5), "also", ["exempt_with_objection"]),
        ("GB", "complaints", date(2026, 6, 18), "to_controller", False),
        ("GB", "complaints", date(2026, 6, 19), "to_controller", True),
        ("GB", "rights_deadline", date(2026, 2, 4), "anchor", "request_received"),
        ("GB", "rights_deadline", date(2026, 2, 5), "anchor", "relevant_time"),
        ("NO", "storage", date(2024, 12, 31), "browser_setting_expresses_consent", True),
        ("NO", "storage", date(2025, 1, 1), "browser_setting_expresses_consent", None),
        ("US-CO", "rights_deadline", TODAY, "add", "P45D"),
    ],
)
def test_the_day_decides(law: str, topic: str, at: date, key: str, expected: object) -> None:
    assert value_at(law_pack(law), topic, at).value.get(key) == expected


def test_a_value_not_in_force_is_a_problem_and_not_a_guess() -> None:
    with pytest.raises(Problem) as refused:
        value_at(law_pack("SE"), "storage", date(2020, 1, 1))

    assert (refused.value.code, refused.value.law) == ("law.value-expired", "LEK (2022:482) 9:28, 1:8")


SCC, DPF, ADEQUACY = TransferTool.SCC, TransferTool.DPF, TransferTool.ADEQUACY


@pytest.mark.parametrize(
    "case, law, country, tool, at, allowed",
    [
        ("T01", "SE", "GB", ADEQUACY, date(2031, 12, 27), True),
        ("T02", "SE", "GB", ADEQUACY, date(2031, 12, 28), False),
        ("T03", "SE", "UK", ADEQUACY, TODAY, True),
        ("T04", "FI", "BR", ADEQUACY, date(2026, 2, 10), True),
        ("T05", "FI", "US", DPF, TODAY, True),
        ("T06", "FI", "US", SCC, TODAY, True),
        ("T07", "FI", "US", ADEQUACY, TODAY, False),
        ("T10", "SE", "CA", ADEQUACY, TODAY, True),
        ("T12", "SE", "IN", ADEQUACY, TODAY, False),
        ("T14", "GB", "US", DPF, TODAY, True),
        ("T15", "NO", "BR", ADEQUACY, TODAY, False),
    ],
)
def test_transfers_are_denied_unless_a_ground_is_in_force(
    case: str, law: str, country: str, tool: TransferTool, at: date, allowed: bool
) -> None:
    assert (transfer_ground(law_pack(law), country, tool, at) is not None) is allowed, case


def test_the_eea_is_thirty_countries_with_norway_and_without_the_united_kingdom() -> None:
    assert len(eea()) == 30
    assert eea() & {"NO", "IS", "LI", "GB", "CH"} == {"NO", "IS", "LI"}
    assert free_area(law_pack("US-CO")) is None
    assert normal_country("UK") == "GB"


@pytest.mark.parametrize("law", laws())
@pytest.mark.parametrize("locale", LOCALES)
def test_a_notice_can_be_checked_in_every_locale(law: str, locale: str) -> None:
    named = [words for item in notice_items(law_pack(law), TODAY) for words in item.words.split("+") if words]
    assert all(notice_stems(words, locale) for words in named)
    assert spoken(value_at(law_pack(law), "authority.name", TODAY).value, locale)
