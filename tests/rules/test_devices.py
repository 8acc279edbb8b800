"""Storage on devices beyond the worked cases: refusal wins, Colorado's young, what only the United Kingdom exempts."""

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lofte.kernel.problems import Problem
from lofte.rules.catalogue import LOCALES
from lofte.rules.devices import Sharing, Storage, Use, may_store
from lofte.rules.packs import law_pack, laws

TODAY = date(2026, 11, 22)
NEEDED = {Use.TRANSMISSION, Use.REQUESTED_SERVICE}
STORAGES = st.builds(
    Storage,
    use=st.sampled_from(Use),
    sharing=st.sampled_from(Sharing),
    age=st.sampled_from([None, 12, 13, 17, 18]),
    **{
        flag: st.booleans()
        for flag in (
            "said_yes", "said_no", "said_yes_since", "signal", "told", "objection_offered", "browser_accepts", "requested",
            "parent_said_yes", "precise_location", "sensitive",
        )
    },
)  # fmt: skip


@given(st.sampled_from(["FI", "NO", "SE"]), STORAGES)
def test_in_the_nordic_countries_only_the_necessary_goes_without_a_yes(law: str, storage: Storage) -> None:
    ruling = may_store(law_pack(law), replace(storage, said_yes=False), TODAY)

    assert not ruling.allowed or storage.use in NEEDED


@given(st.sampled_from(laws()), STORAGES)
def test_a_no_never_turns_no_into_yes_and_stops_all_that_may_be_stopped(law: str, storage: Storage) -> None:
    refused = may_store(law_pack(law), replace(storage, said_no=True), TODAY)
    open_ = may_store(law_pack(law), replace(storage, said_no=False), TODAY)

    assert open_.allowed or not refused.allowed
    assert not refused.allowed or refused.by == "exempt" or refused.reason == "devices.no_rule_here"


@given(st.sampled_from(laws()), STORAGES)
def test_every_answer_cites_its_law_and_has_words(law: str, storage: Storage) -> None:
    ruling = may_store(law_pack(law), storage, TODAY)

    assert ruling.citation
    assert all(ruling.said(locale) and all(note.said(locale) for note in ruling.notes) for locale in LOCALES)


def test_a_service_nobody_asked_for_is_not_necessary() -> None:
    assert not may_store(law_pack("SE"), Storage(Use.REQUESTED_SERVICE, requested=False), TODAY).allowed


def test_statistics_without_word_or_way_out_need_consent_in_the_united_kingdom_too() -> None:
    told = Storage(Use.OWN_STATISTICS, told=True, objection_offered=True)

    assert may_store(law_pack("GB"), replace(told, sharing=Sharing.TO_IMPROVE), TODAY).allowed
    for lacking in (replace(told, told=False), replace(told, objection_offered=False)):
        assert not may_store(law_pack("GB"), lacking, TODAY).allowed
        assert may_store(law_pack("GB"), replace(lacking, said_yes=True), TODAY).allowed


@pytest.mark.parametrize(
    "at, age, own, parents, allowed",
    [
        (date(2025, 9, 30), 16, False, False, True),
        (date(2025, 10, 1), 16, False, False, False),
        (date(2025, 10, 1), 16, True, False, True),
        (date(2025, 10, 1), 18, False, False, True),
        (date(2025, 10, 1), 12, True, False, False),
        (date(2025, 10, 1), 12, False, True, True),
        (date(2025, 9, 30), 12, True, False, False),  # a known child's data is sensitive, whatever the day
    ],
)
def test_colorado_asks_the_young_and_the_parents_of_children(
    at: date, age: int, own: bool, parents: bool, allowed: bool
) -> None:
    ads = Storage(Use.TARGETED_ADS, age=age, said_yes=own, parent_said_yes=parents)

    assert may_store(law_pack("US-CO"), ads, at).allowed is allowed


def test_a_signal_stands_until_a_complete_request_was_answered_and_counts_from_its_day() -> None:
    seen = Storage(Use.SALE, signal=True, said_yes=True)

    assert not may_store(law_pack("US-CO"), seen, TODAY).allowed
    assert may_store(law_pack("US-CO"), replace(seen, said_yes_since=True), TODAY).allowed
    assert may_store(law_pack("US-CO"), seen, date(2024, 6, 30)).allowed


def test_the_browser_setting_counted_in_norway_until_the_end_of_2024() -> None:
    accepting = Storage(Use.OWN_STATISTICS, browser_accepts=True)

    assert may_store(law_pack("NO"), accepting, date(2024, 12, 31)).reason == "devices.browser_setting"
    assert not may_store(law_pack("NO"), accepting, date(2025, 1, 1)).allowed


def test_a_day_without_law_is_a_problem() -> None:
    with pytest.raises(Problem, match=r"law\.value-expired"):
        may_store(law_pack("SE"), Storage(Use.TRANSMISSION), date(2022, 6, 2))
