"""One byte form for a value, so that its hash means something.

A subset of RFC 8785 (JSON Canonicalization Scheme): objects with ASCII keys, strings, integers within 53 bits,
booleans, null and arrays. Floats are refused: their text form is where canonical JSON goes wrong.
"""

import hashlib
import json
from typing import Any

_LARGEST_EXACT = 2**53 - 1  # RFC 8785 section 3.2.2.3: what every JSON reader keeps exactly


class Canonical(bytes):
    """Bytes that `canonical_bytes` made: whoever is given them need not ask whether they are canonical."""


_encode = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode
_ALWAYS_FINE = frozenset({str, bool, type(None)})


def canonical_bytes(value: Any) -> Canonical:
    """The canonical JSON of a value, UTF-8. Raises TypeError or ValueError on what the subset excludes."""
    _demand_subset(value)
    return Canonical(_encode(value).encode())


def sha256_hex(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _demand_subset(value: Any) -> None:
    match value:
        case None | bool() | str():
            return
        case int():
            if abs(value) > _LARGEST_EXACT:
                raise ValueError("integer beyond 53 bits has no canonical form")
        case list() | tuple():
            for item in value:
                if type(item) not in _ALWAYS_FINE:
                    _demand_subset(item)
        case dict():
            for key, item in value.items():
                if not isinstance(key, str) or not key.isascii():
                    raise TypeError(f"canonical keys are ASCII strings, not {key!r}")
                if type(item) not in _ALWAYS_FINE:
                    _demand_subset(item)
        case _:
            raise TypeError(f"{type(value).__name__} has no canonical form")
