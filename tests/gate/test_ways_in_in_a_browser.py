"""Chromium in front of a real `lofte gate` process with a plain site behind it, and on a static page with the one line of script.

The third parties are those the example policy declares, and one it does not; they are played inside the browser, and what reaches
them is written down.
"""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from lofte.evidence.log import open_log
from lofte.features.policy.files import read_directory
from lofte.features.policy.verbs import publish

pytestmark = pytest.mark.browser
ROOT = Path(__file__).parents[2]
COUNT, PIXEL, NOBODY = "www.google-analytics.com", "www.facebook.com", "nobody.example"

# The page of somebody who never heard of us.
PLAIN = f"""<!doctype html><html lang=sv><head><title>Plain</title>
<script src="https://{COUNT}/written"></script><link rel=preload as=image href="https://{PIXEL}/preload"></head>
<body><h1>Plain</h1><img src="https://{PIXEL}/written" alt=""><img src="https://{NOBODY}/written" alt="">
<script>localStorage.setItem('undeclared', '1')</script>
<script>document.cookie = '_ga=1; path=/; max-age=9999'
new Image().src = 'https://{COUNT}/inline'</script><script src="/own.js"></script></body></html>"""
OWN = f"""fetch('https://{COUNT}/fetched', {{ mode: 'no-cors' }}).catch(() => 0); new Image().src = 'https://{NOBODY}/made'
document.cookie = '_fbp=1; path=/; max-age=9999'; document.documentElement.dataset.ran = '1'"""
# A static page: the one line first, and what is written in it in the held form.
STATIC = f"""<!doctype html><html lang=sv><head><script src="/lofte/gate.js?market=se&locale=sv"></script><title>Static</title>
<script type=text/plain data-lofte-held=statistics data-lofte-src="https://{COUNT}/written"></script></head>
<body><h1>Static</h1><img data-lofte-held=marketing data-lofte-src="https://{PIXEL}/written" alt="">
<script>document.cookie = '_ga=1; path=/; max-age=9999'; localStorage.setItem('undeclared', '1')
const load = (address) => {{ const s = document.createElement('script'); s.src = address; document.head.append(s) }}
load('https://{COUNT}/inline'); load('https://{NOBODY}/made')</script><script src="/own.js"></script></body></html>"""


class _Site(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        is_script = self.path == "/own.js"
        body = (OWN if is_script else PLAIN).encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/javascript" if is_script else "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        if not is_script:
            self.send_header("Set-Cookie", "_gcl_au=1; Path=/; Max-Age=9999; HttpOnly")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """The tests look at what the browser does."""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("gated")
    log = open_log(home / "evidence.sqlite3", home / "keys", "localhost/log", lambda: datetime.now(UTC))
    publish(read_directory(ROOT / "policies" / "xledger"), home, log, datetime.now(UTC))
    log.close()
    return home


@pytest.fixture(scope="module")
def origin(home: Path) -> Iterator[str]:
    """Where the process listens; the plain site is behind it."""
    site = ThreadingHTTPServer(("127.0.0.1", 0), _Site)
    threading.Thread(target=site.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True).start()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("LOFTE_", "DJANGO_"))}
    command = [sys.executable, "-m", "lofte.cli.main", "gate", "--home", str(home), "--port", str(port)]
    options = ["--upstream", f"http://127.0.0.1:{site.server_port}", "--origin", f"http://localhost:{port}"]
    with (home / "said").open("w") as said:
        process = subprocess.Popen([*command, *options], cwd=ROOT, env=clean, stdout=said, stderr=said)
    try:
        _wait(f"http://127.0.0.1:{port}/readyz", process, home / "said")
        yield f"http://localhost:{port}"
        process.send_signal(signal.SIGTERM)
        assert process.wait(40) == 0, (home / "said").read_text()
    finally:
        if process.poll() is None:
            process.kill()
            process.wait(10)
        site.shutdown()
        site.server_close()


def _wait(address: str, process: "subprocess.Popen[bytes]", said: Path) -> None:
    end = time.monotonic() + 90
    while time.monotonic() < end:
        assert process.poll() is None, said.read_text()
        with suppress(OSError), urllib.request.urlopen(address, timeout=5) as answer:
            if answer.status == 200:
                return
        time.sleep(0.1)
    raise AssertionError(said.read_text())


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-quic", "--no-first-run", "--disable-background-networking"]
        launched = playwright.chromium.launch(executable_path=chromium, args=arguments)
        yield launched
        launched.close()


@pytest.fixture
def visitor(origin: str, browser: Any) -> Iterator[Callable[..., Any]]:
    """``visitor(static=...)``: a newcomer; ``asked`` is what reached third parties since `open` or `press`."""
    contexts = []

    def arrive(*, is_static: bool = False) -> Any:
        context = browser.new_context()
        contexts.append(context)
        asked: set[str] = set()
        page = context.new_page()

        def play(route: Any) -> None:
            address = route.request.url
            if not address.startswith(origin):
                asked.add(address.removeprefix("https://"))
                route.fulfill(content_type="text/javascript", body="")
            elif is_static and address.startswith(f"{origin}/se/"):
                route.fulfill(content_type="text/html; charset=utf-8", body=STATIC)
            else:
                route.continue_()

        context.route("**/*", play)

        def settle() -> None:
            page.wait_for_selector("html[data-ran]", state="attached")
            with suppress(Exception):
                page.wait_for_load_state("networkidle", timeout=3000)
            page.wait_for_timeout(300)

        def open_() -> set[str]:
            asked.clear()
            page.goto(f"{origin}/se/")
            settle()
            return set(asked)

        def press(selector: str, *, is_reloaded: bool) -> set[str]:
            asked.clear()
            page.evaluate("document.documentElement.dataset.before = 1")
            page.click(selector)
            page.wait_for_selector("html[data-ran]:not([data-before])" if is_reloaded else "html[data-lofte-chosen]")
            settle()
            return set(asked)

        def kept() -> set[str]:
            cookies = {cookie["name"] for cookie in context.cookies()} - {"lofte", "lofte_on"}
            return cookies | set(page.evaluate("Object.keys(localStorage)"))

        return SimpleNamespace(page=page, open=open_, press=press, kept=kept, settle=settle, asked=asked)

    yield arrive
    for context in contexts:
        context.close()


def _withdraw(visit: Any) -> set[str]:
    """By the way back at the foot of the page."""
    visit.page.click("#lofte-settings a")
    visit.asked.clear()
    visit.page.evaluate("document.documentElement.dataset.before = 1")
    visit.page.frame_locator("#lofte-dialog iframe").locator("[value=withdraw]").click()
    visit.page.wait_for_selector("html[data-ran]:not([data-before])", state="attached")
    visit.settle()
    return set(visit.asked)


def test_a_plain_site_behind_the_process_is_silent_until_it_may_speak_and_again_when_it_may_not(visitor: Any) -> None:
    visit = visitor()
    assert visit.open() == set()
    assert visit.kept() == set()
    assert visit.page.is_visible("#lofte-banner")

    allowed = {f"{COUNT}/written", f"{COUNT}/inline", f"{COUNT}/fetched", f"{PIXEL}/written", f"{PIXEL}/preload"}
    assert visit.press("#lofte-accept", is_reloaded=True) == allowed
    assert visit.open() == allowed
    assert visit.kept() == {"_ga", "_gcl_au", "_fbp"}

    assert _withdraw(visit) == set()
    assert visit.open() == set()
    assert visit.kept() == set()


@pytest.mark.long
def test_one_purpose_behind_the_process_lets_in_its_own_alone(visitor: Any) -> None:
    visit = visitor()
    visit.open()
    visit.page.click('#lofte-banner [name="choice.statistics"]')

    assert visit.press("#lofte-save", is_reloaded=True) == {
        f"{COUNT}/{way}" for way in ("written", "inline", "fetched")
    }
    visit.open()
    assert visit.kept() == {"_ga"}


def test_one_line_on_a_static_page_holds_releases_and_takes_back(visitor: Any) -> None:
    visit = visitor(is_static=True)
    assert visit.open() == set()
    assert visit.kept() == set()
    assert visit.page.is_visible("#lofte-banner")

    assert visit.press("#lofte-accept", is_reloaded=False) == {
        f"{COUNT}/written",
        f"{COUNT}/inline",
        f"{PIXEL}/written",
    }
    assert visit.open() == {f"{COUNT}/written", f"{COUNT}/inline", f"{COUNT}/fetched", f"{PIXEL}/written"}
    assert visit.kept() == {"_ga", "_fbp"}

    assert _withdraw(visit) == set()
    assert visit.open() == set()
    assert visit.kept() == set()


@pytest.mark.long
def test_a_no_on_a_static_page_stays_one(visitor: Any) -> None:
    visit = visitor(is_static=True)
    visit.open()

    assert visit.press("#lofte-reject", is_reloaded=False) == set()
    assert visit.open() == set()
    assert visit.kept() == set()
    assert not visit.page.is_visible("#lofte-banner")
