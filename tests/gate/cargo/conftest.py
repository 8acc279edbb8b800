"""A page nobody marked up, third parties that are real servers, the gate and the edge in front, two browsers to visit with.

The site is ``site.localhost``; ``count`` plays a declared host of statistics, ``ads`` one of marketing, ``other`` nobody's. Each
third party listens on a port of its own, so that a connection opened ahead of any request is seen as well.
"""

import asyncio
import json
import os
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import uvicorn
from playwright.sync_api import Error as BrowserError
from playwright.sync_api import sync_playwright

from lofte.edge.app import Edge
from lofte.edge.config import EdgeConfig
from lofte.evidence.log import open_log
from lofte.evidence.publications import Shelf
from lofte.features.policy.files import read_directory
from lofte.features.policy.verbs import publish
from lofte.gate import Gate, HeldReport
from lofte.gate.choice import choice_key

HERE = Path(__file__).parent
POLICY = HERE.parents[2] / "policies" / "xledger"
NODE = HERE.parents[1] / "node"
LOCALES = ("sv", "nb", "fi", "en-GB", "en-US")
PARTIES = {"count": "statistics", "ads": "marketing", "other": ""}
_PLAYED = {"count.localhost": "www.google-analytics.com", "ads.localhost": "www.facebook.com"}
_TYPES = {
    "stylesheet": "text/css", "css-import": "text/css", "link-js": "text/css", "style-js": "text/css",
    "font": "font/woff2", "fontface": "font/woff2", "manifest": "application/manifest+json", "iframe": "text/html",
    "frame-js": "text/html", "insert-html": "text/html", "object": "text/html", "embed": "text/html",
    "eventsource": "text/event-stream", "track": "text/vtt", "form": "text/html", "form-js": "text/html",
    "meta-refresh": "text/html", "audio": "audio/mpeg", "audio-js": "audio/mpeg", "video": "video/mp4",
    "video-js": "video/mp4", "header-stylesheet": "text/css", "own-css-import": "text/css", "source": "video/mp4",
    "header-speculation": "application/speculationrules+json", "refresh-header": "text/html", "write-frame": "text/html",
}  # fmt: skip
_IMAGES = (
    "img",
    "image",
    "srcset",
    "picture",
    "poster",
    "background",
    "ping",
    "preload",
    "noscript",
    "frame",
    "css",
    "inline",
    "redirect",
    "own-css-url",
    "header-p",
    "write",
)


# ----- third parties -----


class _ThirdParty(ThreadingHTTPServer):
    """Writes down whatever reaches it; an answered request leaves a cookie of its own."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, name: str, seen: set[tuple[str, str]]) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.name, self.seen = name, seen
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.udp.bind(("127.0.0.1", self.server_port))
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True).start()
        threading.Thread(target=self._listen, daemon=True).start()

    def process_request(self, request: Any, client_address: Any) -> None:
        self.seen.add((self.name, "connection"))
        super().process_request(request, client_address)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Browsers hang up; what they asked for is written down already."""

    def _listen(self) -> None:
        while self.udp.recv(2048):
            self.seen.add((self.name, "webrtc"))


class _Answer(BaseHTTPRequestHandler):
    timeout = 20

    def _answer(self) -> None:
        assert isinstance(self.server, _ThirdParty)
        kind = self.path.rsplit("/", 1)[-1].partition("?")[0]
        self.server.seen.add((self.server.name, kind))
        image = any(part in kind for part in _IMAGES) and kind not in _TYPES
        content = b"GIF89a\1\0\1\0\0\0\0;" if image else b""
        self.send_response(200)
        self.send_header("Content-Type", _TYPES.get(kind, "image/gif" if image else "text/javascript"))
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Access-Control-Allow-Origin", "*")
        self.send_header("Set-Cookie", "theirs=1; Max-Age=1000")
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_HEAD = do_OPTIONS = _answer  # noqa: N815  # names of the standard library

    def log_message(self, *_: object) -> None:
        """The tests look at ``seen``."""


# ----- the site -----


def _site_page(origins: Mapping[str, str]) -> bytes:
    party = (HERE / "party.html").read_text()
    blocks = [
        party.replace("{O}", origin).replace("{C}", origin).replace("{P}", name).replace("{K}", f"cargo-{name}-")
        for name, origin in origins.items()
    ]
    named = "".join(f'<meta name="party" content="{name} {origin} cargo-{name}-">' for name, origin in origins.items())
    return (
        f"<!doctype html><html lang=sv><head><title>Cargo</title>{named}</head><body><h1>Cargo</h1>"
        f'{"".join(blocks)}<script src="/own.js"></script></body></html>'
    ).encode()


def _without_blocks(page: bytes) -> bytes:
    """The site's own script alone: it does what ``?only=`` says."""
    return page.partition(b"<h1>")[0] + b'<script src="/own.js"></script>'


# What a page may ask for before its first byte.
_HEADERS = (
    (
        "link",
        "<{O}/header-preload>; rel=preload; as=image, <{O}>; rel=preconnect, <{O}/header-stylesheet>; rel=stylesheet",
    ),
    ("link", '<{O}/header-prefetch>; rel="prefetch"'),
    ("speculation-rules", '"{O}/header-speculation"'),
    ("content-security-policy", "base-uri 'none'; report-uri {O}/header-policy"),
    ("content-security-policy-report-only", "img-src 'none'; report-uri {O}/header-report"),
)
# Host names only: a browser looks them up ahead of any need.
_NAMED = b"""<!doctype html><title>Names</title><link rel="dns-prefetch" href="//markup.other.localhost">
<a href="http://anchor.other.localhost/">text</a><script src="/named.js"></script>"""
_NAMED_BY_SCRIPT = b"""const link = document.createElement('link'); link.rel = 'dns-prefetch'
link.href = '//script.other.localhost'; document.head.append(link)"""


def _site(page: bytes, origins: Mapping[str, str]) -> Any:
    """The company's own site: the cargo page, its scripts, and cookies it sets itself."""
    scripts = {
        "/own.js": "own.js", "/worker.js": "worker.js", "/shared.js": "worker.js", "/service.js": "worker.js",
        "/worker-module.js": "worker-module.js",
    }  # fmt: skip

    async def app(scope: Any, receive: Any, send: Any) -> None:
        headers: list[tuple[bytes, bytes]] = [(b"content-type", b"text/html; charset=utf-8")]
        path, query = scope["path"], scope["query_string"].decode()
        if path in scripts:
            body, headers = (HERE / scripts[path]).read_bytes(), [(b"content-type", b"text/javascript")]
        elif path == "/away":
            body, headers = b"", [(b"location", query.encode()), (b"cache-control", b"no-store")]
        elif path == "/own.css":
            name = str(urlsplit(query).hostname).partition(".")[0]
            body = f"@import '{query}/own-css-import'; .own{name} {{ background: url({query}/own-css-url) }}".encode()
            headers = [(b"content-type", b"text/css")]
            headers.append((b"set-cookie", f"cargo-{name}-file=1; Path=/; Max-Age=1000".encode()))
        elif path == "/refreshed":
            body, headers = b"<!doctype html><p>x", [*headers, (b"refresh", f"0; url={query}".encode())]
        elif path == "/named.js":
            body, headers = _NAMED_BY_SCRIPT, [(b"content-type", b"text/javascript")]
        elif path == "/se/named":
            body = _NAMED
            headers.append((b"link", b"<http://header.other.localhost>; rel=dns-prefetch"))
        elif path == "/framed":
            body = f'<!doctype html><meta http-equiv="refresh" content="0; url={query}"><p>x'.encode()
        elif path == "/se/":
            body = page if "only=" not in query else _without_blocks(page)
            for name in PARTIES:
                headers.append((b"set-cookie", f"cargo-{name}-server=1; Path=/; Max-Age=1000; HttpOnly".encode()))
            for origin in [] if "only=" in query else origins.values():
                headers += [(key.encode(), value.replace("{O}", origin).encode()) for key, value in _HEADERS]
        else:
            body = b"<!doctype html><title>Plain</title><p>Nothing here"
        status = 302 if path == "/away" else 200
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    return app


class PageCache:
    """A page cache: the first answer of an address is everybody's, whoever asked first; ``keeps_headers`` or only its bytes."""

    def __init__(self, app: Any) -> None:
        self._app = app
        self.is_on = False
        self.keeps_headers = True
        self._kept: dict[str, list[Any]] = {}

    def forget(self) -> None:
        self._kept.clear()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if not self.is_on or scope["type"] != "http" or scope["path"] != "/se/":
            await self._app(scope, receive, send)
            return
        if "/se/" not in self._kept:
            messages: list[Any] = []

            async def take(message: Any) -> None:
                messages.append(message)

            await self._app(scope, receive, take)
            messages[0]["headers"] = [(n, v) for n, v in messages[0]["headers"] if n != b"set-cookie"]
            self._kept["/se/"] = messages
        start, *body = self._kept["/se/"]
        if not self.keeps_headers:
            own: list[Any] = []

            async def take_start(message: Any) -> None:
                own.append(message)

            await self._app(scope, receive, take_start)
            start = own[0]
        for message in [start, *body]:
            await send(message)


# ----- everything together -----


@dataclass
class Cargo:
    """``mode`` is the gate's, strict or soft. ``origin`` is behind it, ``bare`` the same site without it. ``seen`` is what reached
    third parties.
    """

    mode: str
    origin: str
    bare: str
    seen: set[tuple[str, str]]
    cache: PageCache
    held: list[HeldReport] = field(default_factory=list)

    def settle(
        self, *, wanted: frozenset[tuple[str, str]] = frozenset(), quiet_s: float = 1, most_s: float = 12
    ) -> None:
        """Until everything wanted has been asked for, and nothing new for a while."""
        last, since, end = len(self.seen), time.monotonic(), time.monotonic() + most_s
        while time.monotonic() < end and (time.monotonic() - since < quiet_s or not wanted <= self.seen):
            time.sleep(0.05)
            if len(self.seen) != last:
                last, since = len(self.seen), time.monotonic()


@pytest.fixture(scope="session")
def publication(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A home with the example policy, which here declares names for the cargo as well."""
    home = tmp_path_factory.mktemp("cargo")
    files = dict(read_directory(POLICY))
    lines, words = "", ""
    for name, (tag, provider) in {"count": ("ga4", "google"), "ads": ("meta-pixel", "meta")}.items():
        for storage in ("cookie", "local", "session", "indexeddb"):
            lines += (
                f'  cargo-{name}-{storage}: {{ name: "cargo-{name}-*", storage: {storage}, party: first, provider: {provider}, '
                f"tag: {tag}, purpose: {PARTIES[name]}, lifetime: {'P1D' if storage == 'cookie' else 'persistent'} }}\n"
            )
            words += f'  cargo-{name}-{storage}: {{ function: "Cargo." }}\n'
    files["policy.yaml"] = files["policy.yaml"].replace("\ncookies:\n", f"\ncookies:\n{lines}", 1)
    for locale in LOCALES:
        at = f"text/{locale}/words.yaml"
        files[at] = files[at].replace("\ncookies:\n", f"\ncookies:\n{words}", 1)
    log = open_log(home / "evidence.sqlite3", home / "keys", "site.localhost/log", lambda: datetime.now(UTC))
    publish(files, home, log, datetime.now(UTC))
    yield home, log
    log.close()


@pytest.fixture(scope="session")
def third_parties() -> tuple[dict[str, str], set[tuple[str, str]]]:
    seen: set[tuple[str, str]] = set()
    servers = {name: _ThirdParty(name, seen) for name in PARTIES}
    return {name: f"http://{name}.localhost:{server.server_port}" for name, server in servers.items()}, seen


@pytest.fixture(scope="session", params=["strict", pytest.param("soft", marks=pytest.mark.long)])
def cargo(request: pytest.FixtureRequest, publication: Any, third_parties: Any) -> Iterator[Cargo]:
    home, log = publication
    origins, seen = third_parties
    held: list[HeldReport] = []
    shelf = Shelf(home)
    site = _site(_site_page(origins), origins)

    def banner(scope: Any, market: str, locale: str) -> bytes:
        return edge.offer(market, locale, scope["path"])

    gate = Gate(
        site,
        lambda: shelf.current().published,
        choice_key(home),
        banner,
        on_held=held.append,
        host_map=_PLAYED,
        mode=request.param,
    )
    edge = Edge(EdgeConfig(home=home, host_map=_PLAYED, consent_rate_per_s=1000, consent_burst=1000), log, gate)
    cache = PageCache(edge)
    with _serving(cache) as port, _serving(site) as bare:
        yield Cargo(request.param, f"http://site.localhost:{port}", f"http://site.localhost:{bare}", seen, cache, held)


class _serving:  # noqa: N801  # reads as a word in `with`
    def __init__(self, app: Any) -> None:
        self._listening = socket.socket()
        self._listening.bind(("127.0.0.1", 0))
        self._server = uvicorn.Server(
            uvicorn.Config(app, log_level="error", lifespan="off", timeout_graceful_shutdown=1)
        )
        self._thread = threading.Thread(target=lambda: asyncio.run(self._server.serve([self._listening])), daemon=True)

    def __enter__(self) -> int:
        self._thread.start()
        while not self._server.started:
            threading.Event().wait(0.01)
        return int(self._listening.getsockname()[1])

    def __exit__(self, *_: object) -> None:
        self._server.should_exit = True
        self._thread.join(10)
        self._listening.close()


# ----- browsers -----


_ARGUMENTS = [
    "--no-sandbox", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update",
    "--autoplay-policy=no-user-gesture-required",
]  # fmt: skip


class Chromium:
    """Visitors in Chromium. ``cookies=False`` and ``gpc``, ``script`` change what the visitor's browser is like."""

    name = "chromium"

    def __init__(self, executable: str) -> None:
        self._playwright = sync_playwright().start()
        self._executable = executable
        self._browser = self._playwright.chromium.launch(executable_path=executable, args=_ARGUMENTS)

    def visitor(self, *, script: bool = True, gpc: bool = False, cookies: bool = True) -> Any:
        context: Any = (
            self._browser.new_context(java_script_enabled=script, extra_http_headers={"Sec-GPC": "1"} if gpc else {})
            if cookies
            else self._keeping_no_cookies()
        )
        if gpc:
            context.add_init_script(
                "Object.defineProperty(Navigator.prototype, 'globalPrivacyControl', {get: () => true})"
            )
        context.set_default_timeout(20_000)
        return _ChromiumVisitor(context)

    def _keeping_no_cookies(self) -> Any:
        """Chromium takes this from a profile on disk."""
        folder = Path(tempfile.mkdtemp())
        (folder / "Default").mkdir()
        settings = {"profile": {"default_content_setting_values": {"cookies": 2}}}
        (folder / "Default" / "Preferences").write_text(json.dumps(settings))
        return self._playwright.chromium.launch_persistent_context(
            folder, executable_path=self._executable, args=_ARGUMENTS
        )

    def close(self) -> None:
        self._browser.close()
        self._playwright.stop()


class _ChromiumVisitor:
    def __init__(self, context: Any) -> None:
        self._context, self._page = context, context.new_page()

    def open(self, address: str) -> None:
        try:
            self._page.goto(address, wait_until="load")
        except BrowserError as failure:
            if "Timeout" not in str(failure):
                raise

    def click(self, selector: str) -> None:
        self._page.click(selector)

    def evaluate(self, script: str) -> Any:
        return self._page.evaluate(script)

    def cookies(self) -> list[dict[str, Any]]:
        return list(self._context.cookies())

    def leave(self) -> None:
        self._context.close()


class Firefox:
    """Visitors in Debian's Firefox, driven by tests/node/firefox.mjs. Started once; what it is like changes between visitors."""

    name = "firefox"

    def __init__(self, executable: str) -> None:
        preferences = {
            "network.preload": True,
            "privacy.trackingprotection.enabled": False,
            "media.peerconnection.ice.loopback": True,
            "media.autoplay.default": 0,
            "network.dns.disablePrefetch": False,
            "network.dns.notifyResolution": True,
            "dom.disable_beforeunload": True,
        }
        self._running = subprocess.Popen(  # our own script, no shell
            ["node", str(NODE / "firefox.mjs"), executable, json.dumps(preferences)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=NODE,
        )  # fmt: skip
        assert self._answer() == "ready"

    def visitor(self, *, script: bool = True, gpc: bool = False, cookies: bool = True) -> Any:
        preferences = {
            "privacy.globalprivacycontrol.enabled": gpc,
            "network.cookie.cookieBehavior": 0 if cookies else 2,
        }
        return _FirefoxVisitor(self._ask, self._ask(do="visitor", script=script, preferences=preferences))

    def _answer(self) -> Any:
        assert self._running.stdout is not None
        line = self._running.stdout.readline()
        assert line, "Firefox did not start"
        return json.loads(line)

    def _ask(self, **order: Any) -> Any:
        assert self._running.stdin is not None
        self._running.stdin.write(json.dumps(order) + "\n")
        self._running.stdin.flush()
        answer = self._answer()
        assert "failure" not in answer, answer["failure"]
        return answer.get("value")

    def close(self) -> None:
        assert self._running.stdin is not None
        assert self._running.stdout is not None
        self._running.stdin.close()
        self._running.wait(30)
        self._running.stdout.close()


class _FirefoxVisitor:
    def __init__(self, ask: Callable[..., Any], number: int) -> None:
        self._ask, self._number = ask, number

    def open(self, address: str) -> None:
        self._ask(do="open", visitor=self._number, url=address)

    def before(self, script: str) -> None:
        """Runs ahead of every page opened from now on."""
        self._ask(do="before", visitor=self._number, script=script)

    def size(self, width: int, height: int) -> None:
        self._ask(do="size", visitor=self._number, width=width, height=height)

    def press(self, *keys: str) -> None:
        self._ask(do="press", visitor=self._number, keys=keys)

    def picture(self, path: Path) -> None:
        self._ask(do="picture", visitor=self._number, path=str(path))

    def click(self, selector: str, frame: str = "") -> None:
        self._ask(do="click", visitor=self._number, selector=selector, frame=frame)

    def evaluate(self, script: str) -> Any:
        return self._ask(do="evaluate", visitor=self._number, script=script)

    def cookies(self) -> list[dict[str, Any]]:
        return list(self._ask(do="cookies", visitor=self._number))

    def names_asked_for(self) -> set[str]:
        """Host names that were looked up since the last time, by anybody in this browser."""
        return set(self._ask(do="resolved"))

    def leave(self) -> None:
        self._ask(do="leave", visitor=self._number)


def _firefox() -> Firefox:
    executable = os.environ.get("LOFTE_FIREFOX") or "/usr/bin/firefox-esr"
    if not Path(executable).exists():
        pytest.skip("no Firefox here (Debian: apt-get install firefox-esr)")
    if not (NODE / "node_modules" / "puppeteer-core").exists():
        pytest.skip("puppeteer-core is not installed; run `npm ci` in tests/node")
    return Firefox(executable)


@pytest.fixture(
    scope="module", params=["chromium", "firefox"]
)  # no longer: Playwright keeps an event loop in this thread
def browser(request: pytest.FixtureRequest, chromium: str) -> Iterator[Any]:
    made = Chromium(chromium) if request.param == "chromium" else _firefox()
    yield made
    made.close()


@pytest.fixture(scope="module")
def firefox() -> Iterator[Firefox]:
    made = _firefox()
    yield made
    made.close()
