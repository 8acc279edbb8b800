"""A small policy, a page nobody marked up, and a gate around it."""

import asyncio
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from lofte.gate import Gate, HeldReport
from lofte.gate.choice import Choice, encode, shown
from lofte.rules.model import Policy
from lofte.rules.pages.banner import banner, fill
from lofte.rules.published import Published

KEY = b"k" * 32


def _policy(**changes: Any) -> Policy:
    base: dict[str, Any] = {
        "format": "1",
        "id": "small",
        "version": "2026-11",
        "last_updated": "2026-11",
        "organisation": {"name": "Small", "offices": [{"city": "Solna", "country": "SE"}]},
        "controllers": {
            "small": {"name": "Small", "country": "SE", "email": "a@b.se", "phone": "1", "post": ["x"]},
        },
        "markets": {
            "SE": {
                "controller": "small",
                "country": "SE",
                "law": "SE",
                "locales": ["sv"],
                "domains": ["small.se"],
                "path": "/se",
            },
            "US": {
                "controller": "small",
                "country": "US",
                "law": "US-CO",
                "locales": ["en-US"],
                "domains": ["small.se"],
                "path": "/us",
            },
        },
        "fields": {},
        "purposes": {
            "necessary": {"basis": "legitimate_interest", "scope": "browser", "storage": "necessary"},
            "statistics": {"basis": "consent", "scope": "browser", "storage": "opt_in"},
            "marketing": {
                "basis": "consent",
                "scope": "browser",
                "storage": "opt_in",
                "storage_by_market": {"US": "opt_out"},
            },
        },
        "relations": {},
        "clocks": {},
        "recipients": {"counter": {"name": "Counter AB", "role": "processor", "country": "SE"}},
        "systems": {},
        "tags": {
            "count": {
                "name": "Count",
                "recipient": "counter",
                "purpose": "statistics",
                "hosts": ["count.test", "*.count.test"],
            },
            "ads": {"name": "Ads", "recipient": "counter", "purpose": "marketing", "hosts": ["ads.test"]},
        },
        "cookies": {
            "lofte": {
                "name": "lofte",
                "party": "first",
                "provider": "self",
                "purpose": "necessary",
                "lifetime": "P180D",
            },
            "session": {
                "name": "session",
                "party": "first",
                "provider": "self",
                "purpose": "necessary",
                "lifetime": "session",
            },
            "count": {
                "name": "_count*",
                "party": "first",
                "provider": "counter",
                "purpose": "statistics",
                "lifetime": "P1Y",
            },
            "ads": {
                "name": "_ads",
                "party": "first",
                "provider": "counter",
                "purpose": "marketing",
                "lifetime": "P1Y",
                "path": "/se/shop",
            },
            "ads-local": {
                "name": "ads.local",
                "storage": "local",
                "party": "first",
                "provider": "counter",
                "purpose": "marketing",
                "lifetime": "persistent",
            },
        },
        "forms": {},
        "promises": {},
    }
    return Policy.model_validate(base | changes)


def _published() -> Published:
    words = {
        "banner": {
            "title": "May we?",
            "lead": "We use cookies for statistics and marketing if you let us.",
            "accept": "Accept all",
            "reject": "Reject all",
            "choose": "Choose",
            "save": "Save my choice",
            "withdraw_hint": "You may withdraw at any time.",
            "settings_link": "Cookies",
        },
        "purposes": {key: {"name": key.title(), "why": "why"} for key in ("necessary", "statistics", "marketing")},
    }
    wordings = {"SE/sv/banner": "a" * 64, "US/en-US/banner": "b" * 64}
    return Published(
        version="2026-11",
        digest="d" * 64,
        published_at="2026-11-22T12:00:00Z",
        policy=_policy(),
        words={"sv": words, "en-US": words},
        wordings=wordings,
    )


@pytest.fixture(scope="session")
def published() -> Published:
    return _published()


@pytest.fixture
def cookie_for() -> Callable[..., bytes]:
    def make(*granted: str) -> bytes:
        choice = Choice("subject", frozenset(granted), "d" * 16, 7)
        return f"lofte={encode(choice, KEY)}; lofte_on={shown(choice, 'd' * 64)}".encode()

    return make


@pytest.fixture
def visit(published: Published) -> Callable[..., Any]:
    """``visit(html, headers=..., path=...)``: one request through a gate; gives headers, body and reports."""

    def run(
        body: bytes,
        *,
        path: str = "/se/",
        headers: dict[str, bytes] | None = None,
        answer: list[tuple[bytes, bytes]] | None = None,
        chunks: int = 1,
        status: int = 200,
        method: str = "GET",
        page: Callable[[Any], bytes] | None = None,
        **options: Any,
    ) -> Any:
        reports: list[HeldReport] = []
        seen: dict[str, Any] = {}
        step = max(1, -(-len(body) // chunks))
        pieces = [body[at : at + step] for at in range(0, len(body), step)] or [b""]

        async def site(scope: Any, receive: Any, send: Any) -> None:
            seen.update(scope)
            given = [(b"content-type", b"text/html; charset=utf-8")] if answer is None else answer
            await send({"type": "http.response.start", "status": status, "headers": given})
            for number, piece in enumerate([page(scope)] if page else pieces):
                await send({"type": "http.response.body", "body": piece, "more_body": number < len(pieces) - 1})

        def fresh(scope: Any, market: str, locale: str) -> bytes:
            return fill(banner(published, market, locale), token="t", back=scope["path"])

        gate = Gate(site, lambda: published, KEY, fresh, on_held=reports.append, **options)
        sent: list[Any] = []

        async def send(message: Any) -> None:
            sent.append(message)

        scope = {
            "type": "http",
            "method": method,
            "path": path,
            "scheme": "http",
            "headers": [
                (b"host", b"small.se"),
                *((k.lower().encode(), v) for k, v in (headers or {}).items()),
            ],
            "extensions": {"http.response.pathsend": {}},
        }
        asyncio.run(gate(scope, None, send))  # type: ignore[arg-type]  # the site above never receives
        out = b"".join(message.get("body", b"") for message in sent[1:])
        answered = sent[0]["headers"]
        return SimpleNamespace(
            status=sent[0]["status"],
            headers={k.decode(): v.decode("latin-1") for k, v in answered},
            set_cookies=[v.decode("latin-1") for k, v in answered if k == b"set-cookie"],
            body=out,
            reports=reports,
            held={(report.kind, report.what) for report in reports},
            scope=seen,
            messages=sent,
        )

    return run


@pytest.fixture
def gate_around(visit: Callable[..., Any]) -> Callable[..., Any]:
    """``gate_around(page)``: the answer to one request, where ``page(scope)`` writes the page."""
    return lambda page: visit(b"", page=page)
