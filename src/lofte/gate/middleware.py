"""The ASGI middleware that ties the gate together: what comes in, what the site may see of it, and what may leave.

Everything that does not depend on the request is prepared once per publication, market and consent state.
"""

import gzip
import re
import secrets
import zlib
from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping
from html import escape
from typing import Any
from urllib.parse import quote

from lofte.gate import csp, guard
from lofte.gate.choice import Choice, decode
from lofte.gate.consent import ConsentState, Declarations, own_hosts
from lofte.gate.document import Held, View, hold
from lofte.gate.hosts import bare, host_of, normal_host
from lofte.gate.report import HeldReport, Kind
from lofte.rules.published import Published

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
ASGIApp = Callable[[Scope, Receive, Send], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]

MAX_PAGE_BYTES = 16 * 1024 * 1024  # a page beyond this is sent unread, behind the CSP alone
_MOST_EXPIRIES = 60  # some 4 kB of headers; what is left over goes with the next answer
_HTML = (b"text/html", b"application/xhtml+xml")
_CONDITIONS = frozenset((b"if-none-match", b"if-modified-since", b"if-range", b"range"))
_LINK = re.compile(r"<([^>]*)>((?:\s*;\s*[^;,=\"]+(?:=(?:\"[^\"]*\"|[^;,\"]*))?)*)")
_REL = re.compile(r";\s*rel\s*=\s*\"?([^\";]*)", re.IGNORECASE)
_HARMLESS_RELS = frozenset(
    ("alternate", "canonical", "next", "prev", "license", "shortlink", "https://api.w.org/", "self")
)
_CHARSET = re.compile(rb"(?i)charset\s*=\s*[\"']?([a-z0-9_.:-]+)")
_META_CHARSET = re.compile(rb"(?i)<meta[^>]{0,200}?charset\s*=\s*[\"']?\s*([a-z0-9_.:-]+)")
_NOT_ASCII = frozenset(("utf-16", "utf-16le", "utf-16be", "utf-32", "iso-2022-jp", "hz-gb-2312", "utf-7"))
_ADDRESSES_OUT = (b"reporting-endpoints", b"report-to", b"refresh")


class Gate:
    """``Gate(app, published=..., choice_key=..., banner=..., own_hosts=..., on_held=...)`` around any ASGI site.

    ``banner(scope, market, locale)`` gives the banner's HTML with fresh token; its nonce slot is filled here.
    ``own_hosts`` are hosts, with port if not the default, that belong to the site besides the one asked for.
    ``on_held`` hears once a response of each thing held. ``host_map`` names stand-ins of declared hosts.
    ``own_inline`` holds `sha256-...` of the site's own inline scripts; a site may instead give them
    `scope["lofte.nonce"]`.
    ``asked_anew(choice, published)`` names the purposes whose consent no longer covers the present publication.
    """

    def __init__(
        self,
        app: ASGIApp,
        published: Callable[[], Published],
        choice_key: bytes,
        banner: Callable[[Scope, str, str], bytes],
        own_hosts: Iterable[str] = (),
        on_held: Callable[[HeldReport], None] = lambda report: None,
        host_map: Mapping[str, str] | None = None,
        *,
        own_inline: Iterable[str] = (),
        asked_anew: Callable[[Choice, Published], frozenset[str]] = lambda choice, published: frozenset(),
        trusted_types: bool = True,
    ) -> None:
        self.app = app
        self.published = published
        self.choice_key = choice_key
        self.banner = banner
        self.own_hosts = _own(own_hosts)
        self.on_held = on_held
        self.host_map = dict(host_map or {})
        self.own_inline = frozenset(own_inline)
        self.asked_anew = asked_anew
        self.trusted_types = trusted_types
        self._prepared: dict[tuple[str, str, frozenset[str]], _Prepared] = {}
        self._declarations: dict[tuple[str, str], Declarations] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        visit = self._visit(scope)
        await self.app(visit.scope, receive, _Answer(self, visit, send))

    def _visit(self, scope: Scope) -> "_Visit":
        published = self.published()
        headers = _Request(scope)
        market, locale = _edition(published, scope["path"], headers)
        choice = decode(headers.get(b"cookie"), self.choice_key)
        anew = self.asked_anew(choice, published) if choice else frozenset()
        declarations = self._declared(published, market)
        allowed = declarations.allowed(choice, gpc=headers.gpc, asked_anew=anew)
        prepared = self._prepare(declarations, allowed)
        word = published.word(locale, "banner", "settings_link")
        return _Visit(scope, headers, market, locale, choice is not None, bool(anew), prepared, word)

    def _declared(self, published: Published, market: str) -> Declarations:
        key = (published.digest, market)
        if key not in self._declarations:
            stale = [old for old in self._declarations if old[0] != published.digest]
            for old in stale:
                del self._declarations[old]
            self._declarations[key] = Declarations(published, market, self.host_map)
        return self._declarations[key]

    def _prepare(self, declarations: Declarations, allowed: frozenset[str]) -> "_Prepared":
        key = (declarations.digest, declarations.market, allowed)
        if key not in self._prepared:
            for old in [old for old in self._prepared if old[0] != declarations.digest]:
                del self._prepared[old]
            state = ConsentState(declarations, allowed, self.own_hosts)
            self._prepared[key] = _Prepared(state, trusted_types=self.trusted_types)
        return self._prepared[key]


class _Prepared:
    """A consent state with its header and guard, ready to be cut at the nonce."""

    def __init__(self, state: ConsentState, *, trusted_types: bool) -> None:
        self.state = state
        self.policy = csp.policy(state, trusted_types=trusted_types)
        self.guard = f'<script nonce="{csp.NONCE}" data-lofte="guard">{guard.script(state)}</script>'


class _Request:
    """The request headers the gate asks about."""

    def __init__(self, scope: Scope) -> None:
        self.all: Headers = list(scope["headers"])
        self.host = normal_host((self.get(b"host") or b"").decode("latin-1"))
        self.gpc = any(name == b"sec-gpc" and value.strip() == b"1" for name, value in self.all)
        target = self.get(b"sec-fetch-dest")
        self.is_page = (
            target in (b"document", None) and not self.get(b"hx-request") and not self.get(b"x-requested-with")
        )
        self.wants_html = (
            self.is_page or target in (b"iframe", b"frame") or b"text/html" in (self.get(b"accept") or b"")
        )

    def get(self, wanted: bytes) -> bytes | None:
        return next((value for name, value in self.all if name == wanted), None)

    def as_the_site_may_see(self) -> Headers:
        """For pages: whole, current, in an encoding we read. An old validator belongs to other bytes than ours."""
        if not self.wants_html:
            return self.all
        kept = [(name, value) for name, value in self.all if name not in _CONDITIONS and name != b"accept-encoding"]
        return [*kept, (b"accept-encoding", b"gzip")]

    def cookie_names(self) -> list[str]:
        header = b";".join(value for name, value in self.all if name == b"cookie").decode("latin-1")
        return list(dict.fromkeys(pair.partition("=")[0].strip() for pair in header.split(";") if pair.strip()))


class _Visit:
    """One request with everything decided about it."""

    def __init__(
        self,
        scope: Scope,
        request: _Request,
        market: str,
        locale: str,
        has_choice: bool,
        asks_anew: bool,
        prepared: _Prepared,
        settings_word: str,
    ) -> None:
        self.request, self.market, self.locale = request, market, locale
        self.has_choice, self.asks = has_choice, asks_anew or not has_choice
        self.settings_word = settings_word
        self.prepared, self.state = prepared, prepared.state
        self.nonce = secrets.token_urlsafe(16)
        self.path = scope["path"]
        self.back = quote(scope["path"], safe="/~._-")
        self.scope: Scope = {
            **scope,
            "headers": request.as_the_site_may_see(),
            # Shortcuts past the body would be shortcuts past the gate.
            "extensions": {
                key: value for key, value in (scope.get("extensions") or {}).items()
                if key not in ("http.response.pathsend", "http.response.zerocopysend")
            },
            "lofte.nonce": self.nonce,
            "lofte.market": market,
            "lofte.locale": locale,
            "lofte.allowed": self.state.allowed,
        }  # fmt: skip

    @property
    def preferences(self) -> str:
        return f"/lofte/preferences/{self.market.lower()}/{self.locale}/?back={self.back}"


class _Answer:
    """The `send` given to the site: headers are read and mended, pages are collected and held, all else streams by."""

    def __init__(self, gate: Gate, visit: _Visit, send: Send) -> None:
        self.gate, self.visit, self.send = gate, visit, send
        self.start: Message | None = None
        self.body = bytearray()
        self.reported: set[tuple[Kind, str]] = set()
        self.collects = False

    async def __call__(self, message: Message) -> None:
        kind = message["type"]
        if kind == "http.response.start":
            await self._begin(message)
        elif kind == "http.response.body" and self.collects:
            await self._collect(message)
        elif kind == "http.response.early_hint":
            links = [link for value in message.get("links", ()) if (link := self._links(value.decode("latin-1")))]
            if links:
                await self.send({**message, "links": [link.encode("latin-1") for link in links]})
        else:
            await self.send(message)

    async def _begin(self, message: Message) -> None:
        headers = [(name.lower(), value) for name, value in message.get("headers", ())]
        kept = self._cookies_held(self._headers_held(headers))
        content_type = _header(kept, b"content-type") or b""
        is_html = content_type.strip().lower().startswith(_HTML)
        if not is_html:
            await self.send({**message, "headers": self._with_expiries(_with_defaults(kept, self.visit.scope))})
            return
        kept = self._page_headers(kept)
        encoding = (_header(kept, b"content-encoding") or b"identity").strip().lower()
        self.collects = encoding in (b"identity", b"", b"gzip", b"x-gzip", b"deflate") and message["status"] not in (
            204,
            304,
        )
        if not self.collects:
            self._report("unreadable", encoding.decode("latin-1"), declared=False)
        self.start = {**message, "headers": kept}
        if not self.collects:
            await self.send(self.start)

    async def _collect(self, message: Message) -> None:
        self.body += message.get("body", b"")
        more = message.get("more_body", False)
        if more and len(self.body) <= MAX_PAGE_BYTES:
            return
        assert self.start is not None
        headers: Headers = self.start["headers"]
        if self.visit.scope["method"] == "HEAD":
            headers = _without(headers, b"content-length", b"content-encoding")
            body = b""
        elif more:
            self._report("unreadable", "size", declared=False)
            body, self.collects = bytes(self.body), False
        else:
            headers, body = self._held(headers, bytes(self.body))
        await self.send({**self.start, "headers": headers})
        await self.send({"type": "http.response.body", "body": body, "more_body": more})

    def _held(self, headers: Headers, body: bytes) -> tuple[Headers, bytes]:
        encoding = (_header(headers, b"content-encoding") or b"").strip().lower()
        try:
            page = _unpacked(body, encoding)
            page, charset = _as_ascii_compatible(page, _header(headers, b"content-type") or b"")
        except (OSError, EOFError, zlib.error, UnicodeError, LookupError):
            self._report("unreadable", "encoding", declared=False)
            return headers, body  # as broken as it came; the CSP holds
        page = self._page(page)
        headers = _without(headers, b"content-length", b"content-encoding")
        headers = [(n, charset if n == b"content-type" and charset else v) for n, v in headers]
        return [*headers, (b"content-length", str(len(page)).encode())], page

    def _page(self, page: bytes) -> bytes:
        visit = self.visit
        view = View(visit.state, visit.request.host, visit.nonce, visit.locale, visit.preferences, self.gate.own_inline)
        held = hold(page, view)
        for (kind, what), (declared, purpose) in held.found.items():
            self._report(kind, what, declared=declared, purpose=purpose)
        if page.strip():
            self._insert(held)
        return held.bytes()

    def _insert(self, held: Held) -> None:
        """The banner first in the body, the guard first of all scripts, the way back at the end."""
        visit = self.visit
        is_whole = visit.request.is_page and not held.is_frameset
        if is_whole and visit.asks:
            banner = self.gate.banner(visit.scope, visit.market, visit.locale)
            if visit.has_choice:  # asked anew: the page may hold what was allowed before, so the answer turns it
                banner = banner.replace(b'id="lofte-banner"', b'id="lofte-banner" data-anew', 1)
            held.insert_first(_body_place(held), banner.replace(b"<!--lofte:nonce-->", visit.nonce.encode()))
        if visit.request.is_page or held.head_open >= 0 or held.html_open >= 0:
            style = guard.FRAME_STYLE if any(kind == "frame" for kind, _ in held.found) else ""
            dressing = visit.prepared.guard.replace(csp.NONCE, visit.nonce) + style
            held.insert_first(_head_place(held), dressing.encode())
        if is_whole and b'id="lofte-settings"' not in held.page:
            words = escape(visit.settings_word).encode("ascii", "xmlcharrefreplace")
            link = b'<nav id="lofte-settings" style="padding:1em" aria-label="%s"><a href="%s">%s</a></nav>' % (
                words,
                escape(visit.preferences).encode(),
                words,
            )
            held.insert(held.body_close if held.body_close >= 0 else len(held.page), link)

    # ----- headers -----

    def _page_headers(self, headers: Headers) -> Headers:
        visit = self.visit
        policy = visit.prepared.policy.replace(csp.NONCE, visit.nonce)
        own_policy = _header(headers, b"content-security-policy")
        if own_policy or _header(headers, b"x-frame-options"):
            policy = policy.replace("; frame-ancestors 'self'", "")  # who may frame the site is the site's to say
        kept = _without(headers, b"etag", b"last-modified", b"accept-ranges", b"age", b"expires")
        kept = [
            (name, _admit(value, visit.nonce) if name == b"content-security-policy" else value) for name, value in kept
        ]
        cache = (_header(kept, b"cache-control") or b"").lower()
        # A page carries this visitor's nonce, choice and token: no cache may hand it to somebody else.
        caching = b"no-store" if b"no-store" in cache else b"private, no-cache"
        vary = (_header(kept, b"vary") or b"").decode("latin-1")
        named = [
            name.strip()
            for name in vary.split(",")
            if name.strip() and name.strip().lower() not in ("cookie", "sec-gpc")
        ]
        kept = _without(kept, b"cache-control", b"vary")
        kept += [
            (b"content-security-policy", policy.encode()),
            (b"cache-control", caching),
            (b"vary", ", ".join([*named, "Cookie", "Sec-GPC"]).encode("latin-1")),
        ]
        return self._with_expiries(_with_defaults(kept, visit.scope))

    def _headers_held(self, headers: Headers) -> Headers:
        kept: Headers = []
        for name, value in headers:
            text = value.decode("latin-1")
            if name == b"link":
                if text := self._links(text):
                    kept.append((name, text.encode("latin-1")))
            elif name in _ADDRESSES_OUT or name == b"content-security-policy-report-only":
                hosts = [host_of(found) for found in re.findall(r"(?:https?:)?//[^\s\"';,]+", text)]
                foreign = [host for host in hosts if host and not self._ruling(host).allowed]
                for host in foreign:
                    self._report_host("refresh" if name == b"refresh" else "header", host)
                if not foreign:
                    kept.append((name, value))
            else:
                kept.append((name, value))
        return kept

    def _links(self, value: str) -> str:
        """A Link header without what would make the browser fetch or connect (RFC 8288)."""
        kept = []
        for found in _LINK.finditer(value):
            host = host_of(found.group(1))
            rel = _REL.search(found.group(2))
            rels = frozenset((rel.group(1) if rel else "").lower().split())
            if host and not self._ruling(host).allowed and not (rels and rels <= _HARMLESS_RELS):
                self._report_host("header", host)
            else:
                kept.append(found.group())
        return ", ".join(kept)

    def _cookies_held(self, headers: Headers) -> Headers:
        """What the site sets without being allowed to stays here (ePrivacy 5(3)); deleting is always allowed."""
        kept: Headers = []
        for name, value in headers:
            if name == b"set-cookie" and not _deletes(value):
                cookie_name = value.split(b"=", 1)[0].split(b";")[0].strip().decode("latin-1")
                declared = self.visit.state.declarations.cookie(cookie_name)
                if declared is None or not self.visit.state.may_keep(declared):
                    self._report(
                        "cookie",
                        cookie_name,
                        declared=declared is not None,
                        purpose=declared.purpose if declared else "",
                    )
                    continue
            kept.append((name, value))
        return kept

    def _with_expiries(self, headers: Headers) -> Headers:
        """Deletes what the browser still sends of purposes not allowed, on every path and domain it may be set for."""
        state, lines = self.visit.state, []
        for name in self.visit.request.cookie_names():
            cookie = state.declarations.cookie(name)
            if cookie is None or state.may_keep(cookie) or not re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", name):
                continue
            for path in dict.fromkeys(("/", cookie.path, *_folders(self.visit.path))):
                lines += [f"{name}=; Max-Age=0; Path={path}{domain}" for domain in _domains(self.visit.request.host)]
        return [*headers, *((b"set-cookie", line.encode("latin-1")) for line in lines[:_MOST_EXPIRIES])]

    # ----- reports -----

    def _ruling(self, host: str) -> Any:
        return self.visit.state.ruling(host, self.visit.request.host)

    def _report_host(self, kind: Kind, host: str) -> None:
        purposes = self._ruling(host).purposes
        self._report(kind, host, declared=bool(purposes), purpose=purposes[0] if purposes else "")

    def _report(self, kind: Kind, what: str, *, declared: bool, purpose: str = "") -> None:
        if (kind, what) not in self.reported:
            self.reported.add((kind, what))
            self.gate.on_held(HeldReport(kind, what, declared, purpose, self.visit.path, self.visit.market))


def _own(hosts: Iterable[str]) -> frozenset[str]:
    return own_hosts(hosts)


def _edition(published: Published, path: str, request: _Request) -> tuple[str, str]:
    """The market and locale of a page: by its path, else by the languages the browser wants, else the first."""
    policy = published.policy
    market = published.market_of_path(path)
    if market is None:
        wanted = (request.get(b"accept-language") or b"").decode("latin-1").lower()
        tags = [part.partition(";")[0].strip() for part in wanted.split(",")]
        spoken = {locale.lower(): key for key, item in reversed(policy.markets.items()) for locale in item.locales}
        languages = {locale.partition("-")[0]: key for locale, key in spoken.items()} | {"no": spoken.get("nb", "")}
        found = next((hit for tag in tags if (hit := spoken.get(tag) or languages.get(tag.partition("-")[0]))), None)
        market = found or next(iter(policy.markets))
    return market, policy.markets[market].locales[0]


def _head_place(held: Held) -> int:
    """As early as a script may stand: behind `<head>`, else `<html>`, else the doctype."""
    place = max(held.head_open, held.html_open)
    if held.head_open >= 0:
        place = held.head_open
    if place >= 0:
        return place
    found = re.match(rb"(?is)(?:\xef\xbb\xbf)?\s*(?:<!--.*?-->\s*)*(?:<!doctype[^>]*>)?", held.page)
    return found.end() if found else 0


_HEAD_ONLY = re.compile(
    rb"(?is)(?:\s+|<!--.*?-->|<!doctype[^>]*>|</?(?:html|head|meta|link|base)(?=[\s/>])[^>]*>|</?body[^>]*>"
    + b"".join(
        rb"|<" + name + rb"(?=[\s/>])[^>]*>.*?</" + name + rb"[^>]*>"
        for name in (b"title", b"script", b"style", b"noscript", b"template")
    )
    + rb")*"
)


def _body_place(held: Held) -> int:
    """First in the body; where no body tag is written, in front of the first thing that would open one."""
    if held.body_open >= 0:
        return held.body_open
    found = _HEAD_ONLY.match(held.page.removeprefix(b"\xef\xbb\xbf"))
    offset = 3 if held.page.startswith(b"\xef\xbb\xbf") else 0
    return max(offset + (found.end() if found else 0), _head_place(held))


def _header(headers: Headers, wanted: bytes) -> bytes | None:
    return next((value for name, value in headers if name == wanted), None)


def _without(headers: Headers, *names: bytes) -> Headers:
    return [(name, value) for name, value in headers if name not in names]


def _with_defaults(headers: Headers, scope: Scope) -> Headers:
    """Security headers the site did not send itself."""
    defaults = [(b"x-content-type-options", b"nosniff"), (b"referrer-policy", b"strict-origin-when-cross-origin")]
    if scope.get("scheme") == "https":
        defaults.append((b"strict-transport-security", b"max-age=31536000"))
    present = {name for name, _ in headers}
    return [*headers, *((name, value) for name, value in defaults if name not in present)]


def _admit(own_policy: bytes, nonce: str) -> bytes:
    """The site's own CSP, with our nonce where it lists sources: guard and banner are part of the page."""
    parts = []
    for part in own_policy.decode("latin-1").split(";"):
        name = part.split()[0].lower() if part.split() else ""
        if name in ("script-src", "script-src-elem", "style-src", "style-src-elem") and "'unsafe-inline'" not in part:
            part = f"{part.replace(chr(39) + 'none' + chr(39), '')} 'nonce-{nonce}'"
        parts.append(part)
    return ";".join(parts).encode("latin-1")


def _deletes(set_cookie: bytes) -> bool:
    return bool(re.search(rb"(?i);\s*(?:max-age=(?:0|-\d+)|expires=[^;]*\b(?:19[67]\d))\s*", set_cookie))


def _folders(path: str) -> list[str]:
    """The folders above a path, where a script may have left a cookie that only they see."""
    parts = [quote(part, safe="~._-") for part in path.split("/") if part][:4]
    return ["/" + "/".join(parts[: n + 1]) for n in range(len(parts))]


def _domains(host: str) -> list[str]:
    """Host-only, then the host and its parents as Domain attributes; addresses and single names have none."""
    name = bare(host)
    labels = name.split(".")
    if len(labels) < 2 or labels[-1].isdigit() or not re.fullmatch(r"[a-z0-9.-]+", name):
        return [""]
    return ["", *(f"; Domain={'.'.join(labels[n:])}" for n in range(len(labels) - 1))]


def _unpacked(body: bytes, encoding: bytes) -> bytes:
    if encoding in (b"gzip", b"x-gzip"):
        return gzip.decompress(body)
    if encoding == b"deflate":
        try:
            return zlib.decompress(body)
        except zlib.error:
            return zlib.decompress(body, -zlib.MAX_WBITS)
    return body


def _as_ascii_compatible(page: bytes, content_type: bytes) -> tuple[bytes, bytes]:
    """The page as bytes whose ASCII is ASCII, and the Content-Type to send with it (empty: as it was).

    Our insertions push a `<meta charset>` past the 1024 bytes browsers look through, so it moves to the header.
    """
    if page.startswith((b"\xff\xfe", b"\xfe\xff")):
        return page.decode("utf-16").encode(), b"text/html; charset=utf-8"
    named = _CHARSET.search(content_type) or _META_CHARSET.search(page[:1024])
    charset = named.group(1).decode("ascii").lower() if named else ""
    media = content_type.partition(b";")[0].strip()
    if charset in _NOT_ASCII:
        if not _CHARSET.search(content_type):
            charset = "utf-8"  # HTML 13.2.3.2: a meta that claims UTF-16 was itself read as ASCII
            return page, media + b"; charset=utf-8"
        return page.decode(charset).encode(), media + b"; charset=utf-8"
    if page.startswith(b"\xef\xbb\xbf"):
        return page, media + b"; charset=utf-8"
    return page, b"" if _CHARSET.search(content_type) or not charset else media + b"; charset=" + charset.encode()
