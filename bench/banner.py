"""`scripts/bench banner`: what banner and guard weigh, what they cost a browser, when they are seen; and four others.

Sizes are of what the gate adds to a page, gzip -9. The others are vanilla-cookieconsent, klaro, tarteaucitron and c15t
from npm, by the lock in bench/peers; without npm only ours is measured. `--save` keeps the run for
docs/reference/consent-clients.md.
"""

import asyncio
import gzip
import os
import re
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench import beside, clients
from bench.case import Case, at_most
from bench.ours import behind_the_gate

from lofte.features.policy.files import read_directory
from lofte.kernel.problems import Problem

LARGEST_BYTES = 3 * 1024
LARGEST_GUARD_BYTES = 1024
LONGEST_MS = 5.0
SAVED = Path(__file__).parent / "peers" / "measured.json"
_PARTS = (
    rb'<section id="lofte-banner".*?</section>',
    rb'<script[^>]*data-lofte="guard".*?</script>',
    rb'<script[^>]*data-lofte="signals".*?</script>',
)
_EDITIONS = {"sv": "/se/", "nb": "/no/", "fi": "/fi/", "en-GB": "/uk/", "en-US": "/us/"}


def run(*, save: bool = False) -> Iterator[Case]:
    for locale, (banner, guard, signals, added) in bytes_added():
        yield at_most("banner", f"banner, gzip, {locale}", banner, "bytes", LARGEST_BYTES)
        yield at_most("banner", f"guard, gzip, {locale}", guard, "bytes", LARGEST_GUARD_BYTES)
        yield Case("banner", f"signals to tags, gzip, {locale}", signals, "bytes")
        yield Case("banner", f"all that is added to a page, gzip, {locale}", added, "bytes")
    chromium = os.environ.get("LOFTE_CHROMIUM") or "/usr/bin/chromium"
    if not Path(chromium).exists():
        return
    others: tuple[clients.Client, ...] = clients.OTHERS
    try:
        clients.install()
    except Problem as missing:
        yield Case("banner", f"without the others: {missing.detail[:40]}", 0, "")
        others = ()
    found = beside.measure(chromium, others)
    ours = next(one for one in found if one.client == clients.OURS.id)
    yield at_most("banner", "script CPU on the main thread", max(0.0, ours.script_ms), "ms", LONGEST_MS)
    yield at_most("banner", "banner seen after first paint", ours.late_ms, "ms", 0.0)
    yield at_most("banner", "layout shift", ours.shift, "score", 0.0)
    yield at_most("banner", "requests of its own", ours.requests, "requests", 0.0)
    yield at_most("banner", "unmarked requests before consent", ours.cargo_requests, "requests", 0.0)
    yield at_most("banner", "unmarked keys before consent", ours.cargo_keys, "keys", 0.0)
    yield at_most("banner", "left behind after withdrawal", len(ours.left_behind or ()), "keys", 0.0)
    for one in found:
        if one is not ours and one.client != clients.BARE.id:
            yield from _beside(one, ours)
    if save:
        SAVED.write_text(beside.saved(found, datetime.now(UTC)), encoding="utf-8")


def _beside(one: beside.Measured, ours: beside.Measured) -> Iterator[Case]:
    """The other's figure, with ours as the limit beside it."""
    figures = {
        "bytes, gzip": (one.gzip_bytes, ours.gzip_bytes, "bytes"),
        "requests": (one.requests, ours.requests, "requests"),
        "script CPU": (one.script_ms, ours.script_ms, "ms"),
        "task CPU": (one.task_ms, ours.task_ms, "ms"),
        "banner seen after first paint": (one.late_ms, ours.late_ms, "ms"),
        "findings of axe, banner": (len(one.axe_banner), len(ours.axe_banner), "rules"),
        "unmarked requests before consent": (one.cargo_requests, ours.cargo_requests, "requests"),
        "left behind after withdrawal": (len(one.left_behind or ()), len(ours.left_behind or ()), "keys"),
    }
    for name, (theirs, mine, unit) in figures.items():
        yield Case("banner", f"{one.client}: {name}", theirs, unit, limit=mine)


def bytes_added() -> Iterator[tuple[str, tuple[int, int, int, int]]]:
    """By locale, each after gzip -9: banner, guard, signals, and the page as it leaves the gate less the site's own."""
    page = clients.page(clients.BARE, cargo=False)

    async def site(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/html")]})
        await send({"type": "http.response.body", "body": page})

    with tempfile.TemporaryDirectory() as home:
        at = datetime.now(UTC)
        with behind_the_gate(
            Path(home), read_directory(beside.POLICY), site, "https://xledger.com", at
        ) as app:  # fmt: skip
            for locale, path in _EDITIONS.items():
                sent = _asked(app, path)
                parts = [b"".join(re.findall(part, sent, re.DOTALL)) for part in _PARTS]
                yield locale, (*map(_packed, parts), _packed(sent) - _packed(page))  # type: ignore[misc]  # three parts


def _packed(content: bytes) -> int:
    return len(gzip.compress(content, 9)) if content else 0


def _asked(app: Any, path: str) -> bytes:
    body: list[bytes] = []

    async def send(message: Any) -> None:
        body.append(message.get("body", b""))

    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    scope = {
        "type": "http", "method": "GET", "path": path, "query_string": b"", "scheme": "https", "client": None,
        "headers": [(b"host", b"xledger.com")],
    }  # fmt: skip
    asyncio.run(app(scope, receive, send))
    return b"".join(body)
