"""Our edge and gate in front of a site, in this process, as `lofte serve` puts them together."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from lofte.edge.app import Edge
from lofte.edge.config import EdgeConfig
from lofte.evidence.log import open_log
from lofte.features.policy.verbs import publish
from lofte.gate import Gate
from lofte.gate.choice import choice_key


@contextmanager
def behind_the_gate(
    home: Path, files: Mapping[str, str], site: Callable[..., Any], origin: str, at: datetime
) -> Iterator[Callable[..., Any]]:
    log = open_log(home / "evidence.sqlite3", home / "keys", "bench.example/log", lambda: datetime.now(UTC))
    try:
        publish(dict(files), home, log, at)

        def banner(scope: Any, market: str, locale: str) -> bytes:
            return edge.offer(market, locale, quote(scope["path"]))

        gate = Gate(
            site, lambda: edge.shelf.current().published, choice_key(home), banner,
            own_hosts=[urlsplit(origin).netloc],
        )  # fmt: skip
        edge = Edge(EdgeConfig(home=home, origins=frozenset({origin})), log, gate)
        yield edge
    finally:
        log.close()
