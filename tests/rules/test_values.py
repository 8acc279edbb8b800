"""Values read as a native would write them; CLDR is the judge."""

from datetime import date

import pytest
from babel import Locale
from babel.dates import format_date
from babel.lists import format_list
from babel.units import format_unit

from lofte.rules.catalogue import LOCALES, room_words
from lofte.rules.values import country, day, joined, month, period

UNITS = {"Y": "year", "M": "month", "W": "week", "D": "day"}
TIMES = {"H": "hour", "M": "minute", "S": "second"}


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("n", [1, 2, 21, 24, 180])
def test_periods_agree_with_cldr(locale: str, n: int) -> None:
    tag = locale.replace("-", "_")
    for unit, name in UNITS.items():
        if (locale, unit) in (("sv", "D"), ("nb", "D")):
            continue  # CLDR says "dygn" and "døgn"; statutes and people count a deadline in "dagar" and "dager"
        assert period(locale, f"P{n}{unit}") == format_unit(n, f"duration-{name}", "long", locale=tag)
    for unit, name in TIMES.items():
        assert period(locale, f"PT{n}{unit}") == format_unit(n, f"duration-{name}", "long", locale=tag)


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("items", [["a"], ["a", "b"], ["a", "b", "c"], ["a", "b", "c", "d"]])
def test_lists_agree_with_cldr(locale: str, items: list[str]) -> None:
    assert joined(locale, items) == format_list(items, locale=locale.replace("-", "_"))


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("number", range(1, 13))
def test_days_and_months_agree_with_cldr(locale: str, number: int) -> None:
    at, tag = date(2023, number, 5), locale.replace("-", "_")

    assert day(locale, at) == format_date(at, "long", tag)
    assert month(locale, f"2023-{number:02}") == format_date(at, "LLLL y", tag)


@pytest.mark.parametrize("locale", LOCALES)
def test_countries_agree_with_cldr(locale: str) -> None:
    territories = Locale.parse(locale, sep="-").territories
    assert {code: territories[code] for code in room_words(locale, "countries")} == dict(
        room_words(locale, "countries")
    )


def test_mixed_periods_are_lists() -> None:
    assert period("sv", "P3Y6M") == "3 år och 6 månader"
    assert period("fi", "session") == "kunnes selain suljetaan"


def test_norway_is_a_country() -> None:
    assert country("sv", "NO") == "Norge"


def test_scandinavian_deadlines_are_counted_in_days() -> None:
    assert (period("sv", "P1D"), period("sv", "P30D")) == ("1 dag", "30 dagar")
    assert (period("nb", "P1D"), period("nb", "P30D")) == ("1 dag", "30 dager")
