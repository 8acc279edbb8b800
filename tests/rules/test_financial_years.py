"""To which financial year a record belongs, and what the laws of the markets count from it."""

from datetime import date

import pytest

from lofte.rules.floors import RECORD_KINDS, covers, fiscal_year_of, floor_of, record_of
from lofte.rules.packs import law_pack, laws

TODAY = date(2026, 11, 22)


@pytest.mark.parametrize(
    ("day", "ends", "wanted"),
    [
        (date(2026, 3, 1), "12-31", date(2026, 12, 31)),
        (date(2026, 12, 31), "12-31", date(2026, 12, 31)),
        (date(2026, 7, 1), "06-30", date(2027, 6, 30)),
        (date(2026, 6, 30), "06-30", date(2026, 6, 30)),
        (date(2027, 3, 1), "02-28", date(2028, 2, 29)),
        (date(2028, 2, 29), "02-28", date(2028, 2, 29)),
        (date(2028, 2, 28), "02-28", date(2028, 2, 29)),
        (date(2028, 3, 1), "02-28", date(2029, 2, 28)),
    ],
)
def test_a_day_belongs_to_the_financial_year_that_holds_it(day, ends, wanted):
    assert fiscal_year_of(day, ends) == wanted


@pytest.mark.parametrize(
    ("law", "through"),
    [
        ("SE", date(2033, 12, 31)), ("NO", date(2031, 12, 31)), ("FI", date(2032, 12, 31)), ("GB", date(2032, 12, 31)),
        ("US-CO", date(2030, 4, 15)),
    ],
)  # fmt: skip
def test_a_voucher_of_2026_is_kept_as_long_as_each_law_says(law, through):
    found = floor_of(law_pack(law), record_of("voucher", date(2026, 2, 3), "12-31"), TODAY)

    assert found is not None
    assert found.keep_through == through
    assert found.citation


@pytest.mark.parametrize("kind", sorted(RECORD_KINDS))
def test_every_kind_of_record_has_a_day_to_count_from_wherever_a_law_keeps_it(kind):
    for law in laws():
        pack = law_pack(law)
        found = floor_of(pack, record_of(kind, date(2026, 2, 28), "12-31"), TODAY)
        assert (found is not None) == covers(pack, kind)
