"""Holds what a page may not load: renames the loading attribute, and touches no byte outside the tags it holds.

Held is not lost: `src` becomes `data-lofte-src`, so a developer sees at once what was held and why (`data-lofte-held`).
Nothing is released in the browser: when the choice changes the page is asked for anew, under another CSP.
"""

import re
from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from html import escape
from urllib.parse import quote

from lofte.gate import css
from lofte.gate.consent import ConsentState, Ruling
from lofte.gate.hosts import bare, host_of
from lofte.gate.report import Kind
from lofte.gate.tags import Attribute, Tag, tags
from lofte.rules.catalogue import say

_MAX_NESTING = 4  # noscript in srcdoc in noscript: nobody honest goes deeper

# WHATWG MIME Sniffing 4.6, and the JSON-like types browsers act on.
# fmt: off
_JAVASCRIPT = frozenset((
    "", "module", "importmap", "speculationrules", "application/ecmascript", "application/javascript",
    "application/x-ecmascript", "application/x-javascript", "text/ecmascript", "text/javascript",
    "text/javascript1.0", "text/javascript1.1", "text/javascript1.2", "text/javascript1.3",
    "text/javascript1.4", "text/javascript1.5", "text/jscript", "text/livescript", "text/x-ecmascript",
    "text/x-javascript",
))
# All other link relations make browsers fetch or connect.
_UNLOADED_RELS = frozenset((
    "alternate", "amphtml", "author", "bookmark", "canonical", "edituri", "expect", "external", "help", "hub",
    "license", "me", "next", "nofollow", "noopener", "noreferrer", "pingback", "prev", "privacy-policy",
    "profile", "search", "self", "shortlink", "start", "tag", "terms-of-service", "up", "webmention",
    "wlwmanifest",
))
# fmt: on
_KINDS: Mapping[str, Kind] = {
    "script": "script",
    **dict.fromkeys(("iframe", "frame", "portal", "fencedframe"), "frame"),
    **dict.fromkeys(("video", "audio", "source", "track", "bgsound"), "media"),
    **dict.fromkeys(("object", "embed", "applet"), "object"),
    "link": "link",
}
_SETS = frozenset(("srcset", "imagesrcset"))
_PINGS = frozenset(("ping", "attributionsrc"))
_ANYWHERE = frozenset(("src", "poster", "background", "lowsrc", "dynsrc", "manifest"))
_ONLY_ON: Mapping[str, frozenset[str]] = {
    "link": frozenset(("href",)),
    "object": frozenset(("data", "codebase", "classid", "archive")),
    "applet": frozenset(("code", "codebase", "object", "archive")),
    "image": frozenset(("href", "xlink:href")),
    "use": frozenset(("href", "xlink:href")),
    "feimage": frozenset(("href", "xlink:href")),
    "script": frozenset(("href", "xlink:href")),
}
_REFRESH = re.compile(r"^[\s\d.]*[;,\s]\s*(?:url\s*=\s*)?['\"]?(?P<url>.*?)['\"]?\s*$", re.IGNORECASE | re.DOTALL)
_HOST_IN_CODE = re.compile(
    r"""(?:(?:https?|wss?):(?:\\?/){2}|(?<=["'`])//)([a-z0-9][a-z0-9.-]*\.[a-z0-9-]+)""", re.IGNORECASE
)
_NUMBER = re.compile(r"\d{1,4}")


@dataclass(frozen=True, slots=True)
class View:
    """What the page is judged by.

    ``nonce`` is this response's; ``own_inline`` holds `sha256-...` of the site's own inline scripts.
    """

    state: ConsentState
    page_host: str
    nonce: str
    locale: str
    preferences: str
    own_inline: frozenset[str] = frozenset()


@dataclass(slots=True)
class Held:
    """A page on its way out: what to change where, what was held, and where head and body begin and end."""

    page: bytes
    edits: list[tuple[int, int, bytes]] = field(default_factory=list)
    found: dict[tuple[Kind, str], tuple[bool, str]] = field(default_factory=dict)
    head_open: int = -1
    html_open: int = -1
    body_open: int = -1
    body_close: int = -1
    is_frameset: bool = False

    def insert(self, at: int, text: bytes) -> None:
        self.edits.append((at, at, text))

    def insert_first(self, at: int, text: bytes) -> None:
        """In front of everything else that is put at the same place."""
        self.edits.insert(0, (at, at, text))

    def bytes(self) -> bytes:
        """The page with its edits; equal places keep the order in which they were asked for."""
        pieces, at = [], 0
        # A place may have been asked for twice where tags were read inside tags: once is enough.
        for start, end, text in sorted(dict.fromkeys(self.edits), key=lambda edit: edit[0]):
            if start < at:
                continue
            pieces += [self.page[at:start], text]
            at = end
        pieces.append(self.page[at:])
        return b"".join(pieces)


def hold(page: bytes, view: View) -> Held:
    held = Held(page)
    _Holder(held, view).over(0, len(page), 0)
    return held


class _Holder:
    def __init__(self, held: Held, view: View) -> None:
        self.held = held
        self.view = view
        self.page = held.page

    def over(self, start: int, end: int, nesting: int) -> None:
        """Judge every tag that begins between ``start`` and ``end``."""
        for tag in tags(self.page, start):
            if tag.start >= end:
                return
            if tag.closing:
                if tag.name == "body" and not nesting:
                    self.held.body_close = tag.start
                continue
            if not nesting:
                self._note_place(tag)
            step = _STEPS.get(tag.name)
            if step:
                step(self, tag, nesting)
            self._addresses(tag, nesting)

    def _note_place(self, tag: Tag) -> None:
        held = self.held
        if tag.name == "body" and held.body_open < 0:
            held.body_open = tag.end
        elif tag.name == "head" and held.head_open < 0:
            held.head_open = tag.end
        elif tag.name == "html" and held.html_open < 0:
            held.html_open = tag.end
        elif tag.name == "frameset":
            held.is_frameset = True

    # ----- elements with ways of their own -----

    def _script(self, tag: Tag, nesting: int) -> None:
        address = tag.get("src") or tag.get("href") or tag.get("xlink:href")  # the latter two in SVG
        kind = (tag.get("type") or tag.get("language") or "").strip().lower().partition(";")[0].strip()
        if kind not in _JAVASCRIPT and f"text/{kind}" not in _JAVASCRIPT:
            return  # a data block: browsers neither run nor fetch it
        if address is not None:
            if self._is_held(address, "script"):
                self._disarm(tag)
            return
        text = self.page[tag.end : tag.content_end]
        if not text.strip():
            return
        reason = self._inline_reason(tag, text)
        if reason is None:
            self._give_nonce(tag)
        else:
            self._disarm(tag)
            self._note("inline-script", *reason)

    def _inline_reason(self, tag: Tag, text: bytes) -> tuple[str, bool, str] | None:
        """None when the script may run: the site's own, or of declared hosts whose purposes are all allowed."""
        fingerprint = "sha256-" + b64encode(sha256(text).digest()).decode()
        if tag.get("nonce") == self.view.nonce or fingerprint in self.view.own_inline:
            return None
        marked = tag.get("data-lofte-purpose")
        purposes = {marked} if marked and marked in self.view.state.declarations.models else set()
        for host in dict.fromkeys(_HOST_IN_CODE.findall(text.decode("utf-8", "replace"))):
            ruling = self._ruling(host.lower())
            if ruling.own:
                continue
            if not ruling.purposes:
                return fingerprint, False, ""
            purposes.update(ruling.purposes)
        if not purposes:
            return fingerprint, False, ""
        return None if self.view.state.allowed.issuperset(purposes) else (fingerprint, True, sorted(purposes)[0])

    def _frame(self, tag: Tag, nesting: int) -> None:
        document = next((item for item in tag.attributes if item.name == "srcdoc"), None)
        if document and nesting < _MAX_NESTING:
            self._srcdoc(document, nesting)
        address = tag.get("src")
        host = host_of(address) if address else None
        if not address or host is None:
            return
        ruling = self._ruling(host)
        if not ruling.allowed:
            self.held.insert(tag.start, self._placeholder(tag, address, ruling))
            self.held.insert(tag.name_end, b" hidden")

    def _srcdoc(self, document: Attribute, nesting: int) -> None:
        inner = Held(document.value.encode())
        _Holder(inner, self.view).over(0, len(inner.page), nesting + 1)
        self.held.found.update(inner.found)
        if inner.edits:
            changed = escape(inner.bytes().decode()).encode()
            self.held.edits.append(
                (document.value_start, document.value_end, changed if document.quote else b'"' + changed + b'"')
            )

    def _style(self, tag: Tag, nesting: int) -> None:
        if self.page.find(b"(", tag.end, tag.content_end) < 0 and self.page.find(b"@", tag.end, tag.content_end) < 0:
            return
        sheet = self.page[tag.end : tag.content_end].decode("latin-1")
        for start, end, text in css.hold(sheet, lambda address: self._is_held(address, "style")):
            self.held.edits.append((tag.end + start, tag.end + end, text.encode()))

    def _noscript(self, tag: Tag, nesting: int) -> None:
        # Raw text for browsers with scripting, markup for those without, where a tag may even run on behind its end:
        # it is judged as markup and skipped as text.
        if nesting < _MAX_NESTING:
            self.over(tag.end, tag.content_end, nesting + 1)

    def _meta(self, tag: Tag, nesting: int) -> None:
        if (tag.get("http-equiv") or "").strip().lower() != "refresh":
            return
        found = _REFRESH.match(tag.get("content") or "")
        if found and self._is_held(found.group("url"), "refresh"):
            self._rename(tag, frozenset(("http-equiv",)))

    def _base(self, tag: Tag, nesting: int) -> None:
        host = host_of(tag.get("href") or "")
        if host is not None and not (ruling := self._ruling(host)).own:
            # Even an allowed host: it would turn every relative address of the page into a third-party one.
            self._note("base", ruling.host, bool(ruling.purposes), ruling.purposes[0] if ruling.purposes else "")
            self._rename(tag, frozenset(("href",)))

    # ----- addresses on any element -----

    def _addresses(self, tag: Tag, nesting: int) -> None:
        own_names = _ONLY_ON.get(tag.name, frozenset())
        kind: Kind = _KINDS.get(tag.name, "image")
        if tag.name == "link" and frozenset((tag.get("rel") or "").lower().split()) <= _UNLOADED_RELS:
            own_names = frozenset()
        for item in tag.attributes:
            name, value = item.name, item.value
            if name == "style":
                self._inline_style(item)
            elif name in _SETS:
                if any(self._is_held(part, kind) for part in _candidates(value)):
                    self._rename_one(item)
            elif name in _PINGS:
                if any(self._is_held(part, "ping") for part in value.split()):
                    self._rename_one(item)
            elif (name in _ANYWHERE or name in own_names) and self._is_held(value, kind):
                self._rename_one(item)

    def _inline_style(self, item: Attribute) -> None:
        changed = css.held_text(item.value, lambda address: self._is_held(address, "style"))
        if changed != item.value:
            text = escape(changed).encode()
            self.held.edits.append((item.value_start, item.value_end, text if item.quote else b'"' + text + b'"'))

    # ----- judging and marking -----

    def _ruling(self, host: str) -> Ruling:
        return self.view.state.ruling(host, self.view.page_host)

    def _is_held(self, address: str, kind: Kind) -> bool:
        host = host_of(address)
        if host is None:
            return False
        ruling = self._ruling(host)
        if not ruling.allowed:
            self._note(kind, host, bool(ruling.purposes), ruling.purposes[0] if ruling.purposes else "")
        return not ruling.allowed

    def _note(self, kind: Kind, what: str, declared: bool, purpose: str) -> None:
        self.held.found.setdefault((kind, what), (declared, purpose))

    def _rename(self, tag: Tag, names: frozenset[str]) -> None:
        for item in tag.attributes:
            if item.name in names:
                self._rename_one(item)

    def _rename_one(self, item: Attribute) -> None:
        self.held.insert(item.start, b"data-lofte-")

    def _disarm(self, tag: Tag) -> None:
        # The first of two equal attributes counts, so this one wins over the page's own type.
        self.held.insert(tag.name_end, b" type=text/plain data-lofte-held")

    def _give_nonce(self, tag: Tag) -> None:
        if tag.get("nonce") != self.view.nonce:
            self.held.insert(tag.name_end, f' nonce="{self.view.nonce}"'.encode())

    def _placeholder(self, tag: Tag, address: str, ruling: Ruling) -> bytes:
        locale, host = self.view.locale, bare(ruling.host)
        why = say(locale, "banner.frame.held" if ruling.purposes else "banner.frame.unknown", host=host)
        width, height = (tag.get("width") or "").strip(), (tag.get("height") or "").strip()
        ratio = (
            f' style="aspect-ratio:{width}/{height}"' if _NUMBER.fullmatch(width) and _NUMBER.fullmatch(height) else ""
        )
        title = f"<strong>{escape(name)}</strong> " if (name := (tag.get("title") or "").strip()) else ""
        settings = (
            f' <a href="{escape(self.view.preferences)}">{escape(say(locale, "banner.frame.allow"))}</a>'
            if ruling.purposes
            else ""
        )
        open_word = escape(say(locale, "banner.frame.open", host=host))
        return (
            f'<span class="lofte-held" data-lofte="held-frame" role="group" aria-label="{escape(name or host)}"{ratio}>'
            f"<span>{title}{escape(why)}</span> "
            f'<span><a href="{escape(_watchable(address))}" rel="noopener noreferrer">{open_word}</a>{settings}</span>'
            "</span>"
        ).encode("ascii", "xmlcharrefreplace")


_STEPS: Mapping[str, Callable[[_Holder, Tag, int], None]] = {
    "script": _Holder._script,
    "iframe": _Holder._frame,
    "style": _Holder._style,
    "noscript": _Holder._noscript,
    "meta": _Holder._meta,
    "base": _Holder._base,
}


def _candidates(srcset: str) -> list[str]:
    """The addresses of a srcset (HTML 4.8.4.2.1): read greedily, since a wrong split may only hold too much."""
    return [part.split()[0] for part in re.split(r",(?=\s)|(?<=[wx]),|,(?=(?:https?:)?//)", srcset) if part.split()]


def _watchable(address: str) -> str:
    """The page a person can open instead of the frame: a YouTube embed has its own address for that."""
    found = re.match(
        r"^(https?:)?//(?:www\.)?youtube(?:-nocookie)?\.com/embed/([\w-]{6,20})", address.strip(), re.IGNORECASE
    )
    return f"https://www.youtube.com/watch?v={quote(found.group(2))}" if found else address.strip()
