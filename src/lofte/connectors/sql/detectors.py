"""Says whether a column, by its values or its name, looks personal. Deterministic: `rules.detectors` and lists of names, no model.

A value is looked at and forgotten; what comes back is only the detector's name.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from lofte.rules.detectors import (
    has_email,
    has_finnish_number,
    has_iban,
    has_norwegian_number,
    has_swedish_number,
    is_finnish_number,
    is_iban,
    is_norwegian_number,
    is_phone,
    is_swedish_number,
)

__all__ = [
    "DETECTORS", "Detector", "Seen", "is_finnish_number", "is_iban", "is_norwegian_number", "is_phone", "is_swedish_number", "look",
    "telling_name",
]  # fmt: skip


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
