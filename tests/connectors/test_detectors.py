"""The detectors know the numbers people are told apart by, digit for digit, and leave other numbers alone."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lofte.connectors.sql import detectors
from lofte.rules import detectors as numbers

DAYS = st.integers(0, (date(2026, 1, 1) - date(1900, 1, 1)).days).map(
    lambda days: date(1900, 1, 1) + timedelta(days=days)
)


def luhn(nine: str) -> str:
    """The check digit, by the definition: every other digit doubled, sums of digits, up to the next ten."""
    doubled = "".join(str(int(d) * (2 if place % 2 == 0 else 1)) for place, d in enumerate(nine))
    return str(-sum(map(int, doubled)) % 10)


def swedish(day: date, run: int, plus: int = 0) -> str:
    nine = f"{day:%y%m}{day.day + plus:02}{run:03}"
    return f"{day:%Y%m}{day.day + plus:02}-{run:03}{luhn(nine)}"


def norwegian(day: date, run: int, plus: int = 0) -> str | None:
    """None where no number exists: a check digit of ten is not given out."""
    digits = [int(each) for each in f"{day.day + plus:02}{day:%m%y}{run:03}"]
    for weights in ((3, 7, 6, 1, 8, 9, 4, 5, 2), (5, 4, 3, 2, 7, 6, 5, 4, 3, 2)):
        check = -sum(w * d for w, d in zip(weights, digits, strict=True)) % 11
        if check == 10:
            return None
        digits.append(check)
    return "".join(map(str, digits))


def finnish(day: date, run: int) -> str:
    sign = "-" if day.year < 2000 else "A"
    rest = int(f"{day:%d%m%y}{run:03}") % 31
    return f"{day:%d%m%y}{sign}{run:03}{'0123456789ABCDEFHJKLMNPRSTUVWXY'[rest]}"


# From the authorities' own examples: Skatteverket, Skatteetaten's synthetic population, Digi- ja väestötietovirasto, ISO 13616.
KNOWN = [
    ("swedish-number", "811228-9874"), ("swedish-number", "670919-9530"), ("swedish-number", "701063-2391"),
    ("norwegian-number", "01010750160"), ("finnish-number", "131052-308T"), ("finnish-number", "010594Y9021"),
    ("iban", "GB82 WEST 1234 5698 7654 32"), ("iban", "NO9386011117947"), ("iban", "FI2112345600000785"),
    ("iban", "SE4550000000058398257466"), ("email", "kari.nordmann@example.no"), ("email", "o'neil+x@mail.example.co.uk"),
    ("email", "åsa@räksmörgås.se"), ("phone", "+47 900 12 345"), ("phone", "08-568 901 00"), ("phone", "0046701234567"),
]  # fmt: skip
NOT = [
    "", "12345678", "2026-11-22", "2026-11-22T10:00:00+01:00", "10.0.0.1", "0.75", "00", "SE-164 40", "4012888888881881", "a@b",
    "@handle", "3.14.159-26", "INV-2026-000123", "978-91-7000-150-5", "GB82 WEST 1234 5698 7654 33", "x@y@z",
    "019b0f7e-8c1e-7c4e-9d3b-2f6a1b0c9d8e", "811228-9875",
]  # fmt: skip


@pytest.mark.parametrize("detector, text", KNOWN)
@pytest.mark.parametrize("around", ["{}", "see {} please", "«{}»"])
def test_a_known_number_is_seen(detector, text, around):
    if around != "{}" and detector == "phone":
        return  # the whole value only
    sees = next(each for each in detectors.DETECTORS if each.name == detector).sees

    assert sees(around.format(text))


@pytest.mark.parametrize("text", NOT)
def test_something_else_is_left_alone(text):
    assert [each.name for each in detectors.DETECTORS if each.sees(text)] == []


@given(DAYS, st.integers(0, 999), st.sampled_from([0, 60]))
def test_every_swedish_number_passes_and_no_other_check_digit_does(day, run, plus):
    number = swedish(day, run, plus)

    assert detectors.is_swedish_number(number)
    assert detectors.is_swedish_number(number[2:])
    assert detectors.has_swedish_number(f"({number})")
    for other in set("0123456789") - {number[-1]}:
        assert not detectors.is_swedish_number(number[:-1] + other)


@given(DAYS, st.integers(0, 999), st.sampled_from([0, 40]))
def test_every_norwegian_number_passes_and_one_wrong_digit_never_does(day, run, plus):
    number = norwegian(day, run, plus)
    if number is None:
        return

    assert detectors.is_norwegian_number(number)
    assert detectors.has_norwegian_number(f"{number[:6]} {number[6:]}")
    for place in range(11):
        for other in set("0123456789") - {number[place]}:
            assert not detectors.is_norwegian_number(number[:place] + other + number[place + 1 :])


@given(DAYS, st.integers(2, 999))
def test_every_finnish_number_passes_and_no_other_check_character_does(day, run):
    number = finnish(day, run)

    assert detectors.is_finnish_number(number)
    assert detectors.has_finnish_number(f"hetu: {number}.")
    for other in set("0123456789ABCDEFHJKLMNPRSTUVWXY") - {number[-1]}:
        assert not detectors.is_finnish_number(number[:-1] + other)


@given(st.sampled_from(["SE", "NO", "FI", "GB", "DE"]), st.data())
def test_every_iban_passes_and_no_two_neighbours_may_change_places(country, data):
    length = numbers._IBAN_LENGTHS[country]
    account = data.draw(st.text("0123456789", min_size=length - 4, max_size=length - 4))
    turned = int("".join(str(int(each, 36)) for each in f"{account}{country}00"))
    number = f"{country}{98 - turned % 97:02}{account}"

    assert detectors.is_iban(number)
    assert detectors.has_iban(" ".join(number[place : place + 4] for place in range(0, length, 4)))
    place = data.draw(st.integers(4, length - 2))
    swapped = number[:place] + number[place + 1] + number[place] + number[place + 2 :]
    assert detectors.is_iban(swapped) == (swapped == number)


@given(st.text(max_size=200))
def test_no_text_makes_a_detector_fail(text):
    for each in detectors.DETECTORS:
        assert each.sees(text) in (True, False)


@pytest.mark.parametrize(
    "column, says",
    [
        ("email", "email"), ("customerEmail", "email"), ("epost_adress", "email"), ("sähköposti", "email"), ("Mobiltelefon", ""),
        ("mobil", "phone"), ("puhelinnumero", "phone"), ("phone_no", "phone"), ("first_name", "name"), ("efternamn", "name"),
        ("Etternavn", "name"), ("sukunimi", "name"), ("product_name", ""), ("fødselsnummer", "national-number"),
        ("personnummer", "national-number"), ("hetu", "national-number"), ("katuosoite", "address"),
        ("billing_address_2", "address"),
        ("iban", "iban"), ("remote_addr", "ip"), ("zip", ""), ("description", ""), ("email_sent_count", ""), ("mailing_weight", ""),
    ],
)  # fmt: skip
def test_a_columns_name_tells_in_the_languages_of_the_markets(column, says):
    seen = detectors.telling_name(column)

    assert (seen.detector if seen else "") == (f"name:{says}" if says else "")


def test_one_address_among_many_values_is_enough_when_it_is_one_in_a_hundred():
    rare = ["text"] * 199 + ["kari@example.no"]
    some = ["text"] * 99 + ["kari@example.no"]

    assert detectors.look(rare) == []
    assert [each.detector for each in detectors.look(some)] == ["email"]
    assert detectors.look([]) == []
