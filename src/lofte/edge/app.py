"""The one port: `/lofte/*` and operation are answered here, Django's prefixes go to Django, all else to the site.

Raw ASGI. Wiring makes one `Edge` a process and hands it to the server; the site comes in already behind its gate.
"""

import json
import logging
from collections.abc import Awaitable, Callable
from time import monotonic

from prometheus_client import CollectorRegistry

from lofte.edge.answers import (
    HTML,
    NO_STORE,
    ASGIApp,
    Header,
    Message,
    Receive,
    Scope,
    Send,
    answer,
    empty,
    page_headers,
    problem,
)
from lofte.edge.collect import Asker, Collector
from lofte.edge.config import EdgeConfig
from lofte.edge.frames import Frames
from lofte.edge.kit import Kit
from lofte.edge.layout import problem_page
from lofte.edge.limits import Limiter
from lofte.edge.metrics import Metrics
from lofte.edge.one_line import OneLine
from lofte.edge.operation import Operation
from lofte.edge.pages import Pages, redirect
from lofte.edge.proofs import Proofs
from lofte.edge.reports import Reports
from lofte.edge.requests import Request, preferred_locale
from lofte.edge.signal import SignalKeeper
from lofte.edge.static import OWN, Static
from lofte.edge.subject import Codes, Tokens
from lofte.edge.verdicts import Verdicts
from lofte.evidence.log import Log
from lofte.evidence.publications import Shelf
from lofte.gate import guard
from lofte.gate.choice import derive_key, load_root_key
from lofte.kernel.problems import Problem
from lofte.rules.catalogue import LOCALES

Reader = Callable[[Request, Send], Awaitable[int]]

_log = logging.getLogger(__name__)
_access = logging.getLogger("lofte.edge.access")
_READS: list[Header] = [(b"allow", b"GET, HEAD, OPTIONS")]
_READS_THE_LOG = frozenset(("receipt", "evidence", "log", "preferences"))


class Edge:
    """``site`` and ``django`` are ASGI apps; ``registry`` collects the metrics (a fresh one unless given)."""

    def __init__(
        self, config: EdgeConfig, log: Log, site: ASGIApp, django: ASGIApp | None = None,
        registry: CollectorRegistry | None = None,
    ) -> None:  # fmt: skip
        root_key = load_root_key(config.home)
        self._config, self._site, self._django = config, site, django
        self._django_paths = tuple(config.django_prefixes), frozenset(p.rstrip("/") for p in config.django_prefixes)
        self.metrics = Metrics(registry or CollectorRegistry())
        self.shelf = Shelf(config.home)
        self.tokens, self.codes = Tokens(root_key), Codes(root_key)
        self._collector = Collector(config, log, self.shelf, self.tokens, self.codes, root_key, self.metrics)
        self._proofs = Proofs(log, self.shelf, self.codes)
        verdicts = Verdicts(config.home / "published" / "verdicts.json")
        self._pages = Pages(
            config, self.shelf, self.tokens, derive_key(root_key, "choice/1"), verdicts, self._proofs.history
        )
        self._reports = Reports(config, self.metrics)
        self._signal = SignalKeeper(config, log, self.shelf, self._collector.desk, derive_key(root_key, "choice/1"))
        self._frames = Frames(config.home, self.shelf, derive_key(root_key, "choice/1"), config.host_map)
        self._kit = Kit(
            config, self.shelf, derive_key(root_key, "choice/1"), self._pages.offered_banner, self._pages.edition
        )
        self._static = Static([OWN, guard.STATIC, *config.static_folders])
        self._reading = Limiter(config.read_rate_per_s, config.read_burst)
        operation = Operation(config, log, self.shelf, self._collector.desk, self.metrics)
        self._exact: dict[str, tuple[str, Reader]] = {
            "/healthz": ("healthz", operation.health),
            "/readyz": ("readyz", operation.ready),
            "/metrics": ("metrics", operation.metrics),
            "/.well-known/gpc.json": ("gpc", self._pages.gpc),
            "/lofte/banner": ("banner", self._pages.banner),
            "/lofte/policy.json": ("policy.json", self._pages.policy_json),
            "/lofte/chosen.css": ("chosen", self._pages.chosen),
            "/lofte/frame": ("frame", self._frames.frame),
            "/lofte/gate.json": ("gate.json", self._kit),
            "/lofte/gate.js": ("gate.js", OneLine(config, self.shelf, self._pages.offered_banner, self._pages.edition)),
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        kind = scope["type"]
        if kind == "lifespan":
            await self._lifespan(scope, receive, send)
            return
        path: str = scope["path"]
        if kind == "http" and path == "/lofte/consent":
            await self._counted("consent", self._collector(scope, receive, send), scope)
        elif kind == "http" and (path.startswith("/lofte/") or path in self._exact):
            await self._read(scope, receive, send)
        elif self._django is not None and (path.startswith(self._django_paths[0]) or path in self._django_paths[1]):
            await self._django(scope, receive, send)
        else:
            await self._site(scope, receive, send)

    def at_once(self, scope: Scope, body: bytes, asker: Asker) -> bool:
        """As `Collector.at_once`; for the server, which asks it before it makes a task and calls `answered` when it has replied."""
        return self._collector.at_once(scope, body, asker)

    def answered(self, scope: Scope, started_s: float) -> None:
        """Counts what was answered at once."""
        self._count("consent", 201, scope, started_s)

    # For wiring and for the gate

    def banner(self, market: str, locale: str, back: str, nonce: str, gpc: bool = False) -> bytes:
        """The banner with a fresh token, for the gate to place into a page. Empty when this market is asked nothing."""
        return self._pages.banner_html(market, locale, back, nonce, gpc)

    def offer(self, market: str, locale: str, back: str) -> bytes:
        """The banner as everybody gets it at this path, for the gate to place into a page."""
        return self._pages.offered_banner(market, locale, back)

    def receipt_path(self, index: int, ending: str = "") -> str:
        """Where whoever holds this address reads the receipt; ``ending`` is empty (JSON) or ``.html``."""
        return f"/lofte/receipt/{index}{ending}?code={self.codes.of(index)}"

    def close(self) -> None:
        """Lets go of the running loop. The lifespan does this; a caller without one may."""
        self._collector.desk.close()

    # Reading

    async def _read(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope)
        route, _, rest = request.path.removeprefix("/lofte/").partition("/")
        name = self._exact[request.path][0] if request.path in self._exact else route if route in _ROUTES else "unknown"
        await self._counted(name, self._route(request, receive, send, route, rest), scope)

    async def _route(self, request: Request, receive: Receive, send: Send, route: str, rest: str) -> int:
        try:
            if request.path == "/lofte/csp-report":
                return await self._report(request, receive, send)
            if request.path == "/lofte/signal":
                return await self._signal(request, send)
            if request.method == "OPTIONS":
                await empty(send, 204, _READS)
                return 204
            if request.method not in ("GET", "HEAD"):
                raise Problem("request.method", "this address is only read", status=405)
            if route in _READS_THE_LOG and not self._reading.admits(request.address()):
                raise Problem(
                    "request.too-many", "too many requests from here", way_out="Try again in a moment.", status=429
                )
            if request.path in self._exact:
                return await self._exact[request.path][1](request, send)
            return await self._address(request, send, route, rest)
        except Problem as what:
            return await self._explain(request, send, what)
        except Exception as wrong:  # the message may quote a request: only the kind is written down
            known = route if route in _ROUTES else "unknown"
            _log.error(
                "edge: a fault while answering", extra={"fields": {"error": type(wrong).__name__, "route": known}}
            )
            return await self._explain(request, send, Problem("edge.fault", "something went wrong here", status=500))

    async def _address(self, request: Request, send: Send, route: str, rest: str) -> int:
        pages, proofs = self._pages, self._proofs
        match route, rest.split("/"):
            case "receipt", [one]:
                return await proofs.receipt(request, send, one)
            case "evidence", [one]:
                return await proofs.evidence(request, send, one)
            case "log", _:
                return await proofs.log(request, send, rest)
            case "poster", [tag, name]:
                return await self._frames.poster(request, send, tag, name)
            case "static", [name]:
                return await self._static(request, send, name)
            case ("policy" | "cookies" | "changes") as name, [market, locale, ""]:
                return await pages.current(request, send, name, *pages.edition(market, locale))
            case "preferences", [market, locale, ""]:
                return await pages.preferences(request, send, *pages.edition(market, locale))
            case "policy", [market, locale, "versions", ""]:
                return await pages.versions(request, send, *pages.edition(market, locale))
            case "policy", [market, locale, "versions", digest, ""]:
                return await pages.version(request, send, *pages.edition(market, locale), digest)
            case (("policy" | "cookies" | "changes" | "preferences"), [_, *_, last]) if last:
                return await redirect(send, f"{request.path}/")
        raise Problem("request.missing", "there is nothing at this address", status=404)

    async def _report(self, request: Request, receive: Receive, send: Send) -> int:
        if request.method == "POST":
            return await self._reports(request, receive, send)
        allow: list[Header] = [(b"allow", b"POST, OPTIONS")]
        if request.method == "OPTIONS":
            await empty(send, 204, allow)
            return 204
        await problem(send, Problem("request.method", "reports are posted", status=405), allow)
        return 405

    async def _explain(self, request: Request, send: Send, what: Problem) -> int:
        headers: list[Header] = []
        if what.status == 405:
            headers += _READS
        if what.status in (429, 503):
            headers.append((b"retry-after", b"5"))
        if request.prefers_html():
            locale = preferred_locale(request.headers.get(b"accept-language", b""), LOCALES)
            shown = [(b"cache-control", NO_STORE), *page_headers(), *headers]
            await answer(send, what.status, problem_page(locale, what), HTML, shown, request.is_head)
        else:
            await problem(send, what, headers)
        return what.status

    async def _counted(self, route: str, work: Awaitable[int], scope: Scope) -> None:
        started_s = monotonic()
        self._count(route, await work, scope, started_s)

    def _count(self, route: str, status: int, scope: Scope, started_s: float) -> None:
        self.metrics.request(route, status)
        if not self._config.writes_access_log:
            return
        line = {
            "at": self._config.now().isoformat(),
            "method": scope["method"],
            "route": route,
            "status": status,
            "ms": round((monotonic() - started_s) * 1000, 1),
        }
        _access.info(json.dumps(line))

    # Life of the process

    async def _lifespan(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes the site's own start and end through; a site that knows no lifespan is started and ended for it."""
        seen: list[str] = []
        sent: list[str] = []

        async def receiving() -> Message:
            message = await receive()
            seen.append(message["type"])
            return message

        async def sending(message: Message) -> None:
            sent.append(message["type"])
            await send(message)

        try:
            await self._site(scope, receiving, sending)
        except Exception as wrong:
            if sent:
                raise
            _log.debug("the site knows no lifespan", extra={"fields": {"error": type(wrong).__name__}})
        try:
            await _finish_lifespan(seen, sent, receive, send)
        finally:
            self.close()


async def _finish_lifespan(seen: list[str], sent: list[str], receive: Receive, send: Send) -> None:
    if any(kind.endswith(".failed") for kind in sent):
        return
    if "lifespan.startup.complete" not in sent:
        if "lifespan.startup" not in seen:
            await receive()
        await send({"type": "lifespan.startup.complete"})
    if "lifespan.shutdown.complete" not in sent:
        if "lifespan.shutdown" not in seen:
            await receive()
        await send({"type": "lifespan.shutdown.complete"})


_ROUTES = frozenset(
    (
        "policy",
        "cookies",
        "changes",
        "preferences",
        "receipt",
        "evidence",
        "log",
        "static",
        "csp-report",
        "banner",
        "poster",
        "signal",
    )
)
