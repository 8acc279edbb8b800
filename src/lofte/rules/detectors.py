"""Finds what looks like an address, a telephone number, a national number or an account in text.

Deterministic: patterns, calendars and check digits, no model. Pure; what it sees it forgets.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

# ISO 13616 registry: length of an IBAN by country, Europe.
_IBAN_LENGTHS = {
    "AD": 24, "AT": 20, "BE": 16, "BG": 22, "CH": 21, "CY": 28, "CZ": 24, "DE": 22, "DK": 18, "EE": 20, "ES": 24, "FI": 18,
    "FO": 18, "FR": 27, "GB": 22, "GI": 23, "GL": 18, "GR": 27, "HR": 21, "HU": 28, "IE": 22, "IS": 26, "IT": 27, "LI": 21,
    "LT": 20, "LU": 20, "LV": 21, "MC": 27, "MT": 31, "NL": 18, "NO": 15, "PL": 28, "PT": 25, "RO": 24, "SE": 24, "SI": 19,
    "SK": 24, "SM": 27, "UA": 29,
}  # fmt: skip
_FINNISH_CHECK = "0123456789ABCDEFHJKLMNPRSTUVWXY"
# Separator -> century; the letters beyond + - A were added in 2023 (decree 690/2022).
_FINNISH_CENTURY = {"+": 1800, **dict.fromkeys("-YXWVU", 1900), **dict.fromkeys("ABCDEF", 2000)}

_EMAIL = re.compile(r"(?<![\w.+-])[\w.+%'-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})*\.[^\W\d_]{2,24}(?![\w@-])")
_PHONE = re.compile(r"^\s*(?:\+|00|0(?=[1-9]))[\d ()/.\-\u00a0\u2011]{6,20}\s*$")
_SWEDISH = re.compile(r"(?<!\d)(?:(?:18|19|20)\d{2}|\d{2})\d{4}[-+ ]?\d{4}(?!\d)")
_NORWEGIAN = re.compile(r"(?<!\d)\d{6} ?\d{5}(?!\d)")
_FINNISH = re.compile(r"(?<![0-9A-Za-z])\d{6}[-+YXWVUABCDEF]\d{3}[0-9A-Y](?![0-9A-Za-z])")
_IBAN = re.compile(r"(?<![0-9A-Za-z])[A-Z]{2}\d{2}(?: ?[A-Z0-9]){11,30}(?![0-9A-Za-z])")


def has_email(text: str) -> bool:
    return _EMAIL.search(text) is not None


def is_phone(text: str) -> bool:
    """The whole value, written with a country code or a leading zero: bare digits are as often a number of something else."""
    return _PHONE.match(text) is not None and 7 <= sum(map(str.isdigit, text)) <= 15


def has_swedish_number(text: str) -> bool:
    return any(is_swedish_number(found) for found in _SWEDISH.findall(text))


def has_norwegian_number(text: str) -> bool:
    return any(is_norwegian_number(found) for found in _NORWEGIAN.findall(text))


def has_finnish_number(text: str) -> bool:
    return any(is_finnish_number(found) for found in _FINNISH.findall(text))


def has_iban(text: str) -> bool:
    return any(_holds_iban(found) for found in _IBAN.findall(text))


def is_swedish_number(text: str) -> bool:
    """Personnummer, or samordningsnummer (day + 60): a day of the calendar and a Luhn digit. SFS 1991:481 section 18."""
    digits = re.sub(r"\D", "", text)
    if len(digits) not in (10, 12):
        return False
    short = digits[-10:]
    century = [int(digits[:2])] if len(digits) == 12 else [18, 19, 20]
    day = int(short[4:6])
    day -= 60 if day > 60 else 0
    is_real = any(_is_day(each * 100 + int(short[:2]), int(short[2:4]), day) for each in century)
    return is_real and _luhn(short)


def is_norwegian_number(text: str) -> bool:
    """Fødselsnummer, D-number (day + 40), H-number (month + 40) or a synthetic one (month + 80): two digits modulo 11."""
    digits = [int(each) for each in text if each.isdigit()]
    if len(digits) != 11:
        return False
    day, month, year = (digits[0] * 10 + digits[1], digits[2] * 10 + digits[3], digits[4] * 10 + digits[5])
    day -= 40 if day > 40 else 0
    month -= 80 if month > 80 else 40 if month > 40 else 0
    if not any(_is_day(century + year, month, day) for century in (1800, 1900, 2000)):
        return False
    first = sum(w * d for w, d in zip((3, 7, 6, 1, 8, 9, 4, 5, 2, 1), digits, strict=False))
    second = sum(w * d for w, d in zip((5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1), digits, strict=True))
    return first % 11 == 0 and second % 11 == 0


def is_finnish_number(text: str) -> bool:
    """Henkilötunnus: a day, a century sign, a running number and a check character modulo 31."""
    match = re.fullmatch(r"(\d{2})(\d{2})(\d{2})([-+A-Z])(\d{3})([0-9A-Y])", text)
    if match is None or match[4] not in _FINNISH_CENTURY:
        return False
    is_real = _is_day(_FINNISH_CENTURY[match[4]] + int(match[3]), int(match[2]), int(match[1]))
    rest = int(match[1] + match[2] + match[3] + match[5]) % 31
    return is_real and int(match[5]) >= 2 and _FINNISH_CHECK[rest] == match[6]


def is_iban(text: str) -> bool:
    """ISO 13616: the length its country has, and 1 modulo 97."""
    plain = text.replace(" ", "").upper()
    if len(plain) != _IBAN_LENGTHS.get(plain[:2], 0) or not re.fullmatch(r"[A-Z]{2}\d{2}[A-Z0-9]+", plain):
        return False
    turned = plain[4:] + plain[:4]
    return int("".join(str(int(letter, 36)) for letter in turned)) % 97 == 1


def _holds_iban(found: str) -> bool:
    """The pattern may have run on into the next word in capitals: the country says where the number ends."""
    plain = found.replace(" ", "")
    return is_iban(plain[: _IBAN_LENGTHS.get(plain[:2], 0)])


def _is_day(year: int, month: int, day: int) -> bool:
    try:
        date(year, month, day)
    except ValueError:
        return False
    return True


def _luhn(digits: str) -> bool:
    total = 0
    for place, letter in enumerate(reversed(digits)):
        doubled = int(letter) * (2 if place % 2 else 1)
        total += doubled - 9 if doubled > 9 else doubled
    return total % 10 == 0


# --- in running text ------------------------------------------------------------------------------------------------

# Written with a country code or a leading zero, in the groups Norwegians and Americans write, or eight digits in pairs.
_PHONE_IN_TEXT = re.compile(
    r"(?<![\w+.,/-])(?:"
    r"(?:\+|00)[1-9][\d ()/.\-\u00a0\u2011]{5,18}\d"
    r"|0(?=[1-9])[\d ()/\-\u00a0\u2011]{6,16}\d"
    r"|[2-9]\d(?:[ \u00a0]\d\d){3}|[49]\d\d[ \u00a0]\d\d[ \u00a0]\d{3}"
    r"|(?:1[ .-])?\(?[2-9]\d\d\)?[ .\-\u2011][2-9]\d\d[ .\-\u2011]\d{4}"
    r")(?![\w@])"
)
_DAY_IN_TEXT = re.compile(r"(?:\d{4}[-./ ]\d{1,2}[-./ ]\d{1,2}|\d{1,2}[-./ ]\d{1,2}[-./ ]\d{2,4})")


@dataclass(frozen=True, slots=True)
class Span:
    """Where something stands in a text, and of which kind: email, phone, number (a national one) or account."""

    kind: str
    start: int
    end: int


def _is_phone_in_text(text: str) -> bool:
    return 7 <= sum(map(str.isdigit, text)) <= 15 and _DAY_IN_TEXT.fullmatch(text) is None


_IN_TEXT: tuple[tuple[str, re.Pattern[str], Callable[[str], bool]], ...] = (
    ("email", _EMAIL, lambda found: True),
    ("account", _IBAN, is_iban),
    ("number", _FINNISH, is_finnish_number),
    ("number", _NORWEGIAN, is_norwegian_number),
    ("number", _SWEDISH, is_swedish_number),
    ("phone", _PHONE_IN_TEXT, _is_phone_in_text),
)


def spans(text: str) -> list[Span]:
    """Everything found in a text, in order; where two overlap, the surer one (check digits before a telephone's shape)."""
    taken: list[Span] = []
    for kind, pattern, is_one in _IN_TEXT:
        for found in pattern.finditer(text):
            start, end = found.span()
            if is_one(found.group()) and not any(start < each.end and each.start < end for each in taken):
                taken.append(Span(kind, start, end))
    return sorted(taken, key=lambda each: each.start)
