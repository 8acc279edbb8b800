"""`scripts/bench gate`: what it costs to hold a page, in CPU time of one core.

The page is made here: ordinary markup with links, pictures and the usual tags nobody marked up. Beside it stands the
machine's own limit: the same page looked through once by a regular expression that finds every tag and does nothing.
"""

import asyncio
import re
import resource
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench.case import Case, at_most

from lofte.features.policy.files import read_directory
from lofte.gate import ConsentState, Declarations, Gate
from lofte.gate.document import View, hold
from lofte.gate.placeholders import Placeholders
from lofte.gate.upstream import Upstream
from lofte.rules.compile import compile_policy
from lofte.rules.source import read

POLICY = Path(__file__).parents[1] / "policies" / "xledger"
LONGEST_MS = 3.0
ROUNDS = 60
MOST_MB = 32.0

_TAGS = b"""<script async src="https://www.googletagmanager.com/gtm.js?id=GTM-X"></script>
<link rel="preconnect" href="https://connect.facebook.net">
<script>(function(){var u='https://www.googletagmanager.com/gtm.js'})();</script>
<noscript><img src="https://www.facebook.com/tr?id=1"></noscript>
<iframe src="https://www.youtube.com/embed/abcdefghijk" width="560" height="315"></iframe>
<script defer src="https://chat.example/widget.js"></script>"""
_ITEM = b"""<article class="card card--news" data-id="%d"><a class="card__link" href="/se/nyheter/%d/?ref=start&amp;n=1">
<img class="card__image" src="/media/%d.jpg" width="640" height="360" alt="En bild" loading="lazy">
<h3>Rubrik nummer %d</h3></a>
<p>En text om <em>bokslut</em>, <strong>automation</strong> och <a href="https://example.org/%d">annat</a> om ekonomi.</p>
<!-- kort %d --><ul class="tags"><li><a href="/se/amne/a/">A</a></li><li><a href="/se/amne/b/">B</a></li></ul></article>
"""


def page_of(size: int) -> bytes:
    head = b"<!doctype html>\n<html lang=sv><head><meta charset=utf-8><title>Sida</title></head><body>"
    body, number = [head, _TAGS], 0
    while sum(map(len, body)) < size:
        number += 1
        body.append(_ITEM.replace(b"%d", str(number).encode()))
    return b"".join([*body, b"</body></html>"])


def run() -> Iterator[Case]:
    published = compile_policy(read(read_directory(POLICY)), datetime.now(UTC), None).published
    declarations = Declarations(published, "SE", {})
    tag = re.compile(rb"<[^>]*>")
    for size_kb in (10, 100):
        page = page_of(size_kb * 1024)
        floor = _cpu_ms(lambda page=page: len(tag.findall(page)))
        placeholders = Placeholders(published, "SE", "sv", b"k" * 32)
        base = ConsentState(declarations, declarations.necessary, frozenset())
        view = View(base, "localhost", "n" * 22, "/lofte/preferences/se/sv/", placeholders)
        cost = _cpu_ms(lambda page=page, view=view: hold(page, view).bytes())
        yield at_most("gate", f"holding {size_kb} KB", cost, "ms CPU", LONGEST_MS, round(floor, 2))
    page = page_of(100 * 1024)
    yield Case("gate", "a whole request of 100 KB through the gate", round(_request_ms(published, page), 2), "ms CPU")
    plain, gated = _proxied_ms(published, page)
    yield Case("gate", "100 KB from an upstream, through lofte gate", round(gated, 2), "ms CPU", round(plain, 2))
    grown_mb, per_100_kb = _long_page(published)
    yield at_most("gate", "memory for a page of 50 MB", grown_mb, "MB", MOST_MB)
    yield Case("gate", "100 KB of a page of 50 MB", round(per_100_kb, 2), "ms CPU")


def _cpu_ms(work: Callable[[], object]) -> float:
    """The best of many: other work on the machine only ever adds."""
    work()
    best = float("inf")
    for _ in range(ROUNDS):
        before = time.thread_time()
        work()
        best = min(best, time.thread_time() - before)
    return best * 1000


def _request_ms(published: Any, page: bytes) -> float:
    async def site(scope: Any, receive: Any, send: Any) -> None:
        await send(
            {"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/html; charset=utf-8")]}
        )
        await send({"type": "http.response.body", "body": page})

    gate = Gate(site, lambda: published, b"k" * 32, lambda scope, market, locale: b"<section></section>")
    scope = {"type": "http", "method": "GET", "path": "/se/", "scheme": "https", "headers": [(b"host", b"xledger.com")]}

    async def sent(message: Any) -> None:
        return None

    async def ask() -> None:
        await gate(scope, sent, sent)  # type: ignore[arg-type]  # the site above never receives

    return _cpu_ms(lambda: asyncio.run(ask()))


def _proxied_ms(published: Any, page: bytes) -> tuple[float, float]:
    """A request to a site of its own, CPU on our side alone: passed on as it is, and through the gate."""

    async def said(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.readuntil(b"\r\n\r\n"):
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: %d\r\n\r\n" % len(page) + page)

    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, daemon=True).start()
    server = asyncio.run_coroutine_threadsafe(asyncio.start_server(said, "127.0.0.1", 0), loop).result()
    site = Upstream(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
    gate = Gate(site, lambda: published, b"k" * 32, lambda scope, market, locale: b"<section></section>")

    async def measured(app: Any) -> float:
        best = float("inf")
        for _ in range(ROUNDS):
            before = time.thread_time()
            await app(dict(_SCOPE), asyncio.Event().wait, _sent)
            best = min(best, time.thread_time() - before)
        return best * 1000

    async def both() -> tuple[float, float]:
        return await measured(site), await measured(gate)

    try:
        return asyncio.run(both())
    finally:
        loop.call_soon_threadsafe(lambda: [task.cancel() for task in asyncio.all_tasks(loop)])
        loop.call_soon_threadsafe(loop.call_soon, loop.stop)


def _long_page(published: Any) -> tuple[float, float]:
    """How much memory a page of 50 MB takes beyond what was taken before, and the time for each 100 KB of it."""
    part = page_of(64 * 1024).removesuffix(b"</body></html>")
    rest = part[part.index(b"<article") :]
    pieces = 50_000_000 // len(rest)

    async def site(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/html")]})
        for piece in (part, *(rest for _ in range(pieces))):
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b"</body></html>"})

    gate = Gate(site, lambda: published, b"k" * 32, lambda scope, market, locale: b"<section></section>")
    before_kb, since = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.thread_time()
    asyncio.run(gate(dict(_SCOPE), _sent, _sent))
    took_ms = (time.thread_time() - since) * 1000
    return (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kb) / 1024, took_ms / (
        pieces * len(rest) / 102_400
    )


async def _sent(message: Any) -> None:
    return None


_SCOPE = {
    "type": "http", "method": "GET", "path": "/se/", "scheme": "https", "headers": [(b"host", b"xledger.com")],
    "client": ("127.0.0.1", 1),
}  # fmt: skip
