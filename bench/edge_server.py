"""The server under load, in a process of its own: the production edge with the production server settings.

`python -m bench.edge_server HOME LOG PORT [empty]`. LOG is a file or a postgresql:// address; `empty` answers 204 and nothing else,
which is the most this machine and server can do.
"""

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from lofte.edge.app import Edge
from lofte.edge.config import EdgeConfig
from lofte.edge.serving import run, server_config
from lofte.evidence.log import open_log

UNLIMITED = 1e9  # the load comes from one address: its bucket is made large, not removed


async def site(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] != "http":
        raise RuntimeError("http only")
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body", "body": b""})


async def empty(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] == "lifespan":
        for done in ("startup", "shutdown"):
            await receive()
            await send({"type": f"lifespan.{done}.complete"})
        return
    await site(scope, receive, send)


def main() -> None:
    home, location, port = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    if sys.argv[4:] == ["empty"]:
        run(server_config(empty, "127.0.0.1", port))
        return
    log = open_log(location, home / "keys", "bench.example/log", lambda: datetime.now(UTC))
    config = EdgeConfig(home=home, consent_rate_per_s=UNLIMITED, consent_burst=1_000_000)
    try:
        run(server_config(Edge(config, log, site), "127.0.0.1", port))
    finally:
        log.close()


if __name__ == "__main__":
    main()
