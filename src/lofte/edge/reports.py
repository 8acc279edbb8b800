"""`POST /lofte/csp-report`: what browsers held back, as an inventory of what pages try to load.

Kept of a report: the host of the resource, the directive, the path of the page without its query. The rest, which may
name a person, is dropped here.
"""

import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from lofte.edge.answers import Receive, Send, empty, problem
from lofte.edge.config import EdgeConfig
from lofte.edge.limits import Limiter
from lofte.edge.metrics import Metrics
from lofte.edge.refusals import Refusal, Refused
from lofte.edge.requests import Patience, Request
from lofte.kernel.problems import Problem

_MOST_IN_ONE = 50
_HOST = re.compile(r"[a-z0-9](?:[a-z0-9.-]{0,252}[a-z0-9])?")
_DIRECTIVE = re.compile(r"[a-z-]{1,40}")
_STORED = re.compile(r"[A-Za-z0-9_.:*-]{1,64}")  # the guard names a cookie or storage key, never its value
_KEYWORDS = frozenset(
    ("inline", "eval", "wasm-eval", "self", "data", "blob", "trusted-types-policy", "trusted-types-sink")
)


class Reports:
    def __init__(self, config: EdgeConfig, metrics: Metrics) -> None:
        self._config, self._metrics = config, metrics
        self._limiter = Limiter(config.report_rate_per_s, config.report_burst)
        self._patience = Patience(config.body_timeout_s)

    async def __call__(self, request: Request, receive: Receive, send: Send) -> int:
        config = self._config
        try:
            if not self._limiter.admits(request.address()):
                raise Refused(Refusal.TOO_MANY)
            body = await self._patience.read(request, receive, config.largest_report_bytes)
            found = list(read_reports(body))
        except Refused as refused:
            status = {Refusal.TOO_MANY: 429, Refusal.TOO_LARGE: 413, Refusal.SLOW: 408}.get(refused.reason, 400)
            await problem(send, Problem(f"report.{refused.reason}", "the report was not taken", status=status))
            return status
        for host, directive, path in found:
            self._metrics.report(host)
            config.on_report(host, directive, path)
        await empty(send, 204)
        return 204


def read_reports(body: bytes) -> Iterator[tuple[str, str, str]]:
    """(host, directive, page path) of each report, in either form browsers send. Raises Refused(malformed)."""
    try:
        sent = json.loads(body)
    except (ValueError, RecursionError):
        raise Refused(Refusal.MALFORMED) from None
    for one in (sent if isinstance(sent, list) else [sent])[:_MOST_IN_ONE]:
        report = _body_of(one)
        blocked = report.get("blocked-uri") or report.get("blockedURL")
        directive = str(
            report.get("effective-directive")
            or report.get("effectiveDirective")
            or report.get("violated-directive")
            or ""
        )
        directive = directive.split(" ")[0].lower()
        host = _stored(blocked) if directive.startswith("lofte-") else _host(blocked)
        if host and _DIRECTIVE.fullmatch(directive):
            yield host, directive, _path(report.get("document-uri") or report.get("documentURL"))


def _body_of(one: Any) -> dict[str, Any]:
    if not isinstance(one, dict):
        raise Refused(Refusal.MALFORMED)
    inside = one.get("csp-report") if "csp-report" in one else one.get("body")
    if not isinstance(inside, dict):
        raise Refused(Refusal.MALFORMED)
    return inside


def _stored(name: Any) -> str:
    return name if isinstance(name, str) and _STORED.fullmatch(name) else ""


def _host(address: Any) -> str:
    """The host of a resource; browsers say `inline`, `eval` or a bare scheme where there is none."""
    if not isinstance(address, str) or len(address) > 8192:
        return ""
    if address in _KEYWORDS:
        return address
    try:
        host = (urlsplit(address).hostname or "").lower()
    except ValueError:
        return ""
    return host if _HOST.fullmatch(host) else ""


def _path(address: Any) -> str:
    try:
        path = urlsplit(address).path if isinstance(address, str) else ""
    except ValueError:
        return ""
    return path[:512] if path.isprintable() else ""
