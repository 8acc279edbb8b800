"""Third-party addresses inside style sheets: found and put out of reach, all other bytes kept.

Covers `url()`, `src()`, `@import` and `image-set()` with quoted strings, CSS escapes included; what a sheet hides
better than that meets the Content Security Policy.
"""

import re
from collections.abc import Callable

HELD = "about:invalid#lofte-held"
_ADDRESS = re.compile(
    r"""(?P<before>(?:\burl|\bsrc)\(\s*|@import\s+|[(,]\s*(?=["'][^"']*["']\s*(?:[\d.]+(?:x|dpp[xi]|dpcm)|type\()))"""
    r"""(?:"(?P<double>(?:[^"\\\n]|\\.)*)"|'(?P<single>(?:[^'\\\n]|\\.)*)'|(?P<plain>[^\s"'()]+(?=\s*\))))""",
    re.IGNORECASE | re.DOTALL,
)
_ESCAPE = re.compile(r"\\(?:([0-9a-f]{1,6})\s?|(\n)|(.))", re.IGNORECASE | re.DOTALL)


def hold(sheet: str, is_held: Callable[[str], bool]) -> list[tuple[int, int, str]]:
    """Where a sheet names an address for which ``is_held`` says yes: start, end, and what to put there instead."""
    if "(" not in sheet and "@" not in sheet:
        return []
    edits = []
    for found in _ADDRESS.finditer(sheet):
        group = found.lastgroup or "plain"
        if is_held(_ESCAPE.sub(_character, found.group(group))):
            edits.append((*found.span(group), HELD))
    return edits


def held_text(sheet: str, is_held: Callable[[str], bool]) -> str:
    """The sheet with those edits made."""
    for start, end, text in reversed(hold(sheet, is_held)):
        sheet = sheet[:start] + text + sheet[end:]
    return sheet


def _character(found: re.Match[str]) -> str:
    if found.group(1):
        code = int(found.group(1), 16)
        return chr(code) if 0 < code < 0x110000 else "\ufffd"
    return found.group(3) or ""
