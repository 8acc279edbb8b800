"""Finds a value without storing it: HMAC-SHA256 under a key of its own over the normalised value, mixed with site and field.

One normal form a kind, so that the same address typed twice is the same; nothing is folded that two people could differ by.
Names are found by their parts: each is hashed under a key that serves nothing else, without case and accents, as people search.
"""

import hmac
import re
import unicodedata
from functools import lru_cache
from hashlib import sha256

import idna
from django.conf import settings

from lofte.kernel.problems import Problem
from lofte.rules.names import fold

_KEPT_HEX = 32  # 128 bits: enough against collisions, less to match on than the whole
_CALLING = {"SE": "46", "NO": "47", "FI": "358", "GB": "44", "US": "1", "DK": "45", "DE": "49"}
_TRUNK = {
    "SE": "0",
    "FI": "0",
    "GB": "0",
    "DE": "0",
    "US": "1",
}  # what is dialled inside the country and not from outside
_LONGEST_ADDRESS = 254  # RFC 5321 4.5.3.1.3
_LONGEST_HOST = 253  # RFC 1035 2.3.4
# Letters, digits and hyphens within; two hyphens in the third and fourth place mean something else (RFC 5891 4.2.3.1).
_PLAIN_HOST = re.compile(
    r"(?!..--)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.(?!..--)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*"
)
_SHORTEST_PART = 2  # an initial names nobody
_MOST_PARTS = 8


def _bad(kind: str) -> Problem:
    return Problem("register.bad-value", f"this is no {kind}", expected=f"a valid {kind}", status=422)


def normalise(kind: str, value: str, country: str = "") -> str:
    """The one normal form of a value. Raises Problem `register.bad-value` (never naming the value) for what is none.

    ``country`` reads a phone number that was written as dialled inside it.
    """
    text = unicodedata.normalize("NFC", value).strip()
    match kind:
        case "email":
            return _address(text)
        case "phone":
            return _phone(text, country)
        case "name":
            return re.sub(r"\s+", " ", text).casefold()
        case _:
            return re.sub(r"\s+", " ", text)


def readings(kind: str, value: str) -> tuple[str, ...]:
    """Every normal form a value may have been given: a number without its country's may be any country's. Empty for no value."""
    found = []
    is_local = kind == "phone" and not value.lstrip().startswith(("+", "00"))
    for country in ("", *_CALLING) if is_local else ("",):
        try:
            found.append(normalise(kind, value, country))
        except Problem:
            continue
    return tuple(dict.fromkeys(each for each in found if each))


def clean(kind: str, value: str) -> str:
    """The value as it is kept and shown: trimmed, composed, its domain in the form people read. Raises Problem as `normalise`."""
    text = (
        unicodedata.normalize("NFC", value).replace("\r\n", "\n").strip()
    )  # browsers send CRLF in a text of several lines
    if any(unicodedata.category(letter) == "Cc" and letter not in "\n\t" for letter in text) or (
        kind != "text" and "\n" in text
    ):
        raise _bad(kind)
    if kind in ("email", "phone"):
        normalise(kind, text)
    return text


def blind_hash(field: str, normal: str) -> str:
    """The keyed hash of a normal form, as kept in the lookup table."""
    message = b"\0".join((b"lofte/blind/1", settings.LOFTE_SITE_ID.bytes, field.encode(), normal.encode()))
    return hmac.new(settings.LOFTE_BLIND_KEY, message, sha256).hexdigest()[:_KEPT_HEX]


def entry_key(field_kind: str, found: str, person: bytes) -> str:
    """The primary key of the lookup row: an address names one person; other values may be shared, so the person is mixed in."""
    return found if field_kind == "email" else sha256(found.encode() + person).hexdigest()


def parts(name: str) -> tuple[str, ...]:
    """What a name can be found by: its words without case and accents, at most eight. `Åsa-Marie O’Brien` -> asa, marie, obrien."""
    words = re.findall(r"[^\W_]+", fold(name))
    return tuple(dict.fromkeys(word for word in words if len(word) >= _SHORTEST_PART))[:_MOST_PARTS]


def part_hash(field: str, part: str) -> str:
    """The keyed hash of one part of a name."""
    message = b"\0".join((settings.LOFTE_SITE_ID.bytes, field.encode(), part.encode()))
    key = hmac.new(settings.LOFTE_BLIND_KEY, b"lofte/blind-part/1", sha256).digest()
    return hmac.new(key, message, sha256).hexdigest()[:_KEPT_HEX]


def _address(text: str) -> str:
    local, at, domain = text.rpartition("@")
    if not at or not local or not domain or len(text) > _LONGEST_ADDRESS or re.search(r"[\s<>(),;:\\\"\[\]@]", local):
        raise _bad("email")
    if any(not letter.isprintable() for letter in local) or ("." not in domain and domain != "localhost"):
        raise _bad("email")
    # lower, not casefold: ß and ss are two mailboxes. A plus-address is kept: it may be somebody else's.
    return f"{local.lower()}@{_host(domain)}"


@lru_cache(maxsize=1024)
def _host(domain: str) -> str:
    """The domain as it is asked for in the DNS; many addresses share one."""
    plain = domain.lower().rstrip(".")
    if len(plain) <= _LONGEST_HOST and _PLAIN_HOST.fullmatch(plain):
        return plain  # what IDNA would give, at a fiftieth of its time
    try:
        return idna.encode(domain.rstrip("."), uts46=True).decode("ascii").lower()
    except idna.IDNAError:
        raise _bad("email") from None


def _phone(text: str, country: str) -> str:
    if not re.fullmatch(r"\+?[0-9 ()./\-\u00a0\u2011]{5,30}", text):
        raise _bad("phone")
    is_full = text.startswith(("+", "00"))
    digits = re.sub(r"\D", "", text.replace("(0)", ""))
    digits = digits.removeprefix("00") if text.startswith("00") else digits
    if not is_full and country in _CALLING:
        digits = _CALLING[country] + digits.removeprefix(_TRUNK.get(country, ""))
        is_full = True
    if not 5 <= len(digits) <= 15:  # E.164: at most fifteen digits
        raise _bad("phone")
    return f"+{digits}" if is_full else digits
