"""The server and its settings, the same for `lofte serve` and for the benchmark that measured them."""

import asyncio
import gc
import signal
from asyncio import AbstractEventLoop, BaseTransport, TimerHandle, Transport
from collections.abc import Coroutine
from time import monotonic
from typing import Any, cast
from weakref import WeakKeyDictionary

import uvicorn
import uvloop
from uvicorn._types import HTTPScope
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware
from uvicorn.protocols.http.httptools_impl import HEADER_VALUE_RE, STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from lofte.edge.answers import ASGIApp, Header, Scope
from lofte.edge.app import Edge
from lofte.edge.collect import RECEIPT_HEADERS

_CONSENT = "/lofte/consent"
_PATIENCE_S = 0.2
_LONGEST_WAITING = 8192  # of a body that is not whole; an honest one is a tenth of it
_YOUNG_OBJECTS = 50_000  # about 5 MB
_KEEP_ALIVE_S = 20  # a browser's choice and the page after it come on one connection
_MOST_AT_ONCE = 2048  # connections beyond this are told 503 at once, before they cost anything


def server_config(
    app: ASGIApp, host: str, port: int, *, behind_proxy: str = "", log_level: str = "warning"
) -> uvicorn.Config:
    """``behind_proxy`` lists the addresses whose X-Forwarded-For and -Proto are believed; empty believes nobody.

    One process, one loop. No access log of the server's own: it would write addresses.
    """
    return uvicorn.Config(
        app,
        host=host,
        port=port,
        loop="uvloop",
        http=OneWrite,
        ws="none",
        lifespan="on",
        access_log=False,
        log_level=log_level,
        server_header=False,
        date_header=True,
        proxy_headers=bool(behind_proxy),
        forwarded_allow_ips=behind_proxy or None,
        timeout_keep_alive=_KEEP_ALIVE_S,
        timeout_graceful_shutdown=10,
        limit_concurrency=_MOST_AT_ONCE,
        backlog=2048,
    )


def run_loop(main: Coroutine[Any, Any, None]) -> None:
    """Runs to the end on the loop the benchmark measured, with everything made so far out of the collector's sight."""
    before = gc.get_threshold()
    gc.collect()
    gc.freeze()  # policy, words and code live as long as the process; looking at them again costs a twentieth of each consent
    # A consent under way is some twenty objects for some milliseconds: collecting each thousand finds nothing and ages them all.
    gc.set_threshold(_YOUNG_OBJECTS, *before[1:])
    try:
        uvloop.run(main)
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()


def run(config: uvicorn.Config) -> None:
    """Serves until SIGTERM or SIGINT, then returns, so that the caller can close its log.

    The server raises the signal once more when it has stopped; left to its default that would end the process at once.
    """
    before = {number: signal.signal(number, _stay) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        run_loop(uvicorn.Server(config).serve())
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class OneWrite(HttpToolsProtocol):
    """uvicorn's own protocol with three economies, each measured (docs/explanation/consent-rate.md):

    head and body of an answer leave in one system call; a connection has one idle timer and not one an answer; and an
    ordinary consent is answered without a task of its own (`Edge.at_once`). Everything else takes uvicorn's way, unchanged.
    """

    def __init__(self, config: uvicorn.Config, *rest: Any, **named: Any) -> None:
        super().__init__(config, *rest, **named)
        self._front = config.loaded_app
        behind = getattr(self._front, "app", self._front)
        self.edge: Edge | None = behind if isinstance(behind, Edge) else None
        self._is_feeding = False
        self._ready: RequestResponseCycle | None = None
        self._patience: TimerHandle | None = None
        self._idle_since_s: float | None = None

    def connection_made(self, transport: BaseTransport) -> None:
        super().connection_made(_Gathering(cast(Transport, transport), _leaving(self.loop)))  # type: ignore[arg-type]

    def connection_lost(self, exc: Exception | None) -> None:
        self._forget_waiting()
        super().connection_lost(exc)
        super()._unset_keepalive_if_required()

    # The idle timer: set once, it looks again when it fires and the connection was busy since

    def on_response_complete(self) -> None:
        if self.pipeline or self.transport.is_closing():
            super().on_response_complete()
            return
        self.server_state.total_requests += 1
        self.flow.resume_reading()
        self._idle_since_s = self.loop.time()
        self._set_idle_timer(self.timeout_keep_alive)

    def timeout_keep_alive_handler(self) -> None:
        self.timeout_keep_alive_task = None
        if self._idle_since_s is None:
            return  # the answer under way sets it again
        left_s = self._idle_since_s + self.timeout_keep_alive - self.loop.time()
        if left_s > 0:
            self._set_idle_timer(left_s)
        else:
            super().timeout_keep_alive_handler()

    def _set_idle_timer(self, after_s: float) -> None:
        if self.timeout_keep_alive_task is None:
            self.timeout_keep_alive_task = self.loop.call_later(after_s, self.timeout_keep_alive_handler)

    def _unset_keepalive_if_required(self) -> None:
        self._idle_since_s = None

    # An answer without a task

    def data_received(self, data: bytes) -> None:
        self._is_feeding = True
        try:
            super().data_received(data)
        finally:
            self._is_feeding = False
        if self._ready is not None:
            self._consider(self._ready)

    def _consider(self, cycle: RequestResponseCycle) -> None:
        if cycle.waiting_for_100_continue or len(cycle.body) > _LONGEST_WAITING:
            self._stop_waiting()
        elif not cycle.more_body:
            self._forget_waiting()
            if not self._takes(cycle):
                self.start(cycle)
        elif self._patience is None:  # head and body often come in two pieces, one just after the other
            self._patience = self.loop.call_later(_PATIENCE_S, self._stop_waiting)

    def _stop_waiting(self) -> None:
        """The usual way, which knows what to do with the slow and the large."""
        if (cycle := self._ready) is not None:
            self._forget_waiting()
            self.start(cycle)

    def _forget_waiting(self) -> None:
        self._ready = None
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        """A consent waits until its body is whole: then it may need no task."""
        scope = cycle.scope
        if (
            self.edge
            and self._is_feeding
            and scope["path"] == _CONSENT
            and scope["method"] == "POST"
            and app is self.app
        ):
            self._ready = cycle
        else:
            super()._start_asgi_task(cycle, app)

    def _takes(self, cycle: RequestResponseCycle) -> bool:
        if isinstance(self._front, ProxyHeadersMiddleware):
            _see_through(self._front, cycle.scope)
        assert self.edge is not None
        return self.edge.at_once(cast(Scope, cycle.scope), bytes(cycle.body), _Asker(self, cycle))

    def reply(self, cycle: RequestResponseCycle, headers: list[Header], body: bytes) -> None:
        """The whole answer in one write, by uvicorn's rules."""
        if cycle.disconnected or self.transport.is_closing():
            return
        ending = b"" if cycle.keep_alive else b"connection: close\r\n"
        lines = [_CREATED, *map(_line, self.server_state.default_headers), *map(_line, headers), ending]
        lines += (b"content-length: %d\r\n\r\n" % len(body), body)
        cycle.response_started = cycle.response_complete = True
        self.transport.write(b"".join(lines))
        if ending:
            self.transport.close()
        cycle.on_response()

    def start(self, cycle: RequestResponseCycle) -> None:
        if not cycle.disconnected:
            super()._start_asgi_task(cycle, self._front)


class _Asker:
    __slots__ = ("_cycle", "_server", "_since_s")

    def __init__(self, server: OneWrite, cycle: RequestResponseCycle) -> None:
        self._server, self._cycle, self._since_s = server, cycle, monotonic()

    def reply(self, headers: list[Header], body: bytes) -> None:
        self._server.reply(self._cycle, headers, body)
        if self._server.edge is not None:
            self._server.edge.answered(cast(Scope, self._cycle.scope), self._since_s)

    def otherwise(self) -> None:
        self._server.start(self._cycle)


def _see_through(proxy: ProxyHeadersMiddleware, scope: HTTPScope) -> None:
    """Lets uvicorn's own code write the forwarded client and scheme into the scope; without an app behind it, it never waits."""
    reading = ProxyHeadersMiddleware.__call__(cast(ProxyHeadersMiddleware, _Behind(proxy)), scope, _never, _never)
    try:
        reading.send(None)
    except StopIteration:
        return
    raise RuntimeError("the server's reading of forwarded headers has changed")


class _Behind:
    def __init__(self, proxy: ProxyHeadersMiddleware) -> None:
        self.app, self.trusted_hosts = _never, proxy.trusted_hosts


async def _never(*_: Any) -> Any:
    return None


def _line(header: Header) -> bytes:
    if HEADER_VALUE_RE.search(header[1]):
        raise ValueError("a header's value holds a control character")
    return b"%b: %b\r\n" % header


_CREATED = STATUS_LINE[201] + b"".join(map(_line, RECEIPT_HEADERS))


class _Gathering:
    """A transport whose writes leave together when the loop's turn ends, answers of other connections just before and after.

    Waking a client costs more than sending to it (30 us on a virtual machine); answers that leave together wake it once.
    """

    def __init__(self, transport: Transport, leaving: "_Leaving") -> None:
        self._transport, self._leaving = transport, leaving
        self._held: list[bytes] = []

    def write(self, data: bytes) -> None:
        if not self._held:
            self._leaving.add(self)
        self._held.append(data)

    def close(self) -> None:
        self.flush()
        self._transport.close()

    def flush(self) -> None:
        if self._held:
            held, self._held = b"".join(self._held), []
            self._transport.write(held)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)


class _Leaving:
    """Whose answers leave at the end of this turn of the loop."""

    def __init__(self) -> None:
        self._those: list[_Gathering] = []

    def add(self, one: _Gathering) -> None:
        if not self._those:
            asyncio.get_running_loop().call_soon(self._go)
        self._those.append(one)

    def _go(self) -> None:
        those, self._those = self._those, []
        for one in those:
            one.flush()


_of_loop: "WeakKeyDictionary[AbstractEventLoop, _Leaving]" = WeakKeyDictionary()


def _leaving(loop: AbstractEventLoop) -> _Leaving:
    return _of_loop.setdefault(loop, _Leaving())


def _stay(number: int, frame: object) -> None:
    return None
