"""Statutory floors as arithmetic, and what they must never do: protect too much, erase on a guess."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lofte.kernel.problems import Problem
from lofte.rules.catalogue import LOCALES
from lofte.rules.clocks import add_period
from lofte.rules.floors import (
    RECORD_KINDS,
    UNPROTECTED_KINDS,
    Record,
    erase_from,
    floor_of,
    kept_through,
    proof_ceiling,
)
from lofte.rules.packs import law_pack, laws, values_at

TODAY = date(2026, 11, 22)
DAYS = st.dates(date(2017, 1, 1), date(2080, 12, 31))
ALL_ANCHORS = ("fiscal_year_end", "made", "tax_period_end", "tax_due", "tax_paid")


def whole(kind: str, day: date) -> Record:
    return Record(kind, **dict.fromkeys(ALL_ANCHORS, day))


@pytest.mark.parametrize(
    "anchor, period, kind, through",
    [
        ("2023-06-30", "P3Y6M", "fiscal_year_end", "2026-12-31"),
        ("2023-06-29", "P3Y6M", "fiscal_year_end", "2026-12-29"),
        ("2024-02-29", "P5Y", "fiscal_year_end", "2029-02-28"),
        ("2023-02-28", "P5Y", "fiscal_year_end", "2028-02-29"),
        ("2024-02-28", "P5Y", "fiscal_year_end", "2029-02-28"),
        ("2023-02-28", "P5Y", "record_made", "2028-02-28"),
        ("2024-02-29", "P3Y", "record_made", "2027-02-28"),
        ("2024-12-31", "P6Y", "tax_period_end", "2030-12-31"),
    ],
)
def test_the_end_of_a_month_stays_the_end_of_a_month_for_a_year_and_not_for_a_record(
    anchor: str, period: str, kind: str, through: str
) -> None:
    assert kept_through(date.fromisoformat(anchor), period, kind) == date.fromisoformat(through)


@given(st.sampled_from(laws()), st.sampled_from(sorted(RECORD_KINDS)), DAYS)
def test_a_floor_is_never_shorter_than_its_period_and_is_of_a_class_that_covers_the_record(
    law: str, kind: str, day: date
) -> None:
    pack = law_pack(law)
    rows = [row.value for row in values_at(pack, "floor.", TODAY) if kind in row.value["covers"]]
    floor = floor_of(pack, whole(kind, day), TODAY)

    assert (floor is None) is (not rows)
    if floor is not None and floor.keep_through is not None:
        assert floor.record_class in [row["class"] for row in rows]
        assert floor.keep_through >= max(add_period(day, row["add"]) for row in rows)
        assert floor.holds(floor.keep_through)
        assert not floor.holds(floor.keep_through + timedelta(days=1))


@given(st.sampled_from(laws()), st.sampled_from(sorted(RECORD_KINDS)), DAYS)
def test_a_later_year_is_never_free_earlier(law: str, kind: str, day: date) -> None:
    first, second = (floor_of(law_pack(law), whole(kind, each), TODAY) for each in (day, day + timedelta(days=1)))

    if first is not None and second is not None and first.keep_through and second.keep_through:
        assert first.keep_through <= second.keep_through


@pytest.mark.parametrize("law", laws())
@pytest.mark.parametrize("kind", sorted(UNPROTECTED_KINDS))
def test_nothing_about_the_person_beside_the_record_is_protected(law: str, kind: str) -> None:
    assert floor_of(law_pack(law), whole(kind, TODAY), TODAY) is None


@pytest.mark.parametrize("law", laws())
def test_every_kind_a_pack_covers_is_one_a_record_can_be(law: str) -> None:
    covered = {kind for row in values_at(law_pack(law), "floor.", TODAY) for kind in row.value["covers"]}

    assert covered <= RECORD_KINDS


def test_a_record_without_its_day_or_of_no_known_kind_is_a_problem_and_not_a_guess() -> None:
    with pytest.raises(Problem, match="the day for fiscal_year_end"):
        floor_of(law_pack("NO"), Record("voucher", made=TODAY), TODAY)
    with pytest.raises(Problem, match="no kind of record"):
        floor_of(law_pack("NO"), Record("vouchr", fiscal_year_end=TODAY), TODAY)


def test_a_day_before_the_wording_the_pack_knows_is_a_problem_and_frees_nothing() -> None:
    with pytest.raises(Problem, match="not yet in force"):
        floor_of(law_pack("SE"), Record("voucher", fiscal_year_end=date(2020, 12, 31)), date(2024, 6, 30))


def test_a_company_of_unknown_form_keeps_as_long_as_a_public_one_and_says_that_this_is_not_verified() -> None:
    made, period = date(2024, 2, 10), date(2020, 12, 31)
    unknown, private, public = (
        floor_of(law_pack("GB"), Record("voucher", made=made, tax_period_end=period, company=form), TODAY)
        for form in ("", "private_company", "public_company")
    )

    assert unknown == public
    assert (private and private.keep_through) == date(2027, 2, 10)
    assert (public and public.keep_through) == date(2030, 2, 10)
    assert [note.key for note in (public.notes if public else ())] == ["not_verified"]


def test_only_sweden_lets_an_original_go_once_it_was_moved_and_not_before() -> None:
    def floor(law: str, transferred: date, at: date) -> object:
        return floor_of(
            law_pack(law), Record("voucher", fiscal_year_end=date(2025, 12, 31), transferred=transferred), at
        )

    assert floor("SE", TODAY, TODAY) is None
    assert floor("SE", TODAY + timedelta(days=1), TODAY) is not None
    assert floor("SE", date(2024, 6, 30), TODAY) is not None
    assert floor("FI", TODAY, TODAY) is not None


def test_erasure_begins_the_day_after() -> None:
    floor = floor_of(law_pack("SE"), Record("voucher", fiscal_year_end=date(2025, 12, 31)), TODAY)
    waiting = floor_of(law_pack("GB"), Record("ledger", made=TODAY, tax_period_end=TODAY, tax_enquiry_open=True), TODAY)

    assert erase_from(floor, TODAY) == date(2033, 1, 1)
    assert erase_from(floor, date(2040, 1, 1)) == date(2040, 1, 1)
    assert erase_from(None, TODAY) == TODAY
    assert erase_from(waiting, TODAY) is None


@pytest.mark.parametrize(
    "law, through, notes",
    [
        ("SE", "2036-05-01", []),
        ("FI", "2036-05-01", []),
        ("NO", "2029-05-01", ["partly_not_verified"]),
        ("GB", "2032-05-01", ["partly_not_verified"]),
        ("US-CO", "2028-05-01", ["not_verified"]),
    ],
)
def test_proof_of_a_consent_has_a_ceiling_in_every_market(law: str, through: str, notes: list[str]) -> None:
    ceiling = proof_ceiling(law_pack(law), date(2026, 5, 1), TODAY)

    assert ceiling.keep_through == date.fromisoformat(through)
    assert [note.key for note in ceiling.notes] == notes
    assert all(note.said(locale) for note in ceiling.notes for locale in LOCALES)
