"""The published pages: policy, cookie list, changes, earlier versions, banner. Frozen bytes with a few slots filled.

A page that is the same for everyone is compressed and hashed once for each publication and set of verdicts; a page
with a token in it is made for one visitor and never cached.
"""

import os
from base64 import urlsafe_b64encode
from collections.abc import Callable
from html import escape
from typing import Protocol
from urllib.parse import quote

from lofte.edge.answers import (
    CSS,
    HTML,
    IMMUTABLE,
    JSON,
    NO_STORE,
    Frozen,
    Header,
    Send,
    answer,
    empty,
    inline_hashes,
    page_headers,
)  # fmt: skip
from lofte.edge.config import EdgeConfig
from lofte.edge.layout import moment, page, told
from lofte.edge.requests import Request, is_own_path
from lofte.edge.slots import Template
from lofte.edge.subject import Tokens
from lofte.edge.verdicts import Verdicts
from lofte.evidence.publications import Publication, Shelf
from lofte.gate.choice import Choice, decode
from lofte.kernel.problems import Problem
from lofte.rules.catalogue import say
from lofte.rules.model import Audience, StorageModel

_CACHED_PAGES = 256
_CURRENT = b"public, max-age=60"
_SAFE_IN_PATHS = "/?&=%:;,@!$'()*+~-._[]"


class History(Protocol):
    async def __call__(self, choice: Choice | None, publication: Publication, locale: str) -> str: ...


class Pages:
    def __init__(
        self, config: EdgeConfig, shelf: Shelf, tokens: Tokens, choice_key: bytes, verdicts: Verdicts, history: History
    ) -> None:
        self._config, self._shelf, self._tokens, self._choice_key = config, shelf, tokens, choice_key
        self._verdicts, self._history = verdicts, history
        self._templates: dict[str, Template] = {}
        self._frozen: dict[tuple[object, ...], Frozen] = {}

    # Pages that differ between visitors

    async def banner(self, request: Request, send: Send) -> int:
        """The banner alone, with a fresh token, for pages that fetch it."""
        publication = self._shelf.current()
        market, locale = self._edition(publication, request.query("market"), request.query("locale"))
        nonce = request.query("nonce") if request.query("nonce").isalnum() else ""
        body = self.banner_html(market, locale, request.query("back"), nonce, request.asks_not_to_be_sold())
        headers = [(b"cache-control", NO_STORE), (b"vary", b"sec-gpc"), *page_headers()]
        await answer(send, 200, body, HTML, headers, request.is_head)
        return 200

    def offered_banner(self, market: str, locale: str, back: str) -> bytes:
        """The banner for the gate to place into a page, the same for everybody. Empty when nothing is asked."""
        publication = self._shelf.current()
        offer = self._tokens.offer(market, locale, publication.digest)
        return self._banner(publication, market, locale, {"token": offer, "back": back})

    async def chosen(self, request: Request, send: Send) -> int:
        """What a browser without scripts needs to know of its own choice: a style sheet, asked for by `noscript` alone."""
        choice = decode(request.headers.get(b"cookie"), self._choice_key)
        rules = [b"#lofte-banner{display:none!important}"] if choice else []
        if request.asks_not_to_be_sold():
            rules.append(b"#lofte-banner [data-lofte=gpc],#lofte-gpc{display:block!important}")
            rules.append(
                b"#lofte-banner[data-lofte-answered],#lofte-banner [data-lofte-answered]{display:none!important}"
            )
        headers: list[Header] = [(b"cache-control", NO_STORE), (b"vary", b"cookie, sec-gpc")]
        await answer(send, 200, b"".join(rules), CSS, headers, request.is_head)
        return 200

    def banner_html(self, market: str, locale: str, back: str, nonce: str, gpc: bool) -> bytes:
        """The banner with a token of its own. Empty when nothing is asked."""
        publication = self._shelf.current()
        values = {
            "token": self._token(publication, market, locale, "banner"),
            "back": back,
            "nonce": escape(nonce),
            "gpc": "1" if gpc else "",
        }
        return self._banner(publication, market, locale, values)

    def _banner(self, publication: Publication, market: str, locale: str, values: dict[str, str]) -> bytes:
        name = f"{market}/{locale}/banner.html"
        if not publication.has(name):
            return b""
        values["back"] = escape(own_back(values["back"], publication.published.policy.markets[market].path))
        return self._template(publication, name).fill(lambda slot: values.get(slot, ""))

    async def preferences(self, request: Request, send: Send, market: str, locale: str) -> int:
        """The choices of this browser, to be changed or withdrawn, with the receipts of those made before."""
        publication = self._shelf.current()
        template = self._template(publication, f"{market}/{locale}/preferences.html")
        choice = decode(request.headers.get(b"cookie"), self._choice_key)
        nonce = urlsafe_b64encode(os.urandom(16)).decode().rstrip("=")
        values = {
            "token": self._token(publication, market, locale, "preferences"),
            "back": escape(own_back(request.query("back"), publication.published.policy.markets[market].path)),
            "nonce": nonce,
            "gpc": "1" if request.asks_not_to_be_sold() else "",
            "history": await self._history(choice, publication, locale),
        }
        granted = self._granted(publication, market, choice, request.asks_not_to_be_sold())
        body = template.fill(
            lambda slot: _checked(slot, granted) if slot.startswith("checked:") else values.get(slot, "")
        )
        if not template.has("history"):
            body = body.replace(b"</main>", values["history"].encode() + b"</main>", 1)
        headers = [
            (b"cache-control", NO_STORE),
            (b"vary", b"cookie, sec-gpc"),
            *page_headers(nonce, inline_hashes(body)),
        ]
        await answer(send, 200, body, HTML, headers, request.is_head)
        return 200

    # Pages that are the same for everyone

    async def current(self, request: Request, send: Send, name: str, market: str, locale: str) -> int:
        """``name`` is policy, cookies or changes."""
        publication = self._shelf.current()
        file = f"{market}/{locale}/{name}.html"
        self._verdicts.refresh()
        shows = publication.published.policy.verdicts_visible_to is Audience.PUBLIC
        key = (publication.object_of(file), locale, self._verdicts.generation if shows else -1)
        return await self._same(
            request, send, key, _CURRENT, lambda: self._fill_verdicts(publication, file, locale, shows)
        )

    async def version(self, request: Request, send: Send, market: str, locale: str, digest: str) -> int:
        """An earlier version as it was; its promises are not judged today, so its verdict slots stay empty."""
        publication = self._shelf.find(digest)
        if publication is None:
            raise Problem("publication.unknown", "no version has this digest", status=404)
        file = f"{market}/{locale}/policy.html"
        is_current = digest == self._shelf.current().digest
        key = ("version", digest, publication.object_of(file), is_current)

        def made() -> bytes:
            body = self._template(publication, file).fill(lambda slot: "")
            return (
                body if is_current else body.replace(b"<main", self._earlier(publication, market, locale) + b"<main", 1)
            )

        return await self._same(request, send, key, _CURRENT if is_current else IMMUTABLE, made)

    async def versions(self, request: Request, send: Send, market: str, locale: str) -> int:
        """Every version, newest first, with its date and, but for the first, what it changed."""
        base = f"/lofte/policy/{market.lower()}/{locale}/"
        items = []
        for publication in self._shelf.history():
            if not publication.has(f"{market}/{locale}/policy.html"):
                continue
            when = say(
                locale, "edge.versions.item", version=publication.version, at=moment(locale, publication.published_at)
            )
            items.append(f'<li><a href="{base}versions/{publication.digest}/">{escape(when)}</a></li>')
        links = (
            f'<p><a href="{base}">{told(locale, "versions.current")}</a> · '
            f'<a href="/lofte/changes/{market.lower()}/{locale}/">{told(locale, "versions.changes")}</a></p>'
        )
        lead = f"<p>{told(locale, 'versions.lead')}</p>"
        body = page(locale, say(locale, "edge.versions.title"), f"{lead}<ol reversed>{''.join(items)}</ol>{links}")
        key = ("versions", self._shelf.current().digest, market, locale)
        return await self._same(request, send, key, _CURRENT, lambda: body)

    async def policy_json(self, request: Request, send: Send) -> int:
        publication = self._shelf.current()
        key = (publication.object_of("policy.json"), "json")
        cross: list[Header] = [(b"access-control-allow-origin", b"*")]
        return await self._same(request, send, key, _CURRENT, lambda: publication.read("policy.json"), JSON, cross)

    async def gpc(self, request: Request, send: Send) -> int:
        """That we honour Global Privacy Control, and since when."""
        since = self._shelf.current().published_at
        body = b'{"gpc":true,"lastUpdate":"%b"}' % since.encode()
        return await self._same(request, send, ("gpc", since), _CURRENT, lambda: body, JSON)

    # Parts

    async def _same(
        self, request: Request, send: Send, key: tuple[object, ...], cache: bytes, make: Callable[[], bytes],
        content_type: bytes = HTML, headers: list[Header] | None = None,
    ) -> int:  # fmt: skip
        frozen = self._frozen.get(key)
        if frozen is None:
            body = make()
            own = page_headers(inline=inline_hashes(body)) if content_type is HTML else headers or []
            while len(self._frozen) >= _CACHED_PAGES:
                del self._frozen[next(iter(self._frozen))]
            frozen = self._frozen[key] = Frozen(body, content_type, cache, own)
        return await frozen.answer(send, request.headers, request.is_head)

    def _fill_verdicts(self, publication: Publication, file: str, locale: str, shows: bool) -> bytes:
        def value_of(slot: str) -> str:
            kind, _, promise = slot.partition(":")
            return self._verdicts.html(promise, locale) if shows and kind == "verdict" else ""

        return self._template(publication, file).fill(value_of)

    def _template(self, publication: Publication, name: str) -> Template:
        address = publication.object_of(name)
        found = self._templates.get(address)
        if found is None:
            while len(self._templates) >= _CACHED_PAGES:
                del self._templates[next(iter(self._templates))]
            found = self._templates[address] = Template(publication.read(name))
        return found

    def _edition(self, publication: Publication, market: str, locale: str) -> tuple[str, str]:
        """Market and locale as the policy knows them. Raises Problem 404."""
        known = market.upper(), locale
        if known not in publication.shown:
            raise Problem("publication.unknown-edition", "no such market and language", status=404)
        return known

    def edition(self, market: str, locale: str) -> tuple[str, str]:
        return self._edition(self._shelf.current(), market, locale)

    def _token(self, publication: Publication, market: str, locale: str, method: str) -> str:
        return self._tokens.issue(market, locale, publication.digest, int(self._config.now().timestamp()), method)

    def _granted(self, publication: Publication, market: str, choice: Choice | None, gpc: bool) -> frozenset[str]:
        """What is on now: the choice, or before any choice what the market's law allows unasked."""
        if choice is not None:
            return choice.granted
        unasked = {StorageModel.EXEMPT_WITH_OBJECTION} | (set() if gpc else {StorageModel.OPT_OUT})
        models = publication.published.policy.browser_purposes(market)
        return frozenset(purpose for purpose, model in models.items() if model in unasked)

    def _earlier(self, publication: Publication, market: str, locale: str) -> bytes:
        said = say(
            locale, "edge.versions.earlier", version=publication.version, at=moment(locale, publication.published_at)
        )
        link = f'<a href="/lofte/policy/{market.lower()}/{locale}/">{told(locale, "versions.current")}</a>'
        return f'<aside class="lofte-earlier" role="note">{escape(said)} {link}</aside>'.encode()


def own_back(wanted: str, otherwise: str) -> str:
    """Where to go after the choice: ``wanted`` when it is a path of this site, else ``otherwise``."""
    back = quote(wanted, safe=_SAFE_IN_PATHS)
    return back if is_own_path(back) and not back.startswith("/lofte/consent") else otherwise


def _checked(slot: str, granted: frozenset[str]) -> str:
    return " checked" if slot.removeprefix("checked:") in granted else ""


async def redirect(send: Send, where: str) -> int:
    await empty(send, 308, [(b"location", quote(where, safe=_SAFE_IN_PATHS).encode())])
    return 308
