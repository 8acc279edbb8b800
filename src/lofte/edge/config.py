"""The settings of the edge. Every one has a unit, a default, and a line on who must protect it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

DJANGO_PREFIXES = (
    "/console/", "/accounts/", "/my/", "/news/", "/static/", "/forms/", "/materials/", "/events/",
    "/api/decide/", "/api/forms/", "/api/openapi.json",
)  # fmt: skip


class OnReport(Protocol):
    """Told of what a browser held back: host of the resource, directive, path of the page without its query."""

    def __call__(self, host: str, directive: str, path: str) -> None: ...


class Clock(Protocol):
    def __call__(self) -> datetime: ...


def _utc_now() -> datetime:
    return datetime.now(UTC)


def _ignore(host: str, directive: str, path: str) -> None:
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class EdgeConfig:
    """``home`` holds the publications and keys: who writes there decides what people are promised.

    ``origins`` are further origins (``https://www.example.com``) whose pages may send decisions here; the host a
    request itself names is always one. Who controls this list can let other sites decide in a visitor's name.
    ``trusted_scheme`` is ``https`` behind a proxy that ends TLS: cookies are then marked Secure.
    """

    home: Path
    origins: frozenset[str] = frozenset()
    trusted_scheme: str = ""
    django_prefixes: tuple[str, ...] = DJANGO_PREFIXES
    static_folders: tuple[Path, ...] = ()
    host_map: Mapping[str, str] = field(default_factory=dict)  # stand-in of a third party -> its declared host
    token_age_s: int = 24 * 3600
    largest_consent_bytes: int = 4096  # an honest decision is about 700 bytes
    largest_report_bytes: int = 64 * 1024  # browsers batch reports
    body_timeout_s: float = 10.0
    longest_queue: int = 10_000  # about a second of the fastest disk we measured
    consent_rate_per_s: float = 5.0  # per client address; an office behind one address decides no faster
    consent_burst: int = 60
    read_rate_per_s: float = 20.0  # receipts, evidence, history: each reads the log
    read_burst: int = 200
    report_rate_per_s: float = 5.0
    report_burst: int = 100
    metrics_token: str = ""  # when set, /metrics asks for `Authorization: Bearer <token>`
    writes_access_log: bool = False
    on_report: OnReport = _ignore
    now: Clock = field(default=_utc_now)
