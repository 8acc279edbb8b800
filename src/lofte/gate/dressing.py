"""What the gate puts into a page besides what it takes out: guard, signals, banner and the way back. The same for everyone.

Pure: page bytes and what was published in, page bytes and the hashes a header must name out.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from html import escape

from lofte.gate import csp
from lofte.gate.document import Held, View, hold

_INLINE = re.compile(rb"<(script|style)(?:\s[^>]*)?>(.*?)</\1", re.DOTALL)
_HEAD_ONLY = re.compile(
    rb"(?is)(?:\s+|<!--.*?-->|<!doctype[^>]*>|</?(?:html|head|meta|link|base)(?=[\s/>])[^>]*>|</?body[^>]*>"
    + b"".join(
        rb"|<" + name + rb"(?=[\s/>])[^>]*>.*?</" + name + rb"[^>]*>"
        for name in (b"title", b"script", b"style", b"noscript", b"template")
    )
    + rb")*"
)


@dataclass(frozen=True, slots=True)
class Clothes:
    """One edition's guard and signals as elements, and the word of the way back; ``banner`` makes the banner of one path.

    ``gpc_word`` says what Global Privacy Control counts for; the page shows it to whoever sends it.
    """

    guard: bytes
    signals: bytes
    settings_word: str
    banner: Callable[[], bytes]
    gpc_word: str = ""


@dataclass(frozen=True, slots=True)
class Dressed:
    """A page on its way out, and the hashes of what of ours stands in it."""

    held: Held
    scripts: tuple[str, ...]
    styles: tuple[str, ...]


def dress(page: bytes, view: View, clothes: Clothes, *, is_whole: bool, is_last: bool = True) -> Dressed:
    """The page held and dressed. ``is_whole`` is False for frames and fragments: those get no banner.

    ``is_last`` is False for the first piece of a long page: the way back is put into its last.
    """
    held = hold(page, view)
    ours = b""
    if page.strip():
        is_page = is_whole and not held.is_frameset
        if is_page and (banner := clothes.banner()):
            held.insert_first(_body_place(held), banner)
            ours += banner
        if is_whole or held.head_open >= 0 or held.html_open >= 0:
            held.insert_first(_head_place(held), clothes.guard + clothes.signals)
            ours += clothes.guard + clothes.signals
        if is_last and is_page and b'id="lofte-settings"' not in held.page:
            _lead_back(held, view, clothes)
    return Dressed(held, fingerprints(ours, b"script"), fingerprints(ours, b"style"))


class Going:
    """A long page that goes out piece by piece, behind headers that have left already: no hash of its own can be added to them."""

    def __init__(self, first: Held, view: View, clothes: Clothes, *, is_whole: bool) -> None:
        self._before, self._view, self._clothes = first, view, clothes
        self._leads_back = not is_whole or b'id="lofte-settings"' in first.page

    def on(self, page: bytes, *, is_last: bool) -> bytes:
        """The next piece, held. It ends between two tokens."""
        held = self._before = hold(page, self._view, self._before)
        self._leads_back = self._leads_back or b'id="lofte-settings"' in page
        if is_last and not self._leads_back and not held.is_frameset:
            _lead_back(held, self._view, self._clothes)
        return held.bytes()


def _lead_back(held: Held, view: View, clothes: Clothes) -> None:
    words = escape(clothes.settings_word).encode("ascii", "xmlcharrefreplace")
    link = b'<nav id="lofte-settings" style="padding:1em" aria-label="%s"><a href="%s">%s</a>%s</nav>' % (
        words,
        escape(view.preferences).encode(),
        words,
        _status(clothes.gpc_word),
    )
    held.insert(held.body_close if held.body_close >= 0 else len(held.page), link)


def _status(word: str) -> bytes:
    return b'<p id="lofte-gpc" hidden>%s</p>' % escape(word).encode("ascii", "xmlcharrefreplace") if word else b""


@lru_cache(maxsize=64)
def fingerprints(markup: bytes, kind: bytes) -> tuple[str, ...]:
    """`sha256-...` of the inline scripts or styles in markup of our own."""
    return tuple(csp.fingerprint(text) for name, text in _INLINE.findall(markup) if name == kind and text)


def _head_place(held: Held) -> int:
    """As early as a script may stand: behind `<head>`, else `<html>`, else the doctype."""
    place = max(held.head_open, held.html_open)
    if held.head_open >= 0:
        place = held.head_open
    if place >= 0:
        return place
    found = re.match(rb"(?is)(?:\xef\xbb\xbf)?\s*(?:<!--.*?-->\s*)*(?:<!doctype[^>]*>)?", held.page)
    return found.end() if found else 0


def _body_place(held: Held) -> int:
    """First in the body; where no body tag is written, in front of the first thing that would open one."""
    if held.body_open >= 0:
        return held.body_open
    found = _HEAD_ONLY.match(held.page.removeprefix(b"\xef\xbb\xbf"))
    offset = 3 if held.page.startswith(b"\xef\xbb\xbf") else 0
    return max(offset + (found.end() if found else 0), _head_place(held))
