"""Third-party addresses inside style sheets: found and put out of reach, all other bytes kept.

Covers `url()`, `src()`, `@import` and `image-set()` with quoted strings, CSS escapes included; what a sheet hides
better than that meets the Content Security Policy.
"""

import re
from collections.abc import Callable, Iterable
from urllib.parse import quote

HELD = "about:invalid#lofte-held"
"""Stands where an address was. Followed by `~purposes~address`, percent-encoded, where a choice may let it in again."""
_ADDRESS = re.compile(
    r"""(?P<before>(?:\burl|\bsrc)\(\s*|@import\s+|[(,]\s*(?=["'][^"']*["']\s*(?:[\d.]+(?:x|dpp[xi]|dpcm)|type\()))"""
    r"""(?:"(?P<double>(?:[^"\\\n]|\\.)*)"|'(?P<single>(?:[^'\\\n]|\\.)*)'|(?P<plain>[^\s"'()]+(?=\s*\))))""",
    re.IGNORECASE | re.DOTALL,
)
_ESCAPE = re.compile(r"\\(?:([0-9a-f]{1,6})\s?|(\n)|(.))", re.IGNORECASE | re.DOTALL)


def instead(address: str, purposes: Iterable[str]) -> str:
    """What to write for a held address; without purposes nobody declared it, and nothing brings it back."""
    needed = "+".join(purposes)
    return f"{HELD}~{needed}~{quote(address, safe='')}" if needed else HELD


def hold(sheet: str, judge: Callable[[str], str | None]) -> list[tuple[int, int, str]]:
    """Where a sheet names an address for which ``judge`` gives another text: start, end, and that text."""
    if "(" not in sheet and "@" not in sheet:
        return []
    edits = []
    for found in _ADDRESS.finditer(sheet):
        group = found.lastgroup or "plain"
        text = judge(_ESCAPE.sub(_character, found.group(group)))
        if text is not None:
            edits.append((*found.span(group), text))
    return edits


def held_text(sheet: str, judge: Callable[[str], str | None]) -> str:
    """The sheet with those edits made."""
    for start, end, text in reversed(hold(sheet, judge)):
        sheet = sheet[:start] + text + sheet[end:]
    return sheet


def _character(found: re.Match[str]) -> str:
    if found.group(1):
        code = int(found.group(1), 16)
        return chr(code) if 0 < code < 0x110000 else "\ufffd"
    return found.group(3) or ""
