"""The demonstration for real: the Xledger policy published, edge and gate in front of the site, a browser to visit it with."""

import asyncio
import json
import socket
import threading
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from demo.app import Demonstration
from demo.hosts import host_map

from lofte.edge.app import Edge
from lofte.edge.config import EdgeConfig
from lofte.evidence.log import Log, open_log
from lofte.evidence.publications import load_current
from lofte.features.policy.files import read_directory
from lofte.features.policy.verbs import publish
from lofte.gate import Gate, HeldReport
from lofte.gate.choice import choice_key

POLICY = Path(__file__).parents[2] / "policies" / "xledger"


@dataclass
class Stage:
    """A running demonstration. ``held`` is what the gate reported, ``violations`` what browsers reported."""

    port: int
    demonstration: Demonstration
    held: list[HeldReport] = field(default_factory=list)
    violations: list[tuple[str, str]] = field(default_factory=list)

    @property
    def origin(self) -> str:
        return f"http://localhost:{self.port}"

    def seen(self) -> dict[str, list[str]]:
        """Paths each third party was asked for; those nobody asked are not in it."""
        asked = {name: [hit["path"] for hit in player.seen] for name, player in self.demonstration.stand_ins.items()}
        return {name: paths for name, paths in asked.items() if paths}

    def forget(self) -> None:
        for player in self.demonstration.stand_ins.values():
            player.seen.clear()
        self.held.clear()
        self.violations.clear()

    def get(self, path: str, **headers: str) -> Any:
        request = urllib.request.Request(self.origin + path, headers=headers)
        with urllib.request.urlopen(request) as answer:
            return answer.status, dict(answer.headers), answer.read()


@pytest.fixture(scope="session")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    home = tmp_path_factory.mktemp("home")
    log = open_log(home / "evidence.sqlite3", home / "keys", "localhost/log", lambda: datetime.now(UTC))
    publish(read_directory(POLICY), home, log, datetime.now(UTC))
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    port = listening.getsockname()[1]
    running = Stage(port, Demonstration(port))
    app: Any = running.demonstration.around(_edge(home, log, running))
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="off"))
    thread = threading.Thread(target=lambda: asyncio.run(server.serve([listening])), daemon=True)
    thread.start()
    while not server.started:
        threading.Event().wait(0.01)
    yield running
    server.should_exit = True
    thread.join(10)
    listening.close()
    log.close()


def _edge(home: Path, log: Log, running: Stage) -> Edge:
    config = EdgeConfig(
        home=home,
        origins=frozenset({running.origin}),
        consent_rate_per_s=1000,
        consent_burst=1000,
        report_rate_per_s=1000,
        report_burst=1000,
        read_rate_per_s=1000,
        read_burst=1000,
        host_map=host_map(),
        on_report=lambda host, directive, path: running.violations.append((directive, host)),
    )

    def banner(scope: Any, market: str, locale: str) -> bytes:
        return edge.offer(market, locale, scope["path"])

    gate = Gate(
        running.demonstration.site,
        lambda: load_current(home).published,
        choice_key(home),
        banner,
        own_hosts=[f"localhost:{running.port}"],
        on_held=running.held.append,
        host_map=host_map(),
    )
    edge = Edge(config, log, gate)
    return edge


@pytest.fixture(scope="module")  # no longer: while it lives this thread counts as having a running event loop
def chrome(chromium: str) -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium,
            args=[
                "--no-sandbox",
                "--disable-quic",
                "--disable-background-networking",
                "--disable-component-update",
                "--no-first-run",
            ],
        )
        yield browser
        browser.close()


@dataclass
class Visitor:
    """One browser profile and what is left in it."""

    context: Any
    page: Any
    stage: Stage
    complaints: list[str] = field(default_factory=list)

    def go(self, path: str) -> None:
        self.page.goto(self.stage.origin + path, wait_until="load")
        self.settle()

    def settle(self) -> None:
        with suppress(Exception):
            self.page.wait_for_load_state("networkidle", timeout=3000)

    def choose(self, decision: str) -> None:
        """Press a button and wait until its choice is made: the banner has closed, or another page is there."""
        self.page.evaluate("document.documentElement.dataset.before = 1")
        self.page.click(f'[data-lofte="{decision}"]')
        self.page.wait_for_selector("html:not([data-before]), [data-lofte=done]:not([hidden])", state="attached")
        self.settle()

    def cookies(self) -> dict[str, list[str]]:
        """Cookie names by host."""
        found: dict[str, list[str]] = {}
        for cookie in self.context.cookies():
            found.setdefault(cookie["domain"].lstrip("."), []).append(cookie["name"])
        return {host: sorted(names) for host, names in found.items()}

    def storage(self) -> list[str]:
        script = "() => [...Object.keys(localStorage), ...Object.keys(sessionStorage)]"
        return list(self.page.evaluate(script))


@pytest.fixture
def visitor(chrome: Any, stage: Stage) -> Iterator[Callable[..., Visitor]]:
    """``visitor(**context options)``: a newcomer; everything seen so far is forgotten."""
    contexts = []

    def arrive(**options: Any) -> Visitor:
        stage.forget()
        context = chrome.new_context(**options)
        contexts.append(context)
        page = context.new_page()
        who = Visitor(context, page, stage)
        page.on("console", lambda message: who.complaints.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: who.complaints.append(str(error)))
        return who

    yield arrive
    for context in contexts:
        context.close()


@pytest.fixture
def as_json() -> Callable[[bytes], Any]:
    return json.loads
