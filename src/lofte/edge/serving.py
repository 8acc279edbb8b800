"""The server and its settings, the same for `lofte serve` and for the benchmark that measured them."""

import gc
import signal

import uvicorn

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
        http="httptools",
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


def run(config: uvicorn.Config) -> None:
    """Serves until SIGTERM or SIGINT, then returns, so that the caller can close its log.

    The server raises the signal once more when it has stopped; left to its default that would end the process at once.
    """
    before = {number: signal.signal(number, _stay) for number in (signal.SIGTERM, signal.SIGINT)}
    gc.collect()
    gc.freeze()  # policy, words and code live as long as the process: the collector need not look at them again
    try:
        uvicorn.Server(config).run()
    finally:
        gc.unfreeze()
        for number, handler in before.items():
            signal.signal(number, handler)


def _stay(number: int, frame: object) -> None:
    return None
