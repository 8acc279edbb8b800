"""The script the browser process runs: a JSON order a line on standard input, a JSON answer a line on standard output.

Chromium is started by us and driven over its debugging port, because Debian's build refuses third-party cookies by
default:
an auditor whose browser refuses them would find a site clean that is not. A profile that allows them is written
first. Lifetimes
are read from the raw Set-Cookie and document.cookie lines, because the cookie jar caps them at 400 days. Requests
that the
page's own policy (CSP) stopped never left and are not counted.
"""

import http.server
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from itertools import chain
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, Error, Page, Request, Response, sync_playwright

from lofte.probes.instruments.contents import kinds_of

_ARGUMENTS = (
    "--headless=new", "--disable-quic", "--disable-background-networking", "--disable-component-update",
    "--no-first-run", "--no-default-browser-check", "--disable-gpu", "--disable-dev-shm-usage", "--disable-sync",
    "--disable-features=OptimizationHints,MediaRouter,AutofillServerCommunication",
)  # fmt: skip
_QUIET_S = 0.6  # no request for so long: the page has finished talking
_LONGEST_S = 8.0
_START_S = 30.0
_DECIDED_S = 15.0  # a busy site writes a choice down before it answers
_PATIENCE_MS = 20_000
_CHOICE = "lofte"  # the cookie that holds it
_MOST_SAID = 100_000  # letters of one request

# Runs before any script of the page, in every frame: notes what is written with document.cookie and cookieStore,
# then writes it.
_LISTEN = """(() => {
  const seen = [];
  Object.defineProperty(window, '__lofteWritten', {value: seen, enumerable: false});
  const cookie = Object.getOwnPropertyDescriptor(Document.prototype, 'cookie');
  Object.defineProperty(Document.prototype, 'cookie', {
    ...cookie, set(line) { seen.push(String(line)); return cookie.set.call(this, line); },
  });
  if (window.cookieStore) {
    const set = CookieStore.prototype.set;
    CookieStore.prototype.set = function (one, value) {
      const line = typeof one === 'string' ? one + '=' + value
        : one.name + '=' + one.value + (one.expires ? '; expires=' + new Date(one.expires).toUTCString() : '');
      seen.push(line);
      return set.apply(this, arguments);
    };
  }
})();"""
_STORES = """async () => {
  const names = (read) => { try { return read(); } catch { return []; } };
  const bases = indexedDB.databases ? await indexedDB.databases().catch(() => []) : [];
  return {
    written: window.__lofteWritten || [],
    local: names(() => Object.entries(localStorage)),
    session: names(() => Object.entries(sessionStorage)),
    indexeddb: bases.map((base) => [base.name, '']),
  };
}"""

_NO_BUTTON = "no button"
# In what the button that rejects is less than the one that accepts, as somebody sees and reaches them: both at once, no smaller, no
# paler, no further away for the keyboard. Nothing where the page asks nothing.
_EQUAL = """() => {
  const all = [...document.querySelectorAll('button[name=decision]')].filter((one) => one.checkVisibility());
  const of = (value) => all.find((one) => one.value === value);
  const no = of('reject'), yes = of('accept');
  if (!yes) return [];
  if (!no) return ['NO_BUTTON'];
  const found = [], [less, more] = [no, yes].map((one) => one.getBoundingClientRect());
  for (const side of ['width', 'height'])
    if (less[side] < more[side] - 1) found.push(`${side} ${Math.round(less[side])} < ${Math.round(more[side])} px`);
  const [a, b] = [no, yes].map((one) => getComputedStyle(one));
  for (const name of ['font-size', 'font-weight', 'font-family', 'color', 'background-color', 'border-top-color',
    'border-top-width', 'opacity', 'filter', 'text-transform'])
    if (a.getPropertyValue(name) !== b.getPropertyValue(name))
      found.push(`${name} ${a.getPropertyValue(name)} / ${b.getPropertyValue(name)}`);
  const inside = (box) => box.top >= 0 && box.bottom <= innerHeight + 1;
  if (inside(more) && !inside(less)) found.push('out of view');
  if (no.tabIndex < 0) found.push('tabindex');
  return found;
}""".replace("NO_BUTTON", _NO_BUTTON)

# What stands in the queue of Google's tags before the default of Consent Mode; a queue that has no default at all is all early.
_EARLY = """() => {
  const queue = window.dataLayer && window.dataLayer.length ? [...window.dataLayer] : [];
  const name = (one) => one[0] === 'consent' ? 'consent ' + one[1] : typeof one[0] === 'string' ? one[0] : one.event;
  const said = queue.map((one) => one && name(one));
  const first = said.indexOf('consent default');
  return [...new Set((first < 0 ? said : said.slice(0, first)).map((one) => String(one || 'something')))];
}"""

# All that Google's opt-out add-on does: every tag of Google Analytics asks for this before it sends anything.
_OPTED_OUT = "window._gaUserPrefs = {ioo: () => true};"


class Listener:
    """Hears everything one context asks for, and what its answers try to keep on the device."""

    def __init__(self, context: BrowserContext) -> None:
        self.context = context
        self.asked: dict[Request, float] = {}
        self.answers: list[Response] = []
        self.pending: set[Request] = set()
        self.last_s = time.monotonic()
        context.add_init_script(_LISTEN)
        context.on("request", self._on_request)
        context.on("response", self._on_response)
        context.on("requestfinished", self._on_finished)
        context.on("requestfailed", self._on_failed)

    def _on_request(self, request: Request) -> None:
        self.asked[request] = self.last_s = time.monotonic()
        self.pending.add(request)

    def _on_response(self, response: Response) -> None:
        self.last_s = time.monotonic()
        self.answers.append(response)

    def _on_finished(self, request: Request) -> None:
        self.last_s = time.monotonic()
        self.pending.discard(request)

    def _on_failed(self, request: Request) -> None:
        self._on_finished(request)
        if request.failure and "csp" in request.failure.lower():
            self.asked.pop(request, None)  # the page's policy stopped it inside the browser: nothing left

    def start_anew(self) -> None:
        self.asked.clear()
        self.answers.clear()

    def wait_until_quiet(self, page: Page) -> None:
        """Until nothing is asked any more and nothing waits for its answer; what never ends is not waited for."""
        page.mouse.wheel(0, 4000)  # things that load when they come into view
        end = time.monotonic() + _LONGEST_S
        self.last_s = time.monotonic()
        while time.monotonic() < end and (self.pending or time.monotonic() - self.last_s < _QUIET_S):
            page.wait_for_timeout(100)
        self.pending.clear()

    def choice(self) -> str:
        """The choice the site keeps on the device; empty before there is one."""
        return next((one["value"] for one in self.context.cookies() if one["name"] == _CHOICE), "")

    def hosts(self) -> set[str]:
        found = (urlsplit(request.url) for request in self.asked)
        return {
            parts.hostname.lower()
            for parts in found
            if parts.scheme in ("http", "https", "ws", "wss") and parts.hostname
        }

    def stored(self, own: str) -> list[dict[str, Any]]:
        """Everything on the device, and what was tried: a write the browser refused was a write all the same."""
        device = Device(own)
        for cookie in self.context.cookies():
            ends = cookie.get("expires", -1)
            lasts = ends is not None and ends >= 0
            life = max(int(ends - time.time()), 0) if lasts else None
            device.put(cookie["name"], "cookie", cookie["domain"], life, cookie["value"])
        for answer in self.answers:
            for line in _set_cookie_lines(answer):
                device.put_line(line, _host(answer.url))
        for frame in (frame for page in self.context.pages for frame in page.frames):
            try:
                stores = frame.evaluate(_STORES)
            except Error:
                continue  # a frame that is gone, or one that may keep nothing at all
            host = _host(frame.url) or own
            for line in stores["written"]:
                device.put_line(line, host)
            for kind in ("local", "session", "indexeddb"):
                for name, value in stores[kind]:
                    device.put(name, kind, host, None, value)
        return device.items()


class Device:
    """What was found on the visitor's device, each thing once, with the longest life anybody asked for it."""

    def __init__(self, own: str) -> None:
        self._own = own
        self._found: dict[tuple[str, str, str], int | None] = {}
        self._kinds: dict[tuple[str, str, str], set[str]] = {}

    def put(self, name: str, storage: str, domain: str, lifetime_s: int | None, value: str) -> None:
        key = (name, storage, domain.lstrip(".").lower())
        self._kinds.setdefault(key, set()).update(kinds_of(value))
        lives = [life for life in (self._found.get(key), lifetime_s) if life is not None]
        self._found[key] = max(lives, default=None)

    def put_line(self, line: str, host: str) -> None:
        """A Set-Cookie or document.cookie line; one that only deletes keeps nothing."""
        name, _, value = line.split(";", 1)[0].partition("=")
        name = name.strip()
        life = lifetime_s(line)
        if name and (life is None or life > 0):
            domain = re.search(r"(?i);\s*domain=\.?([^;\s]+)", line)
            self.put(name, "cookie", domain.group(1) if domain else host, life, value)

    def items(self) -> list[dict[str, Any]]:
        return [
            {
                "name": name, "storage": storage, "host": host, "party": self._party(host), "lifetime_s": life,
                "kinds": sorted(self._kinds[name, storage, host]),
            }
            for (name, storage, host), life in sorted(self._found.items())
        ]  # fmt: skip

    def _party(self, host: str) -> str:
        return "first" if host == self._own or self._own.endswith("." + host) else "third"


def lifetime_s(line: str) -> int | None:
    """Seconds a cookie line asks for; None for the session. Max-Age wins (RFC 6265, 5.3)."""
    if found := re.search(r"(?i);\s*max-age=(-?\d+)", line):
        return int(found.group(1))
    if found := re.search(r"(?i);\s*expires=([^;]+)", line):
        try:
            ends = parsedate_to_datetime(found.group(1).strip().replace("-", " "))
        except ValueError:
            return None
        return int(((ends if ends.tzinfo else ends.replace(tzinfo=UTC)) - datetime.now(UTC)).total_seconds())
    return None


def _set_cookie_lines(answer: Response) -> list[str]:
    try:
        return [one["value"] for one in answer.headers_array() if one["name"].lower() == "set-cookie"]
    except Error:
        return []


def _body(request: Request) -> str:
    return (request.post_data_buffer or b"").decode("utf-8", "replace")


def _host(url: str) -> str:
    return (urlsplit(url).hostname or "").lower()


# Tasks. Each takes the browser, the site's address and its own wishes, and answers with plain values.


def newcomer(browser: Browser, base_url: str, task: Mapping[str, Any]) -> list[dict[str, Any]]:
    """One market, four phases: before any choice, after a no; and as somebody else after a yes, after taking it back."""
    return [*_says_no(browser, base_url, task), *_says_yes_then_no(browser, base_url, task)]


def _says_no(browser: Browser, base_url: str, task: Mapping[str, Any]) -> list[dict[str, Any]]:
    with _Visit(browser, base_url, task) as visit:
        visit.open_all()
        visit.open_first()  # where the banner is
        before = visit.phase("before")
        if _NO_BUTTON in before["unequal"]:
            return [before]  # nobody could say no
        visit.decide("reject")
        visit.open_first()
        return [before, visit.phase("rejected")]


def _says_yes_then_no(browser: Browser, base_url: str, task: Mapping[str, Any]) -> list[dict[str, Any]]:
    with _Visit(browser, base_url, task) as visit:
        visit.open_first()
        visit.start_anew()
        visit.decide("accept")
        visit.open_first()
        accepted = visit.phase("accepted")
        visit.leave(base_url + task["preferences"])
        visit.decide("withdraw")
        visit.start_anew()
        visit.open_first()
        return [accepted, visit.phase("withdrawn")]


class _Visit:
    """A fresh person in one market: nothing on the device, the market's language."""

    def __init__(self, browser: Browser, base_url: str, task: Mapping[str, Any], script: str = "") -> None:
        """``script`` runs in front of every page, as a browser's add-on does."""
        self._context = browser.new_context(locale=task["locale"], viewport={"width": 1280, "height": 900})
        if script:
            self._context.add_init_script(script)
        self._listener = Listener(self._context)
        self._page = self._context.new_page()
        self._own = _host(base_url)
        self._pages = [base_url + path for path in task["pages"]]
        self._market = task["market"]

    def __enter__(self) -> "_Visit":
        return self

    def __exit__(self, *_: object) -> None:
        self._context.close()

    def open_first(self) -> None:
        self._open(self._pages[0])

    def open_all(self) -> None:
        for address in self._pages:
            self._open(address)

    def leave(self, address: str) -> None:
        self._open(address)

    def start_anew(self) -> None:
        """What was asked before this moment belongs to the phase before."""
        self._listener.start_anew()

    def decide(self, decision: str) -> None:
        """Press the button that says so, as a person would; afterwards the page may be another."""
        button = self._page.locator(f"button[name=decision][value={decision}]:visible").first
        before, end = self._listener.choice(), time.monotonic() + _DECIDED_S
        button.click(timeout=_PATIENCE_MS)
        while (
            self._listener.choice() == before and time.monotonic() < end
        ):  # who leaves before the answer has not chosen
            self._page.wait_for_timeout(50)
        self._page.wait_for_load_state("load")
        self._listener.wait_until_quiet(self._page)

    def type_in(self, who: Mapping[str, str]) -> int:
        """Write who one is into every field of the page that takes words, and leave each; nothing is sent. Returns how many."""
        fields = self._page.locator("input:visible, textarea:visible")
        typed = 0
        for index in range(fields.count()):
            field = fields.nth(index)
            kind = (field.get_attribute("type") or "text").lower()
            value = who.get({"email": "email", "tel": "phone", "text": "name", "search": "name"}.get(kind, ""))
            if value and field.is_editable():
                field.press_sequentially(value)
                field.blur()
                typed += 1
        self._listener.wait_until_quiet(self._page)
        return typed

    def said(self) -> list[tuple[str, str]]:
        """Everything that left for others since the last start: host, and address, headers and body together."""
        return [
            (host, "\n".join((request.url, *request.headers.values(), _body(request)))[:_MOST_SAID])
            for request in self._listener.asked
            if (host := _host(request.url)) and host != self._own
        ]

    def told(self) -> dict[str, int]:
        """How often each other host was told something since the last start; fetching a tag's own code tells nothing yet."""
        calls = (request for request in self._listener.asked if request.resource_type != "script")
        return dict(Counter(host for one in calls if (host := _host(one.url)) and host != self._own))

    def phase(self, name: str) -> dict[str, Any]:
        asked = sorted(host for host in self._listener.hosts() if host != self._own)
        seen = {
            "market": self._market, "phase": name, "asked": asked, "stored": self._listener.stored(self._own),
            "unequal": self._page.evaluate(_EQUAL), "early": self._page.evaluate(_EARLY),
        }  # fmt: skip
        self._listener.start_anew()
        return seen

    def _open(self, address: str) -> None:
        answer = self._page.goto(address, wait_until="load", timeout=_PATIENCE_MS)
        if answer is None or answer.status >= 400:
            raise RuntimeError(f"{urlsplit(address).path} answered {answer.status if answer else 'nothing'}")
        self._listener.wait_until_quiet(self._page)


def identified(browser: Browser, base_url: str, task: Mapping[str, Any]) -> dict[str, Any]:
    """Say yes, then on every page type who one is, and go round once more: what were others told?"""
    with _Visit(browser, base_url, task) as visit:
        visit.open_first()
        visit.decide("accept")
        visit.start_anew()
        typed = 0
        for address in (base_url + path for path in task["pages"]):
            visit.leave(address)
            typed += visit.type_in(task["who"])
        visit.open_first()
        return {"market": task["market"], "typed": typed, "said": visit.said()}


def opted_out(browser: Browser, base_url: str, task: Mapping[str, Any]) -> dict[str, Any]:
    """Two people who say yes to everything; the second has Google's opt-out add-on. How often was each host told something?"""
    return {
        "market": task["market"],
        "without": _told(browser, base_url, task),
        "with": _told(browser, base_url, task, _OPTED_OUT),
    }


def _told(browser: Browser, base_url: str, task: Mapping[str, Any], script: str = "") -> dict[str, int]:
    with _Visit(browser, base_url, task, script) as visit:
        visit.open_first()
        visit.start_anew()
        visit.decide("accept")
        visit.open_all()
        return visit.told()


def language(browser: Browser, base_url: str, task: Mapping[str, Any]) -> dict[str, Any]:
    """On some other edition's page choose this one by the site's own switch, then come back to the front door.

    ``landed`` is the path the front door led to.
    """
    context = browser.new_context(locale="de-DE", viewport={"width": 1280, "height": 900})
    home = task["edition"]
    try:
        page = context.new_page()
        page.goto(base_url + task["start"], wait_until="load", timeout=_PATIENCE_MS)
        name = home.strip("/")
        buttons = page.locator(f'button[value="{name}"], button[value="{home}"]')
        links = page.locator(f'a[href="{home}"], a[href="{base_url}{home}"]')
        choice = buttons if buttons.count() else links
        if not choice.count():
            return {"edition": home, "has_switch": False, "landed": ""}
        choice.first.dispatch_event("click")  # it may be folded away
        page.wait_for_url(lambda url: urlsplit(url).path.startswith(home), timeout=10000)
        page.goto(base_url + "/", wait_until="load", timeout=_PATIENCE_MS)
        return {"edition": home, "has_switch": True, "landed": urlsplit(page.url).path}
    finally:
        context.close()


def cookieless(browser: Browser, base_url: str, task: Mapping[str, Any]) -> dict[str, Any]:
    """Open pages in a browser that keeps nothing; which answered, and how much there was to read."""
    context = browser.new_context(locale=task["locale"])
    try:
        page = context.new_page()
        dead = []
        for path in task["pages"]:
            answer = page.goto(base_url + path, wait_until="load", timeout=_PATIENCE_MS)
            readable = page.locator("main, body").first.inner_text(timeout=_PATIENCE_MS)
            if answer is None or answer.status >= 400 or len(readable.strip()) < 40:
                dead.append(path)
        return {"opened": len(task["pages"]), "dead": dead, "kept": len(context.cookies())}
    finally:
        context.close()


_TASKS: Mapping[str, Callable[[Browser, str, Mapping[str, Any]], Any]] = {
    "newcomer": newcomer,
    "identified": identified,
    "opted_out": opted_out,
    "language": language,
    "cookieless": cookieless,
}


# The instrument and its self-test.


class _Planted(http.server.BaseHTTPRequestHandler):
    """A page that does, on purpose, everything the instrument must see."""

    def do_GET(self) -> None:
        port = self.server.server_port  # type: ignore[attr-defined]  # its base class says no such thing
        is_third = (self.headers.get("Host") or "").startswith("planted.")
        self.send_response(200)
        self.send_header("Content-Type", "image/gif" if is_third else "text/html")
        if is_third:
            self.send_header("Set-Cookie", "planted_third=1; Max-Age=90000000; SameSite=None; Secure; Path=/")
        else:
            self.send_header("Set-Cookie", "planted_first=1; HttpOnly; Path=/")
        self.end_headers()
        if not is_third:
            script = "document.cookie='planted_script=1; max-age=90000000'; localStorage.setItem('planted_local', 1)"
            page = f"<title>.</title><img src='http://planted.localhost:{port}/x'><script>{script}</script>"
            self.wfile.write(page.encode())

    def log_message(self, format: str, *values: Any) -> None:
        return


_MUST_SEE = {
    ("planted_first", "first", None),
    ("planted_script", "first", 90000000),
    ("planted_third", "third", 90000000),
    ("planted_local", "first", None),
}


def sees(browser: Browser, *, blocks_cookies: bool) -> bool:
    """Whether the instrument sees what was planted; one that blocks cookies must in turn keep none of it."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Planted)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    context = browser.new_context()
    try:
        listener = Listener(context)
        page = context.new_page()
        page.goto(f"http://localhost:{server.server_port}/", wait_until="load", timeout=_PATIENCE_MS)
        listener.wait_until_quiet(page)
        if blocks_cookies:
            return not context.cookies()
        found = {(one["name"], one["party"], one["lifetime_s"]) for one in listener.stored("localhost")}
        return "planted.localhost" in listener.hosts() and found >= _MUST_SEE
    finally:
        context.close()
        server.shutdown()
        server.server_close()


class Chromium:
    """The browser process with a profile of its own, gone when done."""

    def __init__(self, executable: str, *, blocks_cookies: bool) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="lofte-browser-"))
        self._write_profile(blocks_cookies)
        # Root has no sandbox to run in (Chromium refuses); everybody else keeps it.
        unsandboxed = ["--no-sandbox"] if os.geteuid() == 0 else []
        arguments = [
            executable,
            *unsandboxed,
            *_ARGUMENTS,
            "--remote-debugging-port=0",
            f"--user-data-dir={self._folder}",
            "about:blank",
        ]
        self._process = subprocess.Popen(  # noqa: S603  # an executable found on the path by us, no shell
            arguments, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )

    def _write_profile(self, blocks_cookies: bool) -> None:
        profile: dict[str, Any] = {"cookie_controls_mode": 0, "block_third_party_cookies": False}
        if blocks_cookies:
            profile["default_content_setting_values"] = {"cookies": 2}
        (self._folder / "Default").mkdir()
        (self._folder / "Default" / "Preferences").write_text(json.dumps({"profile": profile}))

    def address(self) -> str:
        """Where it listens, once it does. Raises RuntimeError when it does not start."""
        file = self._folder / "DevToolsActivePort"
        end = time.monotonic() + _START_S
        while time.monotonic() < end and self._process.poll() is None:
            lines = file.read_text().split() if file.exists() else []
            if len(lines) == 2:
                return f"ws://127.0.0.1:{lines[0]}{lines[1]}"
            time.sleep(0.05)
        raise RuntimeError("the browser did not start")

    def stop(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        shutil.rmtree(self._folder, ignore_errors=True)


def serve(orders: Iterator[Mapping[str, Any]], answer: Callable[[Mapping[str, Any]], None]) -> None:
    """One browser for all orders; the first one says which. A task that fails is told, and the next order taken."""
    first = next(orders, None)
    if first is None:
        return
    chromium = Chromium(first["executable"], blocks_cookies=first["blocks_cookies"])
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.connect_over_cdp(chromium.address())
            is_sound = sees(browser, blocks_cookies=first["blocks_cookies"])
            for order in chain([first], orders):
                answer(_done(browser, order) if is_sound else {"sees": False, "results": []})
    finally:
        chromium.stop()


def _done(browser: Browser, order: Mapping[str, Any]) -> dict[str, Any]:
    try:
        results = [_TASKS[task["task"]](browser, order["base_url"], task) for task in order["tasks"]]
    except Exception as failure:
        return _failed(failure)
    return {"sees": True, "results": results}


def _failed(failure: Exception) -> dict[str, Any]:
    return {"failed": f"{type(failure).__name__}: {str(failure).splitlines()[0] if str(failure) else ''}"}


def _answer(said: Mapping[str, Any]) -> None:
    sys.stdout.write(json.dumps(said) + "\n")
    sys.stdout.flush()


def main() -> int:
    os.nice(10)  # whoever visits the site comes first
    try:
        serve((json.loads(line) for line in sys.stdin), _answer)
    except Exception as failure:
        _answer(_failed(failure))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
