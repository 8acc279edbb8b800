"""The ASGI middleware that ties the gate together: what comes in, what the site may see of it, and what may leave.

Everything that does not depend on the request is prepared once per publication, market and consent state.
"""

import re
import secrets
from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import quote

from lofte.gate import csp, encodings, guard, signals
from lofte.gate.choice import SHOWN, Choice, decode, set_shown, shared, shown
from lofte.gate.consent import ConsentState, Declarations, own_hosts
from lofte.gate.document import View
from lofte.gate.dressing import Clothes, Dressed, Going, dress
from lofte.gate.headers import (
    Headers,
    Scope,
    addresses,
    admitting,
    deletes,
    domains,
    first,
    folders,
    links,
    reporting_home,
    with_defaults,
    without,
)
from lofte.gate.hosts import host_of, normal_host, shared_site
from lofte.gate.pieces import Pieces
from lofte.gate.placeholders import Placeholders
from lofte.gate.report import HeldReport, Kind
from lofte.rules.catalogue import say
from lofte.rules.published import Published

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
ASGIApp = Callable[[Scope, Receive, Send], Awaitable[None]]

Mode = Literal["strict", "soft"]
LONGEST_WHOLE_BYTES = 1024 * 1024  # a page beyond this goes out piece by piece
_MOST_EXPIRIES = 60  # some 4 kB of headers; what is left over goes with the next answer
_HTML = (b"text/html", b"application/xhtml+xml")
_CONDITIONS = frozenset((b"if-none-match", b"if-modified-since", b"if-range", b"range"))
_WORKERS = frozenset((b"worker", b"sharedworker", b"serviceworker", b"paintworklet", b"audioworklet"))
_ADDRESSES_OUT = frozenset(
    (b"reporting-endpoints", b"report-to", b"refresh", b"speculation-rules", b"content-security-policy-report-only")
)
# What of a request decides over a page besides its address: the objection, whether it is a page or a part of one, the language.
_PAGE_FOLLOWS = ("Sec-GPC", "Sec-Fetch-Dest", "HX-Request", "X-Requested-With", "Accept-Language")
_REDIRECTS = frozenset((301, 302, 303, 307, 308))


class Gate:
    """``Gate(app, published=..., choice_key=..., banner=..., own_hosts=..., on_held=...)`` around any ASGI site.

    ``banner(scope, market, locale)`` gives the banner's HTML, for everybody the same at the same path.
    ``mode`` strict: the policy header names only what this visitor allows, so accepting loads the page anew. Soft: it names what
    is declared, and the guard alone lets in what is allowed, at once.
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
        mode: Mode = "strict",
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
        self.mode = mode
        self._states: dict[tuple[str, str, frozenset[str]], ConsentState] = {}
        self._editions: dict[tuple[str, str, str], _Edition] = {}

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
        edition = self._edition(published, market, locale)
        choice = decode(headers.get(b"cookie"), self.choice_key)
        anew = self.asked_anew(choice, published) if choice else frozenset()
        allowed = edition.declarations.allowed(choice, gpc=headers.gpc, asked_anew=anew)
        told = (
            shown(choice._replace(granted=choice.granted - anew), published.digest, asks=bool(anew)) if choice else ""
        )
        return _Visit(scope, headers, edition, self._state(edition.declarations, allowed), told)

    def _edition(self, published: Published, market: str, locale: str) -> "_Edition":
        key = (published.digest, market, locale)
        if key not in self._editions:
            for old in [old for old in self._editions if old[0] != published.digest]:
                del self._editions[old]
            self._editions[key] = self._made(published, market, locale)
        return self._editions[key]

    def _made(self, published: Published, market: str, locale: str) -> "_Edition":
        declarations = Declarations(published, market, self.host_map)
        first = guard.script(declarations, self.own_hosts, strict=self.mode == "strict")
        second = signals.script(declarations)
        return _Edition(
            market, locale, declarations, ConsentState(declarations, declarations.necessary, self.own_hosts),
            ConsentState(declarations, frozenset(declarations.models), self.own_hosts),
            Placeholders(published, market, locale, self.choice_key, self.host_map),
            f'<script data-lofte="guard">{first}</script>'.encode(),
            f'<script data-lofte="signals">{second}</script>'.encode() if second else b"",
            published.word(locale, "banner", "settings_link"),
        )  # fmt: skip

    def _state(self, declarations: Declarations, allowed: frozenset[str]) -> ConsentState:
        key = (declarations.digest, declarations.market, allowed)
        if key not in self._states:
            for old in [old for old in self._states if old[0] != declarations.digest]:
                del self._states[old]
            self._states[key] = ConsentState(declarations, allowed, self.own_hosts)
        return self._states[key]


@dataclass(frozen=True, slots=True)
class _Edition:
    """Everything about a market's pages that does not depend on the request. ``base`` is what everybody may load, ``widest``
    what somebody may who allows everything."""

    market: str
    locale: str
    declarations: Declarations
    base: ConsentState
    widest: ConsentState
    placeholders: Placeholders
    guard: bytes
    signals: bytes
    settings_word: str


class _Request:
    """The request headers the gate asks about."""

    def __init__(self, scope: Scope) -> None:
        self.all: Headers = list(scope["headers"])
        self.host = normal_host((self.get(b"host") or b"").decode("latin-1"))
        self.gpc = any(name == b"sec-gpc" and value.strip() == b"1" for name, value in self.all)
        self.target = target = self.get(b"sec-fetch-dest")
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

    def cookie(self, name: str) -> str:
        header = b";".join(value for key, value in self.all if key == b"cookie").decode("latin-1")
        pairs = (pair.strip().partition("=") for pair in header.split(";"))
        return next((value for key, _, value in pairs if key == name), "")

    def cookie_names(self) -> list[str]:
        header = b";".join(value for name, value in self.all if name == b"cookie").decode("latin-1")
        return list(dict.fromkeys(pair.partition("=")[0].strip() for pair in header.split(";") if pair.strip()))


class _Visit:
    """One request with everything decided about it. ``told`` is what `lofte_on` should say; empty before a choice."""

    def __init__(self, scope: Scope, request: _Request, edition: _Edition, state: ConsentState, told: str) -> None:
        self.request, self.edition, self.state = request, edition, state
        self.told = told if request.cookie(SHOWN) != told else ""
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
            "lofte.market": edition.market,
            "lofte.locale": edition.locale,
            "lofte.allowed": state.allowed,
        }  # fmt: skip

    @property
    def preferences(self) -> str:
        return f"/lofte/preferences/{self.edition.market.lower()}/{self.edition.locale}/?back={self.back}"


class _Answer:
    """The `send` given to the site: headers are read and mended, pages are collected and held, all else streams by."""

    def __init__(self, gate: Gate, visit: _Visit, send: Send) -> None:
        self.gate, self.visit, self.send = gate, visit, send
        self.start: Message | None = None
        self.body, self.page = bytearray(), bytearray()
        self.pieces = Pieces()
        self.recoder: encodings.Recoder | None = None
        self.going: Going | None = None
        self.content_type = b""
        self.reported: set[tuple[Kind, str]] = set()
        self.collects = False

    async def __call__(self, message: Message) -> None:
        kind = message["type"]
        if kind == "http.response.start":
            await self._begin(message)
        elif kind == "http.response.body" and self.collects:
            await self._collect(message)
        elif kind == "http.response.early_hint":
            hints = (links(value.decode("latin-1"), self._passes) for value in message.get("links", ()))
            if kept := [hint.encode("latin-1") for hint in hints if hint]:
                await self.send({**message, "links": kept})
        else:
            await self.send(message)

    async def _begin(self, message: Message) -> None:
        headers = [(name.lower(), value) for name, value in message.get("headers", ())]
        kept = self._cookies_held(self._headers_held(headers))
        if self._leads_away(message["status"], kept):
            message, kept = {**message, "status": 403}, without(kept, b"location")
        content_type = first(kept, b"content-type") or b""
        is_html = content_type.strip().lower().startswith(_HTML)
        if not is_html:
            if (
                self.visit.request.target in _WORKERS
            ):  # a worker is bound by the policy of its own answer, not by the page's
                kept = self._policed(kept, (), self.visit.state)
            await self.send({**message, "headers": self._with_expiries(with_defaults(kept, self.visit.scope))})
            return
        kept = self._page_headers(kept)
        encoding = (first(kept, b"content-encoding") or b"identity").strip().lower()
        self.collects = encoding in encodings.READ and message["status"] not in (204, 206, 304)
        self.unpacker = encodings.Unpacker(encoding)
        self.start = {**message, "headers": kept}
        if not self.collects:
            self._report("unreadable", encoding.decode("latin-1"))
            # What cannot be read cannot be held, and no guard is in it: it may reach nobody, whatever has been chosen.
            await self.send({**message, "headers": self._policed(kept, self._nonce(), self.visit.edition.base)})

    async def _collect(self, message: Message) -> None:
        """Short pages are whole before their headers leave; long ones go on their way piece by piece."""
        body, more = message.get("body", b""), message.get("more_body", False)
        if self.visit.scope["method"] == "HEAD":
            if not more:
                assert self.start is not None
                headers = without(self.start["headers"], b"content-length", b"content-encoding")
                await self._whole(self._policed(headers, self._nonce()), b"")
            return
        if self.going is None:
            self.body += body  # as it came, in case it cannot be read
        try:
            for piece in self.unpacker.feed(body):
                await self._read_on(piece)
            if not more:
                self.unpacker.end()
                await self._end()
        except encodings.UNREADABLE:
            self._report("unreadable", "encoding")
            self.collects = False
            if self.going is not None:
                raise  # headers and half the page have left: it must not look whole
            assert self.start is not None
            # As broken as it came; the policy holds.
            headers = self._policed(self.start["headers"], self._nonce(), self.visit.edition.base)
            await self.send({**self.start, "headers": headers})
            await self.send({"type": "http.response.body", "body": bytes(self.body), "more_body": more})

    async def _read_on(self, data: bytes) -> None:
        if self.recoder is None:
            self.page += data
            if len(self.page) <= LONGEST_WHOLE_BYTES:
                return
            assert self.start is not None
            given = first(self.start["headers"], b"content-type") or b""
            charset, self.content_type = encodings.reading(bytes(self.page[:1024]), given)
            self.recoder = encodings.Recoder(charset)
            data, self.page, self.body = bytes(self.page), bytearray(), bytearray()
        await self._go_on(self.pieces.feed(self.recoder.feed(data)))

    async def _go_on(self, piece: bytes, *, is_last: bool = False) -> None:
        if self.going is None and piece:
            start = self.start or {}
            view, clothes, is_whole = self._fitting()
            dressed = dress(piece, view, clothes, is_whole=is_whole, is_last=False)
            self.going = Going(dressed.held, view, clothes, is_whole=is_whole)
            self.pieces.context = dressed.held.context
            self._report_found(dressed)
            await self.send({**start, "headers": self._head(dressed, self.content_type, self._nonce())})
            held = dressed.held.bytes()
            if is_last:
                held += self.going.on(b"", is_last=True)
        elif self.going is not None:
            held = self.going.on(piece, is_last=is_last)
        else:
            return
        if held or is_last:
            await self.send({"type": "http.response.body", "body": held, "more_body": not is_last})

    async def _end(self) -> None:
        if self.recoder is not None:
            rest = self.recoder.feed(b"", is_last=True)
            await self._go_on(self.pieces.feed(rest, is_last=True), is_last=True)
            return
        assert self.start is not None
        page, content_type = encodings.as_ascii_compatible(
            bytes(self.page), first(self.start["headers"], b"content-type") or b""
        )
        dressed = self._page(page)
        page = dressed.held.bytes()
        used = (
            self._nonce() if self.visit.nonce.encode() in page else []
        )  # one that is not there would only mark the visitor
        await self._whole(self._head(dressed, content_type, used), page)

    async def _whole(self, headers: Headers, page: bytes) -> None:
        assert self.start is not None
        length = [] if self.visit.scope["method"] == "HEAD" else [(b"content-length", str(len(page)).encode())]
        await self.send({**self.start, "headers": [*headers, *length]})
        await self.send({"type": "http.response.body", "body": page, "more_body": False})

    def _head(self, dressed: Dressed, content_type: bytes, nonce: list[str]) -> Headers:
        assert self.start is not None
        headers = without(self.start["headers"], b"content-length", b"content-encoding")
        headers = [(n, content_type if n == b"content-type" and content_type else v) for n, v in headers]
        return self._policed(headers, [*nonce, *self._scripts(dressed)], styles=dressed.styles)

    def _fitting(self) -> tuple[View, Clothes, bool]:
        visit, edition = self.visit, self.visit.edition
        view = View(
            edition.base, visit.request.host, visit.nonce, visit.preferences, edition.placeholders, self.gate.own_inline,
            edition.guard,
        )  # fmt: skip
        clothes = Clothes(
            edition.guard, edition.signals, edition.settings_word,
            lambda: self.gate.banner(visit.scope, edition.market, edition.locale), say(edition.locale, "signals.gpc"),
        )  # fmt: skip
        return view, clothes, visit.request.is_page

    def _page(self, page: bytes) -> Dressed:
        view, clothes, is_whole = self._fitting()
        dressed = dress(page, view, clothes, is_whole=is_whole)
        self._report_found(dressed)
        return dressed

    def _report_found(self, dressed: Dressed) -> None:
        for (kind, what), purposes in dressed.held.found.items():
            self._report(kind, what, purposes)

    def _scripts(self, dressed: Dressed) -> list[str]:
        """The inline scripts that may run in this visitor's page; in soft mode those, too, that may once something is allowed."""
        state = self._walls()
        page = [hash_ for hash_, needed in dressed.held.inline.items() if state.allowed.issuperset(needed)]
        return [*dressed.scripts, *page]

    def _walls(self) -> ConsentState:
        return self.visit.state if self.gate.mode == "strict" else self.visit.edition.widest

    # ----- headers -----

    def _page_headers(self, headers: Headers) -> Headers:
        visit = self.visit
        kept = without(
            headers, b"etag", b"last-modified", b"accept-ranges", b"age", b"expires", b"x-dns-prefetch-control"
        )
        kept.append(
            (b"x-dns-prefetch-control", b"off")
        )  # some browsers look up the host of every link ahead of a press
        is_everybodys = self.gate.mode == "soft" and not self._changes_cookies(kept) and not visit.request.gpc
        kept = _varying(kept, _PAGE_FOLLOWS if is_everybodys else ("Cookie", "Sec-GPC"))
        if is_everybodys:
            return with_defaults(kept, visit.scope)
        # The bytes are everybody's; the policy and the cookies sent with them are this visitor's.
        caching = b"no-store" if b"no-store" in (first(kept, b"cache-control") or b"").lower() else b"private, no-cache"
        kept = [*without(kept, b"cache-control"), (b"cache-control", caching)]
        if visit.request.gpc:  # for the guard: the page itself is everybody's, and not every browser tells scripts
            kept.append((b"server-timing", b"gpc"))
        return self._with_expiries(with_defaults(kept, visit.scope))

    def _nonce(self) -> list[str]:
        return [f"nonce-{self.visit.nonce}"]

    def _changes_cookies(self, headers: Headers) -> bool:
        return any(name == b"set-cookie" for name, _ in self._with_expiries(headers))

    def _policed(
        self, headers: Headers, scripts: Iterable[str], state: ConsentState | None = None, styles: Iterable[str] = ()
    ) -> Headers:
        """With the policy of this visitor; the site's own stays beside it, and admits what of ours is part of the page."""
        sources = list(scripts)
        policy = csp.policy(state or self._walls(), sources, trusted_types=self.gate.trusted_types)
        if first(headers, b"content-security-policy") or first(headers, b"x-frame-options"):
            policy = policy.replace("; frame-ancestors 'self'", "")  # who may frame the site is the site's to say
        kept = [
            (name, admitting(value, sources, styles) if name == b"content-security-policy" else value)
            for name, value in headers
        ]
        return [*kept, (b"content-security-policy", policy.encode())]

    def _headers_held(self, headers: Headers) -> Headers:
        """Without what makes browsers fetch from others, or tell them. In soft mode for everybody alike: a cache may keep it."""
        kept: Headers = []
        for name, value in headers:
            text = value.decode("latin-1")
            if name == b"link":
                if text := links(text, self._passes):
                    kept.append((name, text.encode("latin-1")))
            elif name == b"content-security-policy":
                kept.append((name, reporting_home(text, self._passes).encode("latin-1")))
            elif name in _ADDRESSES_OUT:
                kind: Kind = "refresh" if name == b"refresh" else "header"
                stopped = [host for host in addresses(text) if not self._passes(host, kind)]
                if not stopped:
                    kept.append((name, value))
            else:
                kept.append((name, value))
        return kept

    def _passes(self, host: str, kind: Kind = "header") -> bool:
        """Whether a header may name a host; told of when not."""
        state = self.visit.edition.base if self.gate.mode == "soft" else self.visit.state
        passes: bool = state.ruling(host, self.visit.request.host).allowed
        if not passes:
            self._report_host(kind, host)
        return passes

    def _leads_away(self, status: int, headers: Headers) -> bool:
        """Whether part of a page is sent on to a host not allowed. People who follow a link may go where they like."""
        if status not in _REDIRECTS or self.visit.request.target in (None, b"document"):
            return False
        host = host_of((first(headers, b"location") or b"").decode("latin-1"))
        if not host or self._ruling(host).allowed:
            return False
        self._report_host("redirect", host)
        return True

    def _cookies_held(self, headers: Headers) -> Headers:
        """What the site sets without being allowed to stays here (ePrivacy 5(3)); deleting is always allowed."""
        kept: Headers = []
        for name, value in headers:
            if name == b"set-cookie" and not deletes(value):
                cookie_name = value.split(b"=", 1)[0].split(b";")[0].strip().decode("latin-1")
                declared = self.visit.state.declarations.cookie(cookie_name)
                if declared is None or not self.visit.state.may_keep(declared):
                    self._report("cookie", cookie_name, (declared.purpose,) if declared else ())
                    continue
            kept.append((name, value))
        return kept

    def _with_expiries(self, headers: Headers) -> Headers:
        """Deletes what the browser still sends of purposes not allowed, on every path and domain it may be set for."""
        state, lines = self.visit.state, []
        if self.visit.told:
            told = set_shown(self.visit.told, self.visit.scope.get("scheme") == "https")
            lines += shared([told], shared_site(self.visit.request.host, state.declarations.domains))
        for name in self.visit.request.cookie_names():
            cookie = state.declarations.cookie(name)
            if cookie is None or state.may_keep(cookie) or not re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", name):
                continue
            for path in dict.fromkeys(("/", cookie.path, *folders(self.visit.path))):
                lines += [f"{name}=; Max-Age=0; Path={path}{domain}" for domain in domains(self.visit.request.host)]
                if self.visit.scope.get("scheme") == "https":  # one with a partition is another cookie (CHIPS)
                    lines.append(f"{name}=; Max-Age=0; Path={path}; Secure; Partitioned")
        return [*headers, *((b"set-cookie", line.encode("latin-1")) for line in lines[:_MOST_EXPIRIES])]

    # ----- reports -----

    def _ruling(self, host: str) -> Any:
        return self.visit.state.ruling(host, self.visit.request.host)

    def _report_host(self, kind: Kind, host: str) -> None:
        self._report(kind, host, self._ruling(host).purposes)

    def _report(self, kind: Kind, what: str, purposes: tuple[str, ...] = ()) -> None:
        """Tells once of what this visitor does without: undeclared, or of a purpose they have not allowed."""
        missing = [purpose for purpose in purposes if purpose not in self.visit.state.allowed]
        if (missing or not purposes) and (kind, what) not in self.reported:
            self.reported.add((kind, what))
            first = missing[0] if missing else ""
            self.gate.on_held(HeldReport(kind, what, bool(purposes), first, self.visit.path, self.visit.edition.market))


def _varying(headers: Headers, by: Iterable[str]) -> Headers:
    """With `Vary` of the site and of ours (RFC 9110, 12.5.5)."""
    said = [value.decode("latin-1") for name, value in headers if name == b"vary"]
    named = [name.strip() for value in said for name in value.split(",") if name.strip()]
    added = [name for name in by if name.lower() not in {known.lower() for known in named}]
    return [*without(headers, b"vary"), (b"vary", ", ".join([*named, *added]).encode("latin-1"))]


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
