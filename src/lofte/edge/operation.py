"""For those who run it: is the process alive, is it ready to keep a promise, and what has it counted."""

import hmac

from lofte.edge.answers import JSON, NO_STORE, Header, Send, answer, json_bytes
from lofte.edge.config import EdgeConfig
from lofte.edge.desk import Desk
from lofte.edge.metrics import Metrics
from lofte.edge.requests import Request
from lofte.evidence.log import Log
from lofte.evidence.publications import Shelf
from lofte.kernel.problems import Problem

_FRESH: list[Header] = [(b"cache-control", NO_STORE)]


class Operation:
    def __init__(self, config: EdgeConfig, log: Log, shelf: Shelf, desk: Desk, metrics: Metrics) -> None:
        self._config, self._log, self._shelf, self._desk, self._metrics = config, log, shelf, desk, metrics

    async def health(self, request: Request, send: Send) -> int:
        """The process answers. Nothing more is claimed."""
        await answer(send, 200, b'{"status":"ok"}', JSON, _FRESH, request.is_head)
        return 200

    async def ready(self, request: Request, send: Send) -> int:
        """200 when a consent could be recorded now, else 503 with what is missing."""
        checks = {"log_writable": not self._log.is_read_only(), "publication_loaded": self._has_publication()}
        checks["queue_has_room"] = len(self._desk) < self._config.longest_queue
        status = 200 if all(checks.values()) else 503
        body = json_bytes({"status": "ready" if status == 200 else "not ready", "checks": checks})
        await answer(send, status, body, JSON, _FRESH, request.is_head)
        return status

    async def metrics(self, request: Request, send: Send) -> int:
        wanted = self._config.metrics_token
        shown = request.headers.get(b"authorization", b"")
        if wanted and not hmac.compare_digest(shown, b"Bearer " + wanted.encode()):
            raise Problem("metrics.unauthorised", "the metrics ask for their token", status=401)
        self._measure()
        body, kind = self._metrics.exposition()
        await answer(send, 200, body, kind.encode(), _FRESH, request.is_head)
        return 200

    def _measure(self) -> None:
        self._metrics.log_size.set(self._log.size())
        self._metrics.log_writable.set(0 if self._log.is_read_only() else 1)
        self._metrics.waiting.set(len(self._desk))
        self._metrics.publication.clear()
        if self._has_publication():
            current = self._shelf.current()
            self._metrics.publication.labels(current.version, current.short).set(1)

    def _has_publication(self) -> bool:
        try:
            return bool(self._shelf.current().shown)
        except Problem:
            return False
