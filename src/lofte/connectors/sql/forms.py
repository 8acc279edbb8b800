"""The forms in which a value of the register may stand in somebody's database: as written, normalised, dialled, escaped, hashed."""

import hashlib
import html
import json
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from urllib.parse import quote

from lofte.connectors.sql import detectors
from lofte.core import blind
from lofte.kernel.problems import Problem
from lofte.rules.model import DataField

_SHORTEST = 5  # letters: below that a value says nothing and matches everything
_LEAST_TEXT = 20  # free text is only looked for when it can hardly be anybody else's
_LEAST_DIGITS = 7
_CALLING = {"SE": "46", "NO": "47", "FI": "358", "GB": "44", "US": "1", "DK": "45", "DE": "49"}
_NO_TRUNK = frozenset({"NO", "DK"})  # where no zero is dialled inside the country


class Reach(Enum):
    """Where a value betrays the person: a name stands in many rows that are somebody else's, an address in none."""

    EVERYWHERE = "everywhere"
    NOT_WHERE_OTHERS_HAVE_THEIRS = "outside the columns mapped for it"
    UNMAPPED = "unmapped tables"


@dataclass(frozen=True, slots=True)
class Needle:
    """Text to look for, in small letters. ``form`` is raw, digits or hashed; digits are looked for among digits only."""

    form: str
    text: str
    kind: str
    reach: Reach


def normal(kind: str, value: str, country: str = "") -> str:
    """The one normal form, or nothing when the value is none of its kind."""
    try:
        return blind.normalise(kind, value, country)
    except Problem:
        return ""


def same(kind: str, one: object, other: str, country: str = "") -> bool:
    """Whether two values are the same to a person, however they are written."""
    if one is None:
        return False
    text = str(one)
    if text == other:
        return True
    if kind == "phone":
        return bool(set(phones(text, country)) & set(phones(other, country)))
    first = normal(kind, text, country)
    return bool(first) and first == normal(kind, other, country)


def emails(value: str) -> list[str]:
    """An address in small letters: as written, and with its domain in either alphabet."""
    found = {value.strip().lower(), unicodedata.normalize("NFC", value).strip().lower(), normal("email", value)}
    return sorted(found - {""})


def phones(value: str, country: str = "") -> list[str]:
    """A number as it may be written without spaces: +46 70 …, 0046 70 …, 46 70 …, and as dialled inside its country."""
    whole = normal("phone", value, country)
    if not whole:
        return []
    digits = whole.removeprefix("+")
    found = {whole, digits}
    if whole.startswith("+"):
        found |= {f"00{digits}"}
        for name, code in _CALLING.items():
            if digits.startswith(code):
                rest = digits.removeprefix(code)
                found |= {rest if name in _NO_TRUNK or name == "US" else f"0{rest}", f"+{code}0{rest}"}
    return sorted(found)


def significant(value: str, country: str = "") -> str:
    """The digits of a number that are the same however it is dialled; nothing when there are too few to say anything."""
    digits = normal("phone", value, country).removeprefix("+")
    for code in _CALLING.values():
        if digits.startswith(code) and len(digits) > 9:
            digits = digits.removeprefix(code)
            break
    digits = digits.lstrip("0")
    return digits if len(digits) >= _LEAST_DIGITS else ""


def needles(values: Iterable[tuple[str, str]], shapes: Mapping[str, DataField], country: str = "") -> list[Needle]:
    """What to look for after an erasure."""
    found: list[Needle] = []
    for field, value in values:
        shape = shapes.get(field)
        if shape is not None and (reach := _reach(shape, value)):
            found += _written(shape.kind, value, country, reach)
    return list(dict.fromkeys(found))


def _reach(shape: DataField, value: str) -> Reach | None:
    match shape.kind:
        case "email":
            return Reach.EVERYWHERE
        case "phone":
            return Reach.NOT_WHERE_OTHERS_HAVE_THEIRS
        case "name":
            return Reach.UNMAPPED if " " in value.strip() and len(value) >= _SHORTEST else None
        case "text" | "number":
            if _is_number_of_one(value):
                return Reach.EVERYWHERE
            # What people share (a company, a title) betrays nobody; what somebody wrote or was told does.
            is_own = shape.category in ("dialogue", "contact", "identity") and len(value) >= _LEAST_TEXT
            return Reach.NOT_WHERE_OTHERS_HAVE_THEIRS if is_own else None
        case _:
            return None


def _is_number_of_one(value: str) -> bool:
    plain = value.strip()
    return (
        detectors.is_swedish_number(plain)
        or detectors.is_norwegian_number(plain)
        or detectors.is_finnish_number(plain)
        or detectors.is_iban(plain)
    )


def _written(kind: str, value: str, country: str, reach: Reach) -> Iterator[Needle]:
    digits = significant(value, country) if kind == "phone" else ""
    if digits:
        yield Needle("digits", digits, kind, reach)
    else:
        texts = {
            value,
            unicodedata.normalize("NFC", value),
            unicodedata.normalize("NFD", value),
            normal(kind, value, country),
        }
        for text in sorted(texts - {""}):
            for shape in {
                text,
                json.dumps(text)[1:-1],
                quote(text, safe=""),
                quote(text, safe="@+"),
                html.escape(text),
            }:
                # A database's own lower may know ASCII only, and then leaves the rest as it was written.
                for small in {shape.lower(), _ascii_lower(shape), _ascii_lower(shape.upper())}:
                    yield Needle("raw", small, kind, reach)
    for text in sorted({value, value.lower(), normal(kind, value, country)} - {""}):
        for name in ("sha256", "sha1", "md5"):  # as advertising platforms and old exports hash people
            yield Needle("hashed", hashlib.new(name, text.encode(), usedforsecurity=False).hexdigest(), kind, reach)


def _ascii_lower(text: str) -> str:
    return "".join(letter.lower() if letter.isascii() else letter for letter in text)
