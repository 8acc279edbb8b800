"""The whole product running for real, so that it can be broken on purpose: Xledger's policy published, the demonstration's site
behind the gate, edge and Django on one port, real stores on disk, a real mail server, the evidence log.

One system a session. A test breaks one thing, runs the real probes, and asks which promises changed their verdict.
"""

import asyncio
import json
import os
import socket
import sqlite3
import sys
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from demo.hosts import host_map
from demo.mailbox import BASE, Mailbox
from demo.site import site
from demo.standins import stand_ins
from demo.wire import cookies, host_name
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connections
from django.test import override_settings

from demo import on_file
from lofte.cli import serve, wiring
from lofte.core import clock, evidence, mail, outbox, publication
from lofte.core.models import Counter, Person
from lofte.evidence.log import open_log
from lofte.features.policy import files
from lofte.features.policy import verbs as policy
from lofte.features.promises import reads
from lofte.features.retention import verbs as retention
from lofte.features.rights import verbs as rights
from lofte.features.rights.models import Request
from lofte.kernel.canonical import sha256_hex
from lofte.probes.instruments.browsers import Browsers
from lofte.probes.instruments.canary import forms as canary_forms
from lofte.probes.runner import run_probes
from lofte.probes.world import World, find_browser
from lofte.rules.control import Status
from lofte.rules.controls import LOCALES, all_controls
from lofte.web.forms import stamps

POLICY = Path(__file__).parents[2] / "policies" / "xledger"
BROWSER_MARKETS = (
    "SE",
)  # one market shows whether a probe sees a sabotage; the others are looked at once, unsabotaged


@dataclass
class System:
    """``board()`` is each promise's status after a round of all probes that need no browser (or of those named)."""

    origin: str
    home: Path
    house: wiring.House
    mailbox: Mailbox
    browser: str | None = None
    browsers: Browsers = field(default_factory=Browsers)
    """Open for the tests of one file: each visitor is a new one, but the browser is not."""
    inside: Any = site
    """The company's own site, behind the gate: a test may put another in front of it."""
    outside: dict[str, "Rewrite"] = field(default_factory=dict)
    """What happens to an answer after everything of ours: by the beginning of its path."""
    duties: "Duties" = field(default_factory=lambda: Duties())
    at_first: dict[str, Mapping[str, str]] = field(default_factory=dict)
    """The reasons of the first round, before anybody broke anything."""
    left_at_first: list[str] = field(default_factory=list)
    """What the made-up people of the first round left behind."""
    seen_at_first: dict[str, Any] = field(default_factory=dict)
    """The newcomer's visit of the first round: what a browser saw of the site before anybody broke anything."""
    _reasons: dict[str, Mapping[str, str]] = field(default_factory=dict)
    _world: World | None = None

    def world(self, **changed: Any) -> World:
        given: dict[str, Any] = {
            "base_url": self.origin,
            "home": self.home,
            "published": publication.current(),
            "now": clock.now,
            "browser": self.browser,
            "browsers": self.browsers,
            "mailbox": f"{self.origin}/mailbox",
            "host_map": host_map(),
            "markets": BROWSER_MARKETS,
        }
        return World(**(given | changed))

    def board(self, ids: Collection[str] | None = None, **world: Any) -> dict[str, Status]:
        """Look at these promises (else at all that need no browser) and say how each of them stands."""
        self._world = self.world(**world)
        looked = run_probes(self._world, self.probed(browser=False) if ids is None else ids)
        lines = {line.promise: line for line in reads.board()}
        self._reasons = {one.promise: {tag: lines[one.promise].reason(tag) for tag in LOCALES} for one in looked}
        return {one.promise: lines[one.promise].status for one in looked}

    def probed(self, *, browser: bool) -> set[str]:
        """Promises with a probe, by whether its control needs a browser."""
        from lofte.probes.probe import all_probes

        promises = publication.current().policy.promises
        return {
            promise
            for promise, declared in promises.items()
            for one in declared.controls
            if one.control in all_probes() and ("browser" in all_controls()[one.control].needs) == browser
        }

    def line(self, promise: str) -> reads.Line:
        """A promise as the board shows it now, with each of its controls."""
        return reads.promise(promise)

    def reason(self, promise: str, locale: str = "en-GB") -> str:
        return self._reasons[promise][locale]


Rewrite = Callable[[Mapping[str, str], bytes], tuple[bytes, list[tuple[bytes, bytes]]]]
"""Given the request's cookies and the page: the page as it is sent, and headers to add. The page's CSP is taken off."""


class Duties:
    """The duties a person waits for, without the pauses of real life. ``paused`` holds them while a test breaks things.

    They look when something was written, which costs next to nothing to ask, and else once a second.
    """

    def __init__(self) -> None:
        self.paused = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._loop, daemon=True)

    def start(self, register: Path) -> None:
        self._register = register
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join(10)

    def _loop(self) -> None:
        with closing(sqlite3.connect(self._register)) as watched:
            seen, looked = -1, 0.0
            while not self._stopping.wait(0.03):
                if self.paused.is_set():
                    seen = -1
                    continue
                (version,) = watched.execute("PRAGMA data_version").fetchone()
                if version != seen or time.monotonic() - looked > 1:
                    seen, looked = version, time.monotonic()
                    rights.answer_asks(clock.now())
                    mail.deliver(clock.now())
        connections.close_all()


@pytest.fixture(scope="session")
def system(tmp_path_factory: pytest.TempPathFactory, django_db_blocker: Any) -> Iterator[System]:
    home = tmp_path_factory.mktemp("sabotage")
    (home / "keys").mkdir(mode=0o700)
    (home / "static").mkdir()
    mailbox, port = Mailbox(), _free_port()
    mailbox.start()
    origin = f"http://localhost:{port}"
    with django_db_blocker.unblock(), _stores_in(home), _settings(home, origin, mailbox.port), _quick_readers():
        log = open_log(home / "evidence.sqlite3", home / "keys", wiring.log_name(origin), clock.now)
        evidence.set_log(log)
        house = wiring.House(home, log)
        wiring.subscribe()
        policy.publish(files.read_directory(POLICY), home, log, clock.now())
        publication.forget()
        on_file.put_on_file()
        plan = serve.Plan(
            home=home,
            origin=origin,
            port=port,
            site=lambda scope, receive, send: made.inside(scope, receive, send),
            host_map=host_map(),
            around=lambda server: _beside(_tampered(made, server), mailbox),
        )
        made = System(origin, home, house, mailbox, find_browser())
        with _serving(serve.assemble(house, plan), port):
            house.start("facts", wiring.drain_facts)
            made.duties.start(home / "register.sqlite3")
            retention.sweep(clock.now())
            yield made
            made.duties.stop()
        house.close()
        outbox.unsubscribe_all()
        publication.forget()
    mailbox.stop()


def _beside(server: Any, mailbox: Mailbox) -> Any:
    """The third parties and the mailbox on the same port, outside of the gate."""
    players = stand_ins()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http" and host_name(scope) in players:
            await players[host_name(scope)](scope, receive, send)
        elif scope["type"] == "http" and scope["path"].startswith(f"{BASE}/"):
            await mailbox(scope, receive, send)
        else:
            await server(scope, receive, send)

    return app


def _tampered(made: System, server: Any) -> Any:
    """The finished server with somebody between it and the visitor who changes its answers, if a test wants that."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        path = scope.get("path", "")
        rewrite = next((made.outside[start] for start in made.outside if path.startswith(start)), None)
        if scope["type"] != "http" or rewrite is None:
            await server(scope, receive, send)
            return
        headers = [
            (name, value) for name, value in scope["headers"] if name not in (b"accept-encoding", b"if-none-match")
        ]
        start: dict[str, Any] = {}
        body = bytearray()

        async def take(message: Any) -> None:
            start.update(message) if message["type"] == "http.response.start" else body.extend(message.get("body", b""))

        await server({**scope, "headers": headers}, receive, take)
        changed, added = rewrite(cookies(scope), bytes(body))
        gone = (b"content-length", b"content-security-policy", b"etag", b"content-encoding")
        kept = [(name, value) for name, value in start["headers"] if name.lower() not in gone]
        length = (b"content-length", str(len(changed)).encode())
        await send({"type": "http.response.start", "status": start["status"], "headers": [*kept, *added, length]})
        await send({"type": "http.response.body", "body": changed})

    return app


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class _stores_in:  # noqa: N801  # reads as a word in `with`
    """Both databases as files in the home, as in real life: several threads write at once."""

    def __init__(self, home: Path) -> None:
        self._home = home

    def __enter__(self) -> None:
        self._before = {alias: dict(connections[alias].settings_dict) for alias in connections}
        for alias, name, rooms in (("default", "register.sqlite3", []), ("keys", "keys.sqlite3", ["keys"])):
            connections[alias].close()
            # Connections last: the threads that look for work five times a second would else open one each time.
            connections[alias].settings_dict.update(NAME=str(self._home / name), CONN_MAX_AGE=None)
            call_command("migrate", *rooms, database=alias, interactive=False, verbosity=0)

    def __exit__(self, *_: object) -> None:
        for alias, settings in self._before.items():
            connections[alias].close()
            connections[alias].settings_dict.update(settings)


@contextmanager
def _quick_readers() -> Iterator[None]:
    """Made-up people read a form in an instant, and nobody takes them for a program."""
    with pytest.MonkeyPatch.context() as quick:
        quick.setattr(stamps, "SOONEST", timedelta(seconds=0.1))
        quick.setattr(canary_forms, "READ_S", 0.15)
        yield


def _settings(home: Path, origin: str, smtp_port: int) -> Any:
    return override_settings(
        LOFTE_HOME=home,
        STATIC_ROOT=home / "static",
        LOFTE_ORIGIN=origin,
        LOFTE_CANARY_MAILBOX=f"{origin}/mailbox",
        LOFTE_MAIL_DOMAIN="in.localhost",
        LOFTE_OUTBOUND=frozenset({"localhost"}),
        CSRF_TRUSTED_ORIGINS=[origin],
        ALLOWED_HOSTS=["localhost", "127.0.0.1"],
        EMAIL_HOST="127.0.0.1",
        EMAIL_PORT=smtp_port,
        EMAIL_HOST_USER="",
        EMAIL_USE_TLS=False,
    )


class _serving:  # noqa: N801  # reads as a word in `with`
    """The application under a real server on a thread."""

    def __init__(self, app: Any, port: int) -> None:
        self._server = uvicorn.Server(uvicorn.Config(app, port=port, log_config=None, access_log=False, lifespan="off"))
        self._thread = threading.Thread(target=lambda: asyncio.run(self._server.serve()), daemon=True)

    def __enter__(self) -> None:
        self._thread.start()
        while not self._server.started:
            threading.Event().wait(0.02)

    def __exit__(self, *_: object) -> None:
        self._server.should_exit = True
        self._thread.join(20)


# Half proved here: the other half waits for a vendor's real account, so they are never called kept.
WAITING = {"P40": Status.UNPROVED}

# Judged from one visit of a newcomer; P03, P35, P39, P40 and P47 take visits of their own.
VISITED = frozenset({"P24", "P25", "P33", "P34", "P36", "P37", "P38", "P41", "P45"})


@pytest.fixture(scope="session")
def healthy(system: System) -> Mapping[str, Status]:
    """How every promise stands that is probed without a browser, before anybody breaks anything."""
    found = dict(system.board())
    system.at_first = dict(system._reasons)
    system.left_at_first = list(_left_behind(system))
    return found


def _left_behind(system: System) -> Iterator[str]:
    """By its kind: a note of who is at large, letters, and rows that only a made-up person can have left so early."""
    yield from (one for one in ("canary.json",) if (system.home / one).exists())
    yield from ("letters" for _ in system.mailbox.mails())
    rows = {"people": Person.objects, "requests": Request.objects, "accounts": User.objects}
    yield from (name for name, found in rows.items() if found.exists())


@pytest.fixture(scope="session")
def healthy_visit(system: System, chromium: str) -> Mapping[str, Status]:
    """The same for what a newcomer's visit shows, in one market."""
    found = dict(system.board(VISITED))
    assert system._world is not None
    system.seen_at_first = {"newcomers": system._world._shared["newcomers"]}
    return found


@pytest.fixture(scope="module", autouse=True)
def _browsers_end(system: System) -> Iterator[None]:
    yield
    system.browsers.close()


@pytest.fixture
def broken_by(system: System, healthy: Mapping[str, Status]) -> Callable[..., set[str]]:
    """``broken_by()`` runs the probes (of ``ids``, else all) and returns the promises that changed.

    All of them must have turned broken, with a reason in every language.
    """
    return lambda ids=None, **world: _changed(system, healthy, ids, world)


@pytest.fixture
def broken_visit(system: System, healthy_visit: Mapping[str, Status]) -> Callable[..., set[str]]:
    """The same with a newcomer's visit; ``ids`` looks at others than those one visit shows, ``also`` at some more."""
    return lambda ids=VISITED, also=(), **world: _changed(system, healthy_visit, {*ids, *also}, world)


@pytest.fixture
def broken_on_file(system: System, healthy_visit: Mapping[str, Status]) -> Callable[..., set[str]]:
    """As `broken_visit` where papers are broken and not the site: it is judged by what a browser saw of it in the first round."""
    return lambda ids=VISITED, **world: _changed(
        system, healthy_visit, ids, {"_shared": dict(system.seen_at_first), **world}
    )


@pytest.fixture
def republished(system: System) -> Callable[..., Any]:
    """``with republished(change)``: a publication in force whose policy was changed past every check; ``change`` edits its JSON."""

    @contextmanager
    def in_force(change: Callable[[dict[str, Any]], object]) -> Iterator[None]:
        folder = system.home / "published"
        before = (folder / "current").read_text().strip()
        digest = sha256_hex(f"{before} {time.monotonic_ns()}".encode())
        manifest = json.loads((folder / "publications" / f"{before}.json").read_text()) | {"digest": digest}
        for name, stored in manifest["files"].items():
            content = (folder / "objects" / stored).read_bytes().replace(before.encode(), digest.encode())
            if name == "policy.json":
                said = json.loads(content)
                change(said["policy"])
                content = json.dumps(said).encode()
            manifest["files"][name] = sha256_hex(content)
            (folder / "objects" / sha256_hex(content)).write_bytes(content)
        (folder / "publications" / f"{digest}.json").write_text(json.dumps(manifest))
        try:
            (folder / "current").write_text(digest)
            publication.forget()
            time.sleep(1.1)  # the edge looks once a second
            yield
        finally:
            (folder / "current").write_text(before)
            publication.forget()
            time.sleep(1.1)

    return in_force


def _changed(system: System, before: Mapping[str, Status], ids: Any, world: Mapping[str, Any]) -> set[str]:
    after = system.board(ids, **world)
    changed = {
        promise for promise, status in after.items() if status is not (WAITING | dict(before)).get(promise, Status.KEPT)
    }
    assert {promise: after[promise].value for promise in changed} == dict.fromkeys(changed, "broken"), system._reasons
    for promise in changed:
        sys.stderr.write(
            f"{promise} {system.reason(promise)}\n"
        )  # whoever reads of a failure wants to know why more broke
        assert all(len(system.reason(promise, locale)) > 20 for locale in LOCALES)
    return changed


@pytest.fixture(autouse=True)
def _whole_again(system: System) -> Iterator[None]:
    """After each sabotage the duties run and the cache is empty."""
    yield
    system.duties.paused.clear()
    system.inside = site
    system.outside.clear()
    Counter.objects.all().delete()  # two canaries a test would soon meet the limit of what one network may ask
    publication.forget()


os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")  # Playwright's loop on the test thread is not ours
