"""The server and its settings, the same for `lofte serve` and for the benchmark that measured them."""

import gc
import signal
from asyncio import AbstractEventLoop, BaseTransport, Transport
from collections.abc import Coroutine
from typing import Any, cast

import uvicorn
import uvloop
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from lofte.edge.answers import ASGIApp

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
    gc.collect()
    gc.freeze()  # policy, words and code live as long as the process; looking at them again costs a twentieth of each consent
    try:
        uvloop.run(main)
    finally:
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
    """uvicorn's own protocol; head and body of an answer leave in one system call, not two (a tenth of a consent's cost)."""

    def connection_made(self, transport: BaseTransport) -> None:
        super().connection_made(_Gathering(cast(Transport, transport), self.loop))  # type: ignore[arg-type]


class _Gathering:
    """A transport whose writes leave together when the loop's turn ends, answers of other connections just before and after.

    Waking a client costs more than sending to it (30 us on a virtual machine); answers that leave together wake it once.
    """

    def __init__(self, transport: Transport, loop: AbstractEventLoop) -> None:
        self._transport, self._loop = transport, loop
        self._held: list[bytes] = []

    def write(self, data: bytes) -> None:
        if not self._held:
            self._loop.call_soon(self._flush)
        self._held.append(data)

    def close(self) -> None:
        self._flush()
        self._transport.close()

    def _flush(self) -> None:
        if self._held:
            held, self._held = b"".join(self._held), []
            self._transport.write(held)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)


def _stay(number: int, frame: object) -> None:
    return None
