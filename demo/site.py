"""The company site of the demonstration in five editions: plain Python and HTML, content from content/<locale>.yaml.

It knows nothing of Löfte beyond links into `/lofte/`, `/news/` and `/my/`, and one form on its contact page: nobody marked up
its third-party tags.
`site` is the ASGI app; the gate stands in front of it. Pages are rendered once per edition, page and port.
"""

from dataclasses import dataclass
from functools import cache
from html import escape
from mimetypes import guess_type
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from ruamel.yaml import YAML

from demo import forms, pages
from demo.wire import Receive, Scope, Send, answer, body, cookies, lifespan, port_of, query, redirect

HERE = Path(__file__).parent
_COOKIE = "lofte_locale"
_YEAR_S = 365 * 24 * 3600
_ASSETS = {path.name: path for path in sorted((HERE / "assets").iterdir())}


@dataclass(frozen=True, slots=True)
class Edition:
    market: str
    path: str
    locale: str

    @property
    def words(self) -> dict[str, Any]:
        return content(self.locale)

    def address(self, page: str) -> str:
        """The path of a page, with the slash every address here ends on."""
        return f"{self.path}/" if page == "home" else f"{self.path}/{self.words['slugs'][page]}/"

    def own(self, kind: str) -> str:
        """An address of Löfte for this edition, such as ``policy`` or ``cookies``."""
        return f"/lofte/{kind}/{self.market.lower()}/{self.locale}/"

    def offers(self, kind: str) -> str:
        """Where Löfte lists what this edition offers: ``events`` or ``materials``."""
        return f"/{kind}/{self.market.lower()}/{self.locale}/"


EDITIONS = (
    Edition("SE", "/se", "sv"),
    Edition("NO", "/no", "nb"),
    Edition("FI", "/fi", "fi"),
    Edition("GB", "/uk", "en-GB"),
    Edition("US", "/us", "en-US"),
)
PAGES = ("home", "product", "customers", "partners", "about", "events", "article", "contact", "newsletter")


@cache
def content(locale: str) -> dict[str, Any]:
    loaded: dict[str, Any] = YAML(typ="safe", pure=True).load(HERE / "content" / f"{locale}.yaml")
    return loaded


@cache
def _routes() -> dict[str, tuple[Edition, str]]:
    return {edition.address(page): (edition, page) for edition in EDITIONS for page in PAGES}


def addresses() -> list[str]:
    """Every page of every edition: what crawlers and probes visit."""
    return list(_routes())


@cache
def _rendered(address: str, port: str) -> bytes:
    edition, page = _routes()[address]
    return pages.render(edition, page, EDITIONS, port).encode()


async def site(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "lifespan":
        await lifespan(receive, send)
        return
    if scope["type"] != "http":
        return
    path = scope["path"]
    if path == "/region" and scope["method"] == "POST":
        await _remember(scope, receive, send)
    elif path in ("/", "/region"):
        await _choose(scope, send)
    elif path == "/favicon.ico":
        await _asset("icon.svg", send)
    elif path.startswith("/assets/"):
        await _asset(path.removeprefix("/assets/"), send)
    elif path in _routes():
        page, port = _rendered(path, port_of(scope)), port_of(scope)
        edition, _ = _routes()[path]
        await answer(
            send, await forms.filled(page, edition, "inquiry", f"http://localhost{port}"), headers=_page_headers()
        )
    elif f"{path}/" in _routes():
        await redirect(send, f"{path}/", status=308)
    else:
        await _missing(path, port_of(scope), send)


async def _choose(scope: Scope, send: Send) -> None:
    """The front door: straight to the edition the visitor once asked to be remembered, else the five of them."""
    remembered = next((edition for edition in EDITIONS if edition.path == f"/{cookies(scope).get(_COOKIE, '')}"), None)
    if scope["path"] == "/" and remembered:
        await redirect(send, f"{remembered.path}/", [("cache-control", "no-store")], 302)
        return
    page = query(scope).get("page", "home")
    await answer(send, pages.regions(EDITIONS, page if page in PAGES else "home"), headers=_page_headers())


async def _remember(scope: Scope, receive: Receive, send: Send) -> None:
    """The switch was used: only now is anything kept, one functional cookie that names the edition."""
    sent = {key: values[0] for key, values in parse_qs((await body(receive)).decode("latin-1")).items()}
    edition = next((edition for edition in EDITIONS if edition.path == f"/{sent.get('edition', '')}"), None)
    if edition is None:
        await redirect(send, "/region")
        return
    page = sent.get("page", "home")
    kept = f"{_COOKIE}={edition.path[1:]}; Max-Age={_YEAR_S}; Path=/; SameSite=Lax; HttpOnly"
    await redirect(send, edition.address(page if page in PAGES else "home"), [("set-cookie", kept)])


async def _asset(name: str, send: Send) -> None:
    path = _ASSETS.get(name)
    if path is None:
        await answer(send, b"", "text/plain", 404)
        return
    kind = guess_type(name)[0] or "application/octet-stream"
    await answer(send, path.read_bytes(), kind, headers=[("cache-control", "public, max-age=300")])


async def _missing(path: str, port: str, send: Send) -> None:
    edition = next((edition for edition in EDITIONS if path.startswith(f"{edition.path}/")), EDITIONS[3])
    link = f'<p><a href="{edition.path}/">{escape(edition.words["site"]["top"])}</a></p>'
    shell = pages.shell(edition, "home", EDITIONS, port, "404", f'<section class="intro"><h1>404</h1>{link}</section>')
    await answer(send, shell, status=404, headers=_page_headers())


def _page_headers() -> list[tuple[str, str]]:
    return [("cache-control", "public, max-age=60")]


__all__ = ["EDITIONS", "PAGES", "addresses", "site"]
