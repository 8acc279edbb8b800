"""Ours beside the others, in one interleaved run: every round visits each client once, so noise of the machine hits all.

CPU is the main thread's own (Chromium's threadTicks), which other work on the machine does not add to. Bytes are the
bodies of all answers after compression by gzip -9, less those of the same page without a client.
"""

import asyncio
import gzip
import json
import socket
import statistics
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import uvicorn
from bench import clients
from bench.clients import BARE, LEFT_BEHIND, OTHERS, OURS, TRACKER, Client

from lofte.features.policy.files import read_directory

POLICY = Path(__file__).parents[1] / "policies" / "xledger"
ROUNDS = 9
_SETTLED_MS = 700
_SLOWEST_MS = 1500
_TYPES = {".js": b"text/javascript; charset=utf-8", ".css": b"text/css; charset=utf-8"}
_WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@dataclass(frozen=True, slots=True)
class Measured:
    """What one client costs and does. Medians of the rounds, less the bare page; ``None``: it could not be done."""

    client: str
    version: str
    requests: int
    raw_bytes: int
    gzip_bytes: int
    script_ms: float
    task_ms: float
    late_ms: float
    shift: float
    axe_banner: list[str]
    axe_settings: list[str] | None
    cargo_requests: int
    cargo_keys: int
    withdraw_presses: int | None
    left_behind: list[str] | None


def measure(chromium: str, others: tuple[Client, ...] = OTHERS, rounds: int = ROUNDS) -> list[Measured]:
    """Without others nothing of npm is needed, and nothing is said of accessibility."""
    from playwright.sync_api import sync_playwright

    axe = (clients.PACKAGES / "axe-core" / "axe.min.js").read_text(encoding="utf-8") if others else ""
    with _serving() as (origin, port), sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium,
            args=[
                "--no-sandbox", "--disable-quic", "--no-first-run", "--disable-background-networking",
                "--disable-component-update", f"--host-resolver-rules=MAP tracker.test 127.0.0.1:{port}",
            ],
        )  # fmt: skip
        run = _Run(browser, origin, axe)
        everyone = (BARE, OURS, *others)
        for client in everyone:  # the first visit pays for what the browser keeps
            run.cost(client)
        costs: dict[str, list[dict[str, float]]] = {client.id: [] for client in everyone}
        sights: dict[str, list[dict[str, float]]] = {client.id: [] for client in everyone}
        for _ in range(rounds):
            for client in everyone:
                costs[client.id].append(run.cost(client))
                sights[client.id].append(run.sight(client))
        bare = {name: _median(costs["none"], name) for name in ("script_ms", "task_ms")}
        weight = {client.id: run.weight(client) for client in everyone}
        faults = run.faults_of(BARE)
        found = []
        for client in everyone:
            is_bare = client is BARE
            cargo_requests, cargo_keys = run.cargo(client)
            presses, left = (None, None) if is_bare else run.withdrawal(client)
            banner, settings = ([], None) if is_bare else run.axe_findings(client, faults)
            found.append(
                Measured(
                    client.id,
                    client.version,
                    *(mine - none for mine, none in zip(weight[client.id], weight["none"], strict=True)),
                    round(_median(costs[client.id], "script_ms") - bare["script_ms"], 1),
                    round(_median(costs[client.id], "task_ms") - bare["task_ms"], 1),
                    round(_median(sights[client.id], "late_ms")) if client.banner else 0,
                    round(max(one["shift"] for one in sights[client.id]), 3),
                    banner,
                    settings,
                    cargo_requests,
                    cargo_keys,
                    presses,
                    left,
                )
            )
        browser.close()
    return found


def saved(found: list[Measured], at: datetime) -> str:
    """What docs/reference/consent-clients.md is made of."""
    content = {"measured": at.date().isoformat(), "rounds": ROUNDS, "clients": [asdict(one) for one in found]}
    return json.dumps(content, indent=1) + "\n"


def _median(visits: list[dict[str, float]], name: str) -> float:
    return statistics.median(visit[name] for visit in visits)


_WATCH = """window.shift=0;
new PerformanceObserver(l=>l.getEntries().forEach(e=>{if(!e.hadRecentInput)shift+=e.value}))
.observe({type:'layout-shift',buffered:true});
const looks=s=>{const e=document.querySelector(s);if(!e)return false;const r=e.getBoundingClientRect();
if(!r.width||!r.height||r.bottom<=0||r.top>=innerHeight||getComputedStyle(e).visibility=='hidden')return false;
for(let n=e;n instanceof Element;n=n.parentElement)if(+getComputedStyle(n).opacity<.01)return false;return true};
const look=t=>{if(SELECTOR&&looks(SELECTOR))window.seen=t;else requestAnimationFrame(look)};requestAnimationFrame(look)"""


class _Run:
    def __init__(self, browser: Any, origin: str, axe: str) -> None:
        self._browser, self._origin, self._axe = browser, origin, axe

    @contextmanager
    def _page(self) -> Iterator[Any]:
        context = self._browser.new_context(viewport={"width": 1280, "height": 800})
        context.set_default_timeout(6000)
        try:
            yield context.new_page()
        finally:
            context.close()

    def _open(self, page: Any, client: Client, query: str = "") -> None:
        page.goto(f"{self._origin}{client.path}{query}", wait_until="load")
        if client.banner:
            page.wait_for_selector(client.banner, state="visible")
        page.wait_for_timeout(_SETTLED_MS)

    def cost(self, client: Client) -> dict[str, float]:
        with self._page() as page:
            session = page.context.new_cdp_session(page)
            session.send("Performance.enable", {"timeDomain": "threadTicks"})
            page.goto(f"{self._origin}{client.path}", wait_until="load")
            page.wait_for_timeout(_SLOWEST_MS)  # nothing is asked of the page: waiting for a selector costs it 20 ms
            metrics = {one["name"]: one["value"] for one in session.send("Performance.getMetrics")["metrics"]}
        return {"script_ms": metrics["ScriptDuration"] * 1000, "task_ms": metrics["TaskDuration"] * 1000}

    def sight(self, client: Client) -> dict[str, float]:
        """When the banner is seen after the first paint of anything, and what moved."""
        with self._page() as page:
            page.add_init_script(_WATCH.replace("SELECTOR", json.dumps(client.banner)))
            self._open(page, client)
            seen, paint, shift = page.evaluate(
                "[window.seen||0,performance.getEntriesByName('first-contentful-paint')[0].startTime,shift]"
            )
        return {"late_ms": max(0.0, seen - paint), "shift": shift}

    def weight(self, client: Client) -> tuple[int, int, int]:
        """Requests, bytes, bytes after gzip -9."""
        answers: list[Any] = []
        with self._page() as page:
            page.on("response", lambda answer: answers.append(answer))
            self._open(page, client)
            bodies = [answer.body() for answer in answers if "favicon" not in answer.url]
        return len(bodies), sum(map(len, bodies)), sum(len(gzip.compress(body, 9)) for body in bodies)

    def cargo(self, client: Client) -> tuple[int, int]:
        """Before any choice: third-party requests that left the browser, and keys written on the device."""
        HITS.clear()
        with self._page() as page:
            self._open(page, client, "?cargo")
            page.wait_for_timeout(_SETTLED_MS)
            names = [cookie["name"] for cookie in page.context.cookies()]
            names += page.evaluate("Object.keys(localStorage)")
        return len(set(HITS)), sum(name.startswith(("cargo_", "tracker_")) for name in names)

    def faults_of(self, client: Client) -> list[str]:
        with self._page() as page:
            self._open(page, client)
            return self._axe_run(page)

    def axe_findings(self, client: Client, known: list[str]) -> tuple[list[str], list[str] | None]:
        with self._page() as page:
            self._open(page, client)
            banner = [fault for fault in self._axe_run(page) if fault not in known]
            page.click(client.preferences)
            try:
                page.wait_for_selector(client.dialog, state="visible")
            except Exception:
                return banner, None
            page.wait_for_timeout(_SETTLED_MS)
            return banner, [fault for fault in self._axe_run(page) if fault not in known]

    def _axe_run(self, page: Any) -> list[str]:
        if not self._axe:
            return []
        session = page.context.new_cdp_session(page)  # past any policy of the page against scripts in strings
        session.send("Runtime.evaluate", {"expression": self._axe})
        expression = f"axe.run(document,{{runOnly:{json.dumps(_WCAG)}}}).then(r=>r.violations.map(v=>v.id))"
        wanted = {"expression": expression, "awaitPromise": True, "returnByValue": True}
        faults: list[str] = session.send("Runtime.evaluate", wanted)["result"]["value"]
        return sorted(faults)

    def withdrawal(self, client: Client) -> tuple[int | None, list[str] | None]:
        """Accept, leave things behind as statistics would, withdraw; presses needed and what is still there."""
        with self._page() as page:
            self._open(page, client)
            page.click(client.accept)
            page.wait_for_timeout(_SETTLED_MS)
            page.reload(wait_until="load")
            page.wait_for_timeout(_SETTLED_MS)
            js, path, http, key = LEFT_BEHIND
            page.evaluate("([n,k])=>{document.cookie=n+'=1;path=/;max-age=999';localStorage.setItem(k,'1')}", [js, key])
            host = {"domain": "localhost", "value": "1"}
            page.context.add_cookies(
                [
                    {"name": path, "path": f"{client.path}shop", **host},
                    {"name": http, "httpOnly": True, "path": "/", **host},
                ]
            )
            before = self._left(page)
            if before != sorted(LEFT_BEHIND):
                raise RuntimeError(f"{client.id}: only {before} could be left behind")
            presses = 0
            try:
                for selector in (client.settings, *client.withdraw):
                    page.click(selector)
                    presses += 1
                    page.wait_for_timeout(_SETTLED_MS)
            except Exception:
                return None, None
            page.goto(f"{self._origin}{client.path}", wait_until="load")
            page.wait_for_timeout(_SETTLED_MS)
            return presses, self._left(page)

    def _left(self, page: Any) -> list[str]:
        names = {cookie["name"] for cookie in page.context.cookies()} | set(page.evaluate("Object.keys(localStorage)"))
        return sorted(name for name in LEFT_BEHIND if name in names)


# The site, the others' files and the third party, on one port

HITS: list[str] = []


def files_of_the_policy() -> dict[str, str]:
    """The example policy, with what the benchmark leaves behind declared as statistics of Google Analytics."""
    files = dict(read_directory(POLICY))
    shared = "provider: google, tag: ga4, system: google-analytics, purpose: statistics"
    js, path, http, key = LEFT_BEHIND
    declared = (
        f"  bench-js: {{ name: {js}, party: first, {shared}, lifetime: P1Y }}\n"
        f"  bench-path: {{ name: {path}, party: first, {shared}, lifetime: P1Y, path: /uk/shop }}\n"
        f"  bench-http: {{ name: {http}, party: first, {shared}, lifetime: P1Y, http_only: true }}\n"
        f"  bench-local: {{ name: {key}, storage: local, party: first, {shared}, lifetime: persistent }}\n"
    )
    files["policy.yaml"] = files["policy.yaml"].replace("\ncookies:\n", f"\ncookies:\n{declared}", 1)
    words = "".join(f'  bench-{name}: {{ function: "." }}\n' for name in ("js", "path", "http", "local"))
    for name in [name for name in files if name.endswith("words.yaml")]:
        files[name] = files[name].replace("\ncookies:\n", f"\ncookies:\n{words}", 1)
    return files


async def _answer(send: Any, body: bytes, kind: bytes, *more: tuple[bytes, bytes], status: int = 200) -> None:
    headers = [(b"content-type", kind), (b"content-length", str(len(body)).encode()), *more]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def _tracker(scope: Any, send: Any) -> None:
    query = parse_qs(scope["query_string"].decode())
    via = query.get("via", [""])[0]
    HITS.append(via)
    open_to_all = (b"access-control-allow-origin", b"*")
    cookie = (b"set-cookie", b"tracker_id=1; Path=/")
    if scope["path"] == "/tag.js":
        await _answer(send, clients.TAG.replace("VIA", f"'{via}'").encode(), _TYPES[".js"], open_to_all, cookie)
    elif scope["path"] == "/style.css":
        await _answer(send, b"h1{color:inherit}", _TYPES[".css"], open_to_all, cookie)
    elif scope["path"] == "/frame":
        page = b"<!doctype html><html lang=en><title>Film</title><p>Film</p>"
        await _answer(send, page, b"text/html; charset=utf-8", cookie)
    else:
        await _answer(send, b"", b"image/gif", open_to_all, cookie)


async def _site(scope: Any, receive: Any, send: Any) -> None:
    """The pages and the others' files."""
    path, cargo = scope["path"], scope["query_string"] == b"cargo"
    page = next((one for one in (BARE, OURS, *OTHERS) if one.path == path), None)
    if page is not None:
        await _answer(send, clients.page(page, cargo=cargo), b"text/html; charset=utf-8")
        return
    for prefix, folder in (("/npm/", clients.PACKAGES), ("/built/", clients.BUILT)):
        file = folder / path.removeprefix(prefix)
        if path.startswith(prefix) and ".." not in path and file.is_file():
            await _answer(send, file.read_bytes(), _TYPES.get(file.suffix, b"application/octet-stream"))
            return
    await _answer(send, b"", b"text/plain", status=404)


@contextmanager
def _serving() -> Iterator[tuple[str, int]]:
    from bench.ours import behind_the_gate

    with tempfile.TemporaryDirectory() as home, socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        port = listening.getsockname()[1]
        origin = f"http://localhost:{port}"
        with behind_the_gate(Path(home), files_of_the_policy(), _site, origin, datetime.now(UTC)) as ours:

            async def app(scope: Any, receive: Any, send: Any) -> None:
                host = dict(scope["headers"]).get(b"host", b"").partition(b":")[0].decode()
                if host == TRACKER.removeprefix("http://"):
                    await _tracker(scope, send)
                elif scope["path"].startswith(("/peer/", "/npm/", "/built/")):
                    await _site(scope, receive, send)
                else:
                    await ours(scope, receive, send)

            with _running(app, listening):
                yield origin, port


@contextmanager
def _running(app: Callable[..., Any], listening: socket.socket) -> Iterator[None]:
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="off"))
    thread = threading.Thread(target=lambda: asyncio.run(server.serve([listening])), daemon=True)
    thread.start()
    while not server.started:
        threading.Event().wait(0.01)
    try:
        yield
    finally:
        server.should_exit = True
        thread.join(5)
