"""Holds what a page may not load: renames the loading attribute, and touches no byte outside the tags it holds.

Held is not lost: `src` becomes `data-lofte-src`, and `data-lofte-held` names the purposes that would let it in (none: nobody
declared it). What everybody gets is the same; the guard releases in the browser what its visitor allows (decision 0012).
"""

import re
from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from html import escape
from urllib.parse import parse_qs, unquote, urlsplit

from lofte.gate import css
from lofte.gate.consent import ConsentState, Ruling
from lofte.gate.hosts import host_of
from lofte.gate.placeholders import DRESSING, Placeholders
from lofte.gate.report import Kind
from lofte.gate.tags import Attribute, Context, Tag, tags

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
_OTHER_SCRIPTS = frozenset(("module", "importmap", "speculationrules"))
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
_OWN_FRAME = re.compile(r"lofte/(?:\.?/)*frame(?:[?#]|$)")
_HOST_IN_CODE = re.compile(
    r"""(?:(?:https?|wss?):(?:\\?/){2}|(?<=["'`])//)([a-z0-9][a-z0-9.-]*\.[a-z0-9-]+)""", re.IGNORECASE
)
# Inline code that keeps or reads something on the device: not before somebody says for which purpose.
_STORES = re.compile(
    rb"document\s*\.\s*cookie|\[\s*['\"]cookie['\"]\s*\]|\b(?:localStorage|sessionStorage|indexedDB|cookieStore|caches)\b"
)
MOST_INLINE = 64  # hashes of a page's own inline scripts that fit into a header proxies still pass on


@dataclass(frozen=True, slots=True)
class View:
    """What the page is judged by: what everybody may load, whoever they are.

    ``nonce`` is the one the site was given for inline scripts of its own, ``own_inline`` holds `sha256-...` of others;
    ``guard`` is put into documents inside the page, which have no server to do it.
    """

    state: ConsentState
    page_host: str
    nonce: str
    preferences: str
    placeholders: Placeholders
    own_inline: frozenset[str] = frozenset()
    guard: bytes = b""


@dataclass(slots=True)
class Held:
    """A page on its way out: what to change where, what was held, and where head and body begin and end.

    ``found`` and ``inline`` name the purposes needed: of what was held (none: undeclared), and of each inline script that may
    run (`sha256-...`; none: at once).
    """

    page: bytes
    edits: list[tuple[int, int, bytes]] = field(default_factory=list)
    found: dict[tuple[Kind, str], tuple[str, ...]] = field(default_factory=dict)
    inline: dict[str, tuple[str, ...]] = field(default_factory=dict)
    is_dressed: bool = False
    head_open: int = -1
    html_open: int = -1
    body_open: int = -1
    body_close: int = -1
    is_frameset: bool = False
    context: Context = field(default_factory=Context)
    most_inline: int = MOST_INLINE

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


def hold(page: bytes, view: View, before: Held | None = None) -> Held:
    """``before`` is the piece of the same page that went out before this one, and with it the headers."""
    held = Held(page)
    if before is not None:
        held = Held(
            page, found=before.found, inline=before.inline, is_dressed=before.is_dressed, is_frameset=before.is_frameset,
            context=before.context, most_inline=0,
        )  # fmt: skip
    _Holder(held, view).over(0, len(page), 0)
    return held


class _Holder:
    def __init__(self, held: Held, view: View) -> None:
        self.held = held
        self.view = view
        self.page = held.page

    def over(self, start: int, end: int, nesting: int) -> None:
        """Judge every tag that begins between ``start`` and ``end``."""
        for tag in tags(self.page, start, context=None if nesting else self.held.context):
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
            purposes = self._needs(address, "script")
            if purposes is not None:
                self._disarm(tag, purposes)
            return
        text = self.page[tag.end : tag.content_end]
        if text.strip():
            self._inline(tag, text)

    def _inline(self, tag: Tag, text: bytes) -> None:
        """Own code runs, by its hash; code that names a third party or keeps something waits for the purposes, or for ever."""
        fingerprint = "sha256-" + b64encode(sha256(text).digest()).decode()
        if tag.get("nonce") == self.view.nonce:
            return
        is_own = fingerprint in self.view.own_inline
        purposes = frozenset() if is_own else self._purposes_of(tag, text)
        if purposes is not None and (len(self.held.inline) < self.held.most_inline or fingerprint in self.held.inline):
            needed = tuple(sorted(purposes - self.view.state.allowed))
            self.held.inline[fingerprint] = needed
            if not needed:
                return
        else:
            needed = ()
        self._disarm(tag, needed)
        self._note("inline-script", fingerprint, needed)

    def _purposes_of(self, tag: Tag, text: bytes) -> frozenset[str] | None:
        """The purposes inline code waits for; None when it names what nobody declared, or keeps something nobody vouches for."""
        marked = tag.get("data-lofte-purpose")
        purposes = {marked} if marked and marked in self.view.state.declarations.models else set()
        for host in dict.fromkeys(_HOST_IN_CODE.findall(text.decode("utf-8", "replace"))):
            ruling = self._ruling(host.lower())
            if ruling.own:
                continue
            if not ruling.purposes:
                return None
            purposes.update(ruling.purposes)
        return None if not purposes and _STORES.search(text) else frozenset(purposes)

    def _frame(self, tag: Tag, nesting: int) -> None:
        document = next((item for item in tag.attributes if item.name == "srcdoc"), None)
        if document and nesting < _MAX_NESTING:
            self._srcdoc(document, nesting)
        address = _beyond(tag.get("src") or "")
        host = host_of(address) if address else None
        if not address or host is None:
            return
        ruling = self._ruling(host)
        if not ruling.allowed:
            view, held = self.view, self.held
            if not held.is_dressed:
                held.insert(tag.start, DRESSING)
                held.is_dressed = True
            size = (tag.get("title") or "", tag.get("width") or "", tag.get("height") or "")
            held.insert(tag.start, view.placeholders.of(address, ruling.purposes, view.preferences, *size))
            held.insert(tag.name_end, b" hidden")

    def _srcdoc(self, document: Attribute, nesting: int) -> None:
        inner = Held(document.value.encode(), is_dressed=True)
        _Holder(inner, self.view).over(0, len(inner.page), nesting + 1)
        self.held.found.update(inner.found)
        self.held.inline.update(inner.inline)
        if self.view.guard and b"<" in inner.page:
            inner.insert_first(0, self.view.guard)
        if inner.edits:
            changed = escape(inner.bytes().decode()).encode()
            self.held.edits.append(
                (document.value_start, document.value_end, changed if document.quote else b'"' + changed + b'"')
            )

    def _style(self, tag: Tag, nesting: int) -> None:
        if self.page.find(b"(", tag.end, tag.content_end) < 0 and self.page.find(b"@", tag.end, tag.content_end) < 0:
            return
        sheet = self.page[tag.end : tag.content_end].decode("latin-1")  # so that places are places in the page
        for start, end, text in css.hold(sheet, lambda address: self._style_address(_as_utf8(address))):
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
        if found and self._needs(found.group("url"), "refresh") is not None:
            self._rename(tag, frozenset(("http-equiv",)))

    def _base(self, tag: Tag, nesting: int) -> None:
        host = host_of(tag.get("href") or "")
        if host is not None and not (ruling := self._ruling(host)).own:
            # Even an allowed host: it would turn every relative address of the page into a third-party one.
            self._note("base", ruling.host, ruling.purposes)
            self._rename(tag, frozenset(("href",)))

    # ----- addresses on any element -----

    def _addresses(self, tag: Tag, nesting: int) -> None:
        own_names = _ONLY_ON.get(tag.name, frozenset())
        kind: Kind = _KINDS.get(tag.name, "image")
        if tag.name == "link" and frozenset((tag.get("rel") or "").lower().split()) <= _UNLOADED_RELS:
            own_names = frozenset()
        needed: list[tuple[str, ...]] = []
        for item in tag.attributes:
            name = item.name
            if name == "style":
                self._inline_style(item)
                continue
            if name in _SETS:
                addresses = _candidates(item.value)
            elif name in _PINGS:
                addresses = item.value.split()
            elif name in _ANYWHERE or name in own_names:
                addresses = [item.value]
            else:
                continue
            waits = [purposes for part in addresses if (purposes := self._needs(part, _kind(name, kind))) is not None]
            if waits:
                self._rename_one(item)
                needed += waits
        if needed and tag.name != "script":  # scripts say it where they are disarmed
            self.held.insert(tag.name_end, _mark(needed))

    def _inline_style(self, item: Attribute) -> None:
        changed = css.held_text(item.value, self._style_address)
        if changed != item.value:
            text = escape(changed).encode()
            self.held.edits.append((item.value_start, item.value_end, text if item.quote else b'"' + text + b'"'))

    # ----- judging and marking -----

    def _ruling(self, host: str) -> Ruling:
        return self.view.state.ruling(host, self.view.page_host)

    def _needs(self, address: str, kind: Kind) -> tuple[str, ...] | None:
        """None when everybody may load it; else the purposes it waits for, none when nobody declared it."""
        host = host_of(_beyond(address))
        if host is None:
            return None
        ruling = self._ruling(host)
        if ruling.allowed:
            return None
        self._note(kind, host, ruling.purposes)
        return ruling.purposes

    def _style_address(self, address: str) -> str | None:
        purposes = self._needs(address, "style")
        return None if purposes is None else css.instead(address, purposes)

    def _note(self, kind: Kind, what: str, purposes: tuple[str, ...]) -> None:
        self.held.found.setdefault((kind, what), purposes)

    def _rename(self, tag: Tag, names: frozenset[str]) -> None:
        for item in tag.attributes:
            if item.name in names:
                self._rename_one(item)

    def _rename_one(self, item: Attribute) -> None:
        self.held.insert(item.start, b"data-lofte-")

    def _disarm(self, tag: Tag, purposes: tuple[str, ...]) -> None:
        # The first of two equal attributes counts, so this one wins over the page's own type.
        kind = (tag.get("type") or "").strip().lower()
        own = f" data-lofte-type={kind}" if kind in _OTHER_SCRIPTS else ""
        self.held.insert(tag.name_end, b" type=text/plain" + own.encode() + _mark([purposes]))


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


def _mark(needed: list[tuple[str, ...]]) -> bytes:
    """The purposes that would all have to be allowed; without a value when a part of it is undeclared.

    No quotes: what looks like a tag may stand in an attribute's value, which a quote would end.
    """
    purposes = "~".join(sorted(set().union(*needed))) if all(needed) else ""
    return f" data-lofte-held={purposes}".encode() if purposes else b" data-lofte-held"


def _kind(attribute: str, of_element: Kind) -> Kind:
    return "ping" if attribute in _PINGS else of_element


def _beyond(address: str) -> str:
    """Where an address leads: our own page of one frame (`/lofte/frame?src=`) is for who presses, not for a page to name."""
    if "?" not in address or not _OWN_FRAME.search(unquote(address).replace("\\", "/")):
        return address
    return next(iter(parse_qs(urlsplit(address).query).get("src", ())), address)


def _as_utf8(address: str) -> str:
    return address.encode("latin-1").decode("utf-8", "replace")
