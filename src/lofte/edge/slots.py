"""Frozen pages with holes in them: `<!--lofte:token-->`, `<!--lofte:verdict:P15-->`. Cut once, joined for each reader.

Values are finished HTML: whoever fills a slot has escaped it.
"""

import re
from collections.abc import Callable, Mapping

_SLOT = re.compile(rb"<!--lofte:([a-z]+(?:[:-][A-Za-z0-9-]+)*)-->")
_VISITOR = frozenset(("token", "back", "nonce", "gpc", "choices", "history"))


class Template:
    """``is_personal`` tells whether the page has slots that differ between visitors, and so must not be cached."""

    __slots__ = ("_pieces", "_slots", "is_personal")

    def __init__(self, html: bytes) -> None:
        cut = _SLOT.split(html)
        self._pieces = cut[0::2]
        self._slots = [name.decode() for name in cut[1::2]]
        self.is_personal = any(slot.split(":")[0] in _VISITOR | {"checked"} for slot in self._slots)

    def has(self, slot: str) -> bool:
        return slot in self._slots

    def fill(self, value_of: Callable[[str], str]) -> bytes:
        values = [value_of(slot).encode() for slot in self._slots]
        joined = [part for pair in zip(self._pieces, values, strict=False) for part in pair]
        return b"".join([*joined, self._pieces[-1]])


def from_mapping(values: Mapping[str, str]) -> Callable[[str], str]:
    """Slots by name; what is not there becomes empty."""
    return lambda slot: values.get(slot, "")
