"""`lofte serve`: the edge, the gate with the site behind it, the pages for people, the chores and the probes, in one process."""

import argparse
import asyncio
import importlib
import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import uvicorn
from a2wsgi import WSGIMiddleware

from lofte.cli import wiring
from lofte.edge.answers import ASGIApp
from lofte.edge.app import Edge
from lofte.edge.config import EdgeConfig
from lofte.edge.serving import run_loop, server_config
from lofte.gate.choice import choice_key
from lofte.gate.hosts import bare
from lofte.gate.middleware import Gate, Mode
from lofte.gate.report import HeldReport
from lofte.kernel.problems import Place, Problem

DJANGO_THREADS = 16
_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What to serve. ``site`` is any ASGI app; ``policy`` a directory to publish at the start when it differs.

    ``people`` is an origin of its own for console, portal and forms; None has them on the site's, "" nowhere. ``websockets`` is
    the protocol that takes connections upgraded. ``around`` may put something in front of it all, such as other hosts on the
    same port.
    """

    home: Path
    origin: str
    host: str = "127.0.0.1"
    port: int
    behind_proxy: str = ""
    policy: Path | None = None
    site: ASGIApp | None = None
    host_map: Mapping[str, str] = field(default_factory=dict)
    own_inline: frozenset[str] = frozenset()
    mode: Mode = "strict"
    people: str | None = None
    websockets: type[asyncio.Protocol] | None = None
    around: Callable[[ASGIApp], ASGIApp] = lambda app: app
    on_ready: Callable[[wiring.House], None] = lambda house: None


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = subparsers.add_parser(
        "serve", help="serve a site behind the gate, with everything Löfte does", description=__doc__
    )
    wiring.add_home(parser)
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default 127.0.0.1)")
    parser.add_argument(
        "--port",
        type=port_number,
        default=os.environ.get("LOFTE_PORT", "8000"),
        help="port to listen on (default: LOFTE_PORT, else 8000)",
    )
    parser.add_argument(
        "--origin", help="where people reach us, for example https://www.example.com (default: LOFTE_ORIGIN)"
    )
    parser.add_argument(
        "--behind-proxy", default="", metavar="ADDRESSES", help="proxies whose X-Forwarded headers are believed"
    )
    parser.add_argument("--policy", type=Path, metavar="DIR", help="publish this policy first, when it has changed")
    parser.add_argument("--app", metavar="MODULE:NAME", help="the ASGI application that is the site")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    origin = args.origin or os.environ.get("LOFTE_ORIGIN") or f"http://localhost:{args.port}"
    site = _load(args.app) if args.app else None
    home = args.home and Path(args.home)
    return serve(
        Plan(
            home=home,
            origin=origin,
            host=args.host,
            port=args.port,
            behind_proxy=args.behind_proxy,
            policy=args.policy,
            site=site,
        )
    )


def serve(plan: Plan) -> int:
    """Serves until interrupted. Raises Problem when something is not fit to start with."""
    demand_free(plan.host, plan.port)
    home = wiring.enter(plan.home, LOFTE_ORIGIN=plan.people or plan.origin)
    house = wiring.open_house(home, plan.origin)
    try:
        publish(house, plan.policy)
        app = assemble(house, plan)
        house.start("facts", wiring.drain_facts)
        start_chores(house, plan)
        with _outliving_signals():
            run_loop(_serve(app, plan, house))
    finally:
        house.close()
    return 0


@contextmanager
def _outliving_signals() -> Iterator[None]:
    """The server ends itself on SIGTERM and SIGINT and then raises the signal again; that must not keep the house from closing."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, lambda *_: None) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def publish(house: wiring.House, directory: Path | None) -> None:
    """Publishes a directory when it differs from what is in force. Without one, something must be published already."""
    from lofte.core import clock
    from lofte.evidence.publications import load_current
    from lofte.features.policy import files, verbs

    if directory is not None:
        verbs.publish(files.read_directory(directory), house.home, house.log, clock.now())
    load_current(house.home)


def assemble(house: wiring.House, plan: Plan) -> ASGIApp:
    """The one application: edge in front, Django beside it, the gate with the site behind."""
    from django.core.wsgi import get_wsgi_application

    from lofte.core import publication
    from lofte.features.findings import verbs as findings
    from lofte.features.policy import reads as policies

    stands_for = {bare(seen): meant for seen, meant in plan.host_map.items()}

    def on_held(report: HeldReport) -> None:
        what = stands_for.get(bare(report.what), report.what)
        findings.note("gate", report.kind, what, report.market, report.path)

    def banner(scope: Any, market: str, locale: str) -> bytes:
        return edge.offer(market, locale, quote(scope["path"]))

    def on_report(host: str, directive: str, path: str) -> None:
        findings.note(
            "browser", directive, stands_for.get(host, host), publication.current().market_of_path(path) or "", path
        )

    gate = Gate(
        plan.site or _no_site, publication.current, choice_key(house.home), banner,
        own_hosts=[urlsplit(plan.origin).netloc], on_held=on_held, host_map=plan.host_map, own_inline=plan.own_inline,
        asked_anew=lambda choice, now: policies.asked_anew(house.home, choice.publication, now.digest), mode=plan.mode,
    )  # fmt: skip

    config = EdgeConfig(home=house.home, origins=frozenset({plan.origin}), on_report=on_report, host_map=plan.host_map)
    wsgi: Any = get_wsgi_application()
    django: Any = WSGIMiddleware(wsgi, workers=DJANGO_THREADS)
    if plan.people is None:
        edge = Edge(config, house.log, gate, django)
    else:
        edge = Edge(config, house.log, _by_host(urlsplit(plan.people).netloc, django, gate))
    return plan.around(edge)


def _by_host(host: str, people: ASGIApp, site: ASGIApp) -> ASGIApp:
    async def chosen(scope: Any, receive: Any, send: Any) -> None:
        is_asked = scope["type"] == "http" and (b"host", host.encode()) in scope["headers"]
        await (people if host and is_asked else site)(scope, receive, send)

    return chosen


def start_chores(house: wiring.House, plan: Plan) -> None:
    """Duties on one thread, probes on another: a browser that takes a minute must not hold up a mail."""
    from lofte.core import tasks
    from lofte.probes.watch import Watch
    from lofte.probes.world import here, note_serving
    from lofte.web.console import checks

    runner = tasks.Runner()
    base_url = f"http://{_reachable(plan.host)}:{plan.port}"
    note_serving(house.home, base_url, plan.host_map)
    watch = Watch(lambda: here(base_url, plan.host_map))
    checks.provide(watch.check, watch.is_running)
    take_mail(house)
    runner.start()
    watch.start()
    house.on_close += [watch.stop, runner.stop]


def take_mail(house: wiring.House) -> None:
    """Mail that comes to us, where LOFTE_INBOUND says that we listen for it."""
    from django.conf import settings

    from lofte.core.mailing.listener import Listener

    if settings.LOFTE_INBOUND is None:
        return
    protocol, host, port = settings.LOFTE_INBOUND
    demand_free(host, port)
    listener = Listener(protocol, host, port)
    listener.start()
    house.on_close.append(listener.close)


def _reachable(host: str) -> str:
    """The name this machine reaches the listening address by."""
    if host in ("127.0.0.1", "0.0.0.0", "localhost"):  # noqa: S104  # compared with, not listened on
        return "localhost"
    return f"[{host}]" if ":" in host else host


async def _serve(app: ASGIApp, plan: Plan, house: wiring.House) -> None:
    config = server_config(app, plan.host, plan.port, behind_proxy=plan.behind_proxy)
    config.ws = plan.websockets or config.ws
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    while not server.started and not serving.done():
        await asyncio.sleep(0.02)
    if server.started:
        await asyncio.to_thread(plan.on_ready, house)
    await serving


async def _no_site(scope: Any, receive: Any, send: Any) -> None:
    """Without a site of its own, the installation still has policy pages, portal and console."""
    if scope["type"] != "http":
        return
    headers = [(b"content-type", b"text/plain; charset=utf-8")]
    await send({"type": "http.response.start", "status": 404, "headers": headers})
    await send({"type": "http.response.body", "body": b"There is no page at this address.\n"})


def demand_free(host: str, port: int) -> None:
    """Raises Problem when the port is taken, before anything is opened."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise Problem(
                "serve.port-taken", f"port {port} on {host} cannot be used: {error.strerror}",
                way_out="Stop what is using it, or choose another with --port or LOFTE_PORT.",
            ) from error  # fmt: skip


def port_number(text: str) -> int:
    if not text.isdigit() or not 0 < int(text) < 65536:
        raise argparse.ArgumentTypeError(f"{text!r} is no port; expected a number from 1 to 65535")
    return int(text)


def _load(name: str) -> ASGIApp:
    module_name, _, attribute = name.partition(":")
    sys.path.insert(0, str(Path.cwd()))
    try:
        found: ASGIApp = getattr(importlib.import_module(module_name), attribute or "app")
    except Exception as error:  # importing runs the application's own code, which may raise anything
        raise Problem(
            "serve.no-app", f"the application {name} cannot be loaded: {error}", Place(key="--app"),
            expected="module:name of an ASGI app", way_out="Start where the module can be imported from.",
        ) from error  # fmt: skip
    if not callable(found):
        raise Problem(
            "serve.no-app", f"{name} is no application", Place(key="--app"), expected="module:name of an ASGI app"
        )
    return found
