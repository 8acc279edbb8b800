"""Says whether a value, or the name of a column, looks personal. Deterministic: patterns, calendars and check digits, no model.

A value is looked at and forgotten; what comes back is only the detector's name.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
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


# --- columns --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Detector:
    """``likely_from`` is the share of values from which a column is likely personal; a few sure hits are enough as well."""

    name: str
    sees: Callable[[str], bool]
    likely_from: float
    sure_hits: int


DETECTORS = (
    Detector("email", has_email, 0.01, 3),
    Detector("swedish-number", has_swedish_number, 0.05, 25),  # one in 250 of other ten-digit numbers passes by chance
    Detector("norwegian-number", has_norwegian_number, 0.01, 3),
    Detector("finnish-number", has_finnish_number, 0.01, 3),
    Detector("iban", has_iban, 0.01, 3),
    Detector("phone", is_phone, 0.3, 1_000_000),
)


@dataclass(frozen=True, slots=True)
class Seen:
    """What speaks for a column being personal: a detector, and its hits among the values looked at (0 of 0 for a telling name)."""

    detector: str
    hits: int
    values: int

    def __str__(self) -> str:
        if not self.values:
            return f"its name says {self.detector.removeprefix('name:')}"
        return f"{self.detector} in {100 * self.hits / self.values:.0f} % of {self.values} values"


def look(values: Iterable[str]) -> list[Seen]:
    """The detectors that find a column's sample likely personal."""
    sample = list(values)
    found = []
    for detector in DETECTORS:
        hits = sum(1 for each in sample if detector.sees(each))
        if hits and (hits / len(sample) >= detector.likely_from or hits >= detector.sure_hits):
            found.append(Seen(detector.name, hits, len(sample)))
    return found


# Whole names and endings of column names, in the languages of the markets, without diacritics.
_NAMES: Mapping[str, str] = {
    "email": r"(e_?mail|epost|e_post|sahkoposti|mail)(_?addr(ess)?|_?adress(e)?|osoite)?",
    "phone": r"(phone|telephone|telefon|puhelin|mobile|mobil|msisdn|cell)(_?(no|nr|num|number|nummer|numero))?",
    "name": r"(first|last|given|family|middle|full|sur|contact|customer|person)_?names?|surname|firstname|lastname|fullname"
    r"|(for|efter|etter|mellan|mellom)_?na(m|v)n|kontakt_?na(m|v)n|etu_?nimi|suku_?nimi|koko_?nimi",
    "address": r"(street|postal|home|billing|shipping|delivery|visiting)?_?(address|adress|adresse|osoite)(_?(line)?_?\d)?"
    r"|street(_?name)?|gatu?e?_?adresse?|katu_?osoite",
    "birth": r"(date_of_)?birth(_?(date|day))?|dob|fodelse_?(datum|dag)|fodsels_?dato|syntyma_?aika",
    "national-number": r"person_?(nummer|nr)|pnr|ssn|fodsels_?(nummer|nr)|fnr|hetu|henkilo_?tunnus|national_?(id|number)|nino",
    "iban": r"iban|bank_?account(_?(no|nr|number))?|kontonummer",
    "ip": r"ip|ip_?addr(ess)?|remote_?addr",
}  # fmt: skip
_NAME_PATTERNS = {name: re.compile(rf"(?:.*_)?(?:{pattern})") for name, pattern in _NAMES.items()}
_BY_TYPE = {
    "text": frozenset(_NAMES),
    "number": frozenset({"phone", "national-number"}),
    "date": frozenset({"birth"}),
}


def telling_name(column: str, kind: str = "text") -> Seen | None:
    """What the name of a column says, if anything; ``kind`` of its type is text, number or date."""
    plain = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", column)
    plain = plain.lower().replace("ø", "o").replace("æ", "ae")
    plain = unicodedata.normalize("NFKD", plain).encode("ascii", "ignore").decode()
    plain = re.sub(r"[^a-z0-9]+", "_", plain).strip("_")
    for name, pattern in _NAME_PATTERNS.items():
        if name in _BY_TYPE.get(kind, ()) and pattern.fullmatch(plain):
            return Seen(f"name:{name}", 0, 0)
    return None
