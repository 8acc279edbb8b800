"""The snippets of Google and Meta on a page nobody marked up, in Chromium, behind the gate in both modes.

The third parties are played inside the browser; what reaches them is written down.
"""

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from lofte.gate import Gate
from lofte.gate.choice import Choice, encode, shown
from lofte.gate.guard import release, release_address
from lofte.rules.compile import assemble
from lofte.rules.pages.banner import banner, fill
from lofte.rules.source import read

pytestmark = pytest.mark.browser
KEY, DIGEST = b"k" * 32, "d" * 64
EXAMPLE = Path(__file__).parents[2] / "policies" / "xledger"
SITE = "https://www.xledger.com"
PAGE = b"""<!doctype html><html><head><title>x</title>
<script>window.dataLayer=window.dataLayer||[];function gtag(){dataLayer.push(arguments)}
gtag('consent','default',{ad_storage:'granted',analytics_storage:'granted'});gtag('js',new Date());gtag('config','G-ABC');</script>
<script>(function(w,d,s,l,i){w[l]=w[l]||[];w[l].push({'gtm.start':1,event:'gtm.js'});var f=d.getElementsByTagName(s)[0],
j=d.createElement(s);j.async=true;j.src='https://www.googletagmanager.com/gtm.js?id='+i;f.parentNode.insertBefore(j,f)})
(window,document,'script','dataLayer','GTM-X')</script>
<script>!function(f,b,e,v,n,t,s){if(f.fbq)return;n=f.fbq=function(){n.callMethod?n.callMethod.apply(n,arguments):
n.queue.push(arguments)};if(!f._fbq)f._fbq=n;n.push=n;n.loaded=!0;n.version='2.0';n.queue=[];t=b.createElement(e);
t.async=!0;t.src=v;s=b.getElementsByTagName(e)[0];s.parentNode.insertBefore(t,s)}(window,document,'script',
'https://connect.facebook.net/en_US/fbevents.js');fbq('init','1');fbq('track','PageView');</script>
<noscript><img src="https://www.facebook.com/tr?id=1&ev=PageView&noscript=1"></noscript></head><body><p>x</p></body></html>"""
# What the containers would find: the layer as it is when they begin.
GTM = "window.found=Array.from(dataLayer,x=>x.length?Array.from(x):x).map(x=>JSON.parse(JSON.stringify(x)))"
PIXEL = "window.heard=Array.from(fbq.queue,x=>Array.from(x))"


@pytest.fixture(scope="module")
def browser(chromium):
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(
            executable_path=chromium, args=["--no-sandbox", "--disable-quic", "--no-first-run"]
        )
        yield launched
        launched.close()


@pytest.fixture(scope="module")
def published():
    files = {path.relative_to(EXAMPLE).as_posix(): path.read_text(encoding="utf-8") for path in EXAMPLE.rglob("*.*")}
    files.pop("README.md")
    return assemble(read(files), datetime(2026, 11, 23, tzinfo=UTC).date()).model_copy(update={"digest": DIGEST})


@pytest.fixture
def visitor(browser, published):
    """``visitor(mode)``: a page, what reached third parties, and ``choose(*purposes)`` as banner and edge do together."""
    threads, contexts = ThreadPoolExecutor(1), []

    def open_(mode: str, path: str = "/se/", headers: dict[str, str] | None = None, shown_of: Any = published) -> Any:
        context = browser.new_context(extra_http_headers=headers or {})
        contexts.append(context)
        asked: list[str] = []

        async def site(scope: Any, receive: Any, send: Any) -> None:
            await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/html")]})
            await send({"type": "http.response.body", "body": PAGE})

        def asking(scope: Any, market: str, locale: str) -> bytes:
            return fill(banner(shown_of, market, locale), token="t", back=scope["path"])

        gate = Gate(site, lambda: shown_of, KEY, asking, mode=mode)

        def answer(route: Any) -> None:
            url, sent = route.request.url, route.request.all_headers()
            if not url.startswith(SITE):
                asked.append(url)
                route.fulfill(content_type="text/javascript", body=GTM if "gtm.js" in url else PIXEL)
            elif url == SITE + release_address():
                route.fulfill(content_type="text/javascript", body=release())
            elif url.startswith(f"{SITE}/lofte/"):
                asked.extend([url] if "signal" in url else [])
                route.fulfill(status=204)
            else:
                status, given, body = threads.submit(asyncio.run, _through(gate, path, sent)).result()
                route.fulfill(status=status, headers=given, body=body)

        context.route("**/*", answer)
        page = context.new_page()

        def choose(*purposes: str) -> None:
            choice = Choice("subject", frozenset(purposes), DIGEST[:16], 1)
            values = {"lofte": encode(choice, KEY), "lofte_on": shown(choice, DIGEST)}
            context.add_cookies([{"name": name, "value": value, "url": SITE} for name, value in values.items()])
            reloads = mode == "strict" or not purposes
            with page.expect_navigation() if reloads else nullcontext():
                page.evaluate("void setTimeout(() => lofte.choose())")

        page.goto(f"{SITE}{path}")
        return SimpleNamespace(page=page, asked=asked, choose=choose)

    yield open_
    for context in contexts:
        context.close()
    threads.shutdown()


async def _through(gate: Any, path: str, headers: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    given = [
        (name.encode(), value.encode())
        for name, value in headers.items()
        if not name.startswith(":") and name != "host"
    ]
    scope = {
        "type": "http", "method": "GET", "path": path, "scheme": "https", "query_string": b"",
        "headers": [(b"host", b"www.xledger.com"), *given],
    }  # fmt: skip
    await gate(scope, None, send)
    answered = {name.decode(): value.decode("latin-1") for name, value in sent[0]["headers"]}
    return sent[0]["status"], answered, b"".join(part.get("body", b"") for part in sent[1:])


def until(page: Any, what: str) -> None:
    """Asks again and again: a predicate of its own would be code the page's policy forbids."""
    end = time.monotonic() + 15
    while not page.evaluate(f"!!({what})"):
        assert time.monotonic() < end, what
        page.wait_for_timeout(50)


def layer(page: Any) -> list[Any]:
    found: list[Any] = page.evaluate("Array.from(dataLayer,x=>x.length?Array.from(x):x)")
    return found


def ads(entries: list[Any]) -> list[tuple[str, str, str]]:
    """What is said of consent, in order: command, advertising, analytics."""
    said = [one for one in entries if isinstance(one, list) and one[0] == "consent"]
    return [(one[1], one[2]["ad_storage"], one[2]["analytics_storage"]) for one in said]


@pytest.mark.parametrize("mode", ["strict", "soft"])
def test_before_a_choice_everything_is_denied_first_and_nobody_is_asked(visitor, mode):
    visit = visitor(mode)

    assert layer(visit.page)[0][:2] == ["consent", "default"]
    assert set(ads(layer(visit.page))) == {("default", "denied", "denied"), ("update", "denied", "denied")}
    assert visit.asked == []


@pytest.mark.parametrize("mode", ["strict", "soft"])
def test_after_a_yes_the_containers_find_it_said_before_they_begin(visitor, mode):
    visit = visitor(mode)
    visit.choose("statistics", "marketing")
    until(visit.page, "window.found && window.heard")

    found = visit.page.evaluate("found")
    assert found[0][:2] == ["consent", "default"]
    assert ads(found)[0] == ("default", "denied", "denied")
    assert ads(found)[-1] == ("update", "granted", "granted")
    assert [one[:2] for one in visit.page.evaluate("heard")] == [
        ["consent", "grant"],
        ["init", "1"],
        ["track", "PageView"],
    ]


@pytest.mark.parametrize("mode", ["strict", "soft"])
def test_after_statistics_alone_advertising_stays_denied_and_its_host_unasked(visitor, mode):
    visit = visitor(mode)
    visit.choose("statistics")
    until(visit.page, "window.found")

    assert ads(visit.page.evaluate("found"))[-1] == ("update", "denied", "granted")
    assert [url for url in visit.asked if "facebook" in url] == []
    assert visit.page.evaluate("window['ga-disable-G-ABC']") is False


@pytest.mark.parametrize("mode", ["strict", "soft"])
def test_after_withdrawal_the_page_is_loaded_anew_and_denied_from_the_start(visitor, mode):
    visit = visitor(mode)
    visit.choose("statistics", "marketing")
    until(visit.page, "window.found && window.heard")
    before = len(visit.asked)
    visit.choose()

    assert ads(layer(visit.page))[-1][1:] == ("denied", "denied")
    assert visit.page.evaluate("window['ga-disable-G-ABC']") is True
    assert visit.asked[before:] == []


@pytest.mark.parametrize(
    ("path", "word"), [("/us/", "Opt-out preference signal honored"), ("/fi/", "Global Privacy Control")]
)
def test_the_status_of_the_signal_is_shown_also_after_a_choice(visitor, path, word):
    visit = visitor("soft", path, {"Sec-GPC": "1"})
    visit.choose("statistics")

    assert word in visit.page.inner_text("#lofte-settings")


@pytest.mark.parametrize("headers", [{}, {"Sec-GPC": "1"}])
def test_where_the_signal_answers_every_purpose_there_is_no_banner(visitor, published, headers):
    google = published.policy.recipients["google"].model_copy(update={"role": "controller"})
    recipients = {**published.policy.recipients, "google": google}
    everything = published.model_copy(update={"policy": published.policy.model_copy(update={"recipients": recipients})})
    page = visitor("strict", "/fi/", headers, everything).page

    assert page.is_visible("#lofte-banner") is not bool(headers)
    assert page.is_visible("#lofte-gpc") is bool(headers)
    assert page.is_visible("#lofte-settings a")
    assert (page.evaluate("getComputedStyle(document.documentElement).paddingBottom") == "0px") is bool(headers)


def test_without_the_signal_nothing_is_said_of_it(visitor):
    assert "Global" not in visitor("soft", "/us/").page.inner_text("#lofte-settings")
