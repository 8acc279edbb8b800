"""`scripts/bench banner`: what banner and guard weigh, what they cost a browser, and when they are seen.

Sizes are of what the gate adds to a page, gzip -9, as if nothing else were compressed with it. Script time is the
main thread's own CPU time (Chromium's threadTicks), a page with banner and guard less the same page without.
"""

import asyncio
import gzip
import os
import socket
import statistics
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from secrets import token_urlsafe
from typing import Any

import uvicorn
from bench.case import Case, at_most

from lofte.features.policy.files import read_directory
from lofte.gate import ConsentState, Declarations, Gate
from lofte.gate.guard import script
from lofte.rules.compile import compile_policy
from lofte.rules.pages.banner import fill
from lofte.rules.source import read

POLICY = Path(__file__).parents[1] / "policies" / "xledger"
LARGEST_BYTES = 3 * 1024
LONGEST_MS = 5.0
ROUNDS = 9
_SETTINGS = "/lofte/preferences/se/sv/?back=/se/"
LINK = f'<nav id="lofte-settings" style="padding:1em" aria-label="C"><a href="{_SETTINGS}">C</a></nav>'.encode()
TOKEN = f"v1.{token_urlsafe(16)}.1795350000.SE.sv.0123456789abcdef.{token_urlsafe(32)}"  # as long and random as real
PAGE = (
    b"<!doctype html><html lang=en><head><meta charset=utf-8><title>x</title></head><body><h1>Page</h1>%s</body></html>"
    % (b"<p>Some text on a page of ordinary length.</p>" * 40)
)


def run() -> Iterator[Case]:
    compiled = compile_policy(read(read_directory(POLICY)), datetime.now(UTC), None)
    published = compiled.published
    for market, declared in published.policy.markets.items():
        locale = declared.locales[0]
        banner = _filled(compiled.files[f"{market}/{locale}/banner.html"])
        declarations = Declarations(published, market, {})
        guard = script(ConsentState(declarations, declarations.allowed(None, gpc=False), frozenset())).encode()
        added = banner + b'<script nonce="0123456789012345678901" data-lofte="guard">' + guard + b"</script>" + LINK
        yield at_most(
            "banner", f"bytes added to a page, gzip, {locale}", len(gzip.compress(added, 9)), "bytes", LARGEST_BYTES
        )
    chromium = os.environ.get("LOFTE_CHROMIUM") or "/usr/bin/chromium"
    if not Path(chromium).exists():
        return
    banner = _filled(compiled.files["GB/en-GB/banner.html"], "<!--lofte:nonce-->")
    with _serving(lambda: published, banner) as origin:
        yield from _in_a_browser(chromium, origin)


def _filled(page: bytes, nonce: str = "0123456789012345678901") -> bytes:
    return fill(page, token=TOKEN, back="/uk/", nonce=nonce, gpc="")


def _in_a_browser(chromium: str, origin: str) -> Iterator[Case]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium, args=["--no-sandbox", "--disable-quic", "--no-first-run"]
        )
        _load(browser, f"{origin}/uk/")  # the first page pays for the browser's own start
        bare, dressed = [], []
        for _ in range(ROUNDS):
            bare.append(_load(browser, f"{origin}/bare/"))
            dressed.append(_load(browser, f"{origin}/uk/"))
        browser.close()
    cost = statistics.median(one["script_ms"] for one in dressed) - statistics.median(one["script_ms"] for one in bare)
    yield at_most("banner", "script CPU on the main thread", max(0.0, cost), "ms", LONGEST_MS)
    late = statistics.median(one["banner_ms"] - one["paint_ms"] for one in dressed)
    yield at_most("banner", "banner in the page after first paint", late, "ms", 0.0)
    yield at_most("banner", "layout shift", max(one["shift"] for one in dressed), "score", 0.0)
    yield at_most("banner", "requests of its own", max(one["requests"] for one in dressed) - 1, "requests", 0.0)


_WATCH = """window.shift = 0; window.bannerAt = Infinity;
new PerformanceObserver(l => l.getEntries().forEach(e => { window.shift += e.value; }))
    .observe({type: 'layout-shift', buffered: true});
new MutationObserver(() => {
    if (window.bannerAt === Infinity && document.getElementById('lofte-banner')) window.bannerAt = performance.now();
}).observe(document, {childList: true, subtree: true});"""


def _load(browser: Any, address: str) -> dict[str, float]:
    context = browser.new_context()
    page = context.new_page()
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    client = context.new_cdp_session(page)
    client.send("Performance.enable", {"timeDomain": "threadTicks"})
    page.add_init_script(_WATCH)
    page.goto(address, wait_until="load")
    page.wait_for_timeout(150)
    metrics = {one["name"]: one["value"] for one in client.send("Performance.getMetrics")["metrics"]}
    paint = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? 0")
    shift, banner_at = page.evaluate("[window.shift, window.bannerAt === Infinity ? 0 : window.bannerAt]")
    context.close()
    return {
        "script_ms": metrics["ScriptDuration"] * 1000,
        "paint_ms": paint,
        "banner_ms": banner_at,
        "shift": shift,
        "requests": len([url for url in requests if "favicon" not in url]),
    }


@contextmanager
def _serving(published: Any, banner: bytes) -> Iterator[str]:
    async def site(scope: Any, receive: Any, send: Any) -> None:
        headers = [(b"content-type", b"text/html; charset=utf-8"), (b"content-length", str(len(PAGE)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": PAGE})

    gate = Gate(site, published, b"k" * 32, lambda scope, market, locale: banner)

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await (site if scope["path"] == "/bare/" else gate)(scope, receive, send)

    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="off"))
        thread = threading.Thread(target=lambda: asyncio.run(server.serve([listening])), daemon=True)
        thread.start()
        while not server.started:
            threading.Event().wait(0.01)
        yield f"http://localhost:{listening.getsockname()[1]}"
        server.should_exit = True
        thread.join(5)
