"""The live inventory: which declared tags are really there, and what is there that nobody declared."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from lofte.features.findings.models import Finding
from lofte.rules.frames import names_host, tags_of_host
from lofte.rules.known import catalogue, explained
from lofte.rules.model import Policy

GATE, BROWSER = "gate", "browser"
_STORED = {"cookie": "cookie", "lofte-cookie": "cookie", "lofte-local": "local", "lofte-session": "session",
           "lofte-indexeddb": "indexeddb"}  # fmt: skip
_NO_HOST = frozenset(
    ("inline", "eval", "wasm-eval", "self", "data", "blob", "trusted-types-policy", "trusted-types-sink")
)


@dataclass(frozen=True, slots=True)
class Found:
    seen_by: str
    kind: str
    what: str
    market: str
    page: str
    times: int
    first_seen: datetime
    last_seen: datetime


@dataclass(frozen=True, slots=True)
class Drift:
    """Something met that no tag or cookie of the policy in force describes: held, and an alarm until somebody settles it.

    ``vendors`` are names of the catalogue it belongs to. ``is_own`` says that it stood in a page we sent, not only in a report.
    """

    what: str
    seen_by: str
    kinds: tuple[str, ...]
    markets: tuple[str, ...]
    page: str
    times: int
    first_seen: datetime
    last_seen: datetime
    vendors: tuple[str, ...]
    is_own: bool
    came_back: bool


@dataclass(frozen=True, slots=True)
class TagSeen:
    """A declared tag and where it was last met; never met says that it may be declared in vain."""

    tag: str
    name: str
    purpose: str
    hosts: tuple[str, ...]
    markets: tuple[str, ...]
    page: str
    times: int
    last_seen: datetime | None


def newest(limit: int = 100) -> list[Found]:
    """What was seen last, first."""
    rows = Finding.objects.order_by("-last_seen", "what")[:limit]
    return [
        Found(row.seen_by, row.kind, row.what, row.market, row.page, row.times, row.first_seen, row.last_seen)
        for row in rows
    ]


def is_declared(policy: Policy, kind: str, what: str) -> bool:
    """Whether the policy describes this host, or, for what is kept, this name."""
    if kind in _STORED:
        return any(
            cookie.storage == _STORED[kind] and re.fullmatch(re.escape(cookie.name).replace(r"\*", ".*"), what)
            for cookie in policy.cookies.values()
        )
    return bool(tags_of_host(policy, what.partition(":")[0]))


def alarms(policy: Policy) -> list[Drift]:
    """What is open, our own pages first, then the newest."""
    groups: dict[tuple[str, str], list[Finding]] = {}
    for row in Finding.objects.all():
        if _is_open(row) and not is_declared(policy, row.kind, row.what) and row.what not in _NO_HOST:
            groups.setdefault((row.what, row.seen_by), []).append(row)
    found = [_drift(what, seen_by, rows) for (what, seen_by), rows in groups.items()]
    return sorted(found, key=lambda one: (not one.is_own, -one.first_seen.timestamp(), one.what))


def count_alarms(policy: Policy) -> int:
    """How many open alarms concern our own pages."""
    return sum(alarm.is_own for alarm in alarms(policy))


def inventory(policy: Policy) -> list[TagSeen]:
    """Every declared tag in the order of the policy, with what was met of it."""
    met: dict[str, list[Finding]] = {key: [] for key in policy.tags}
    for row in Finding.objects.exclude(kind__in=_STORED):
        host = row.what.partition(":")[0]
        for key, tag in policy.tags.items():
            if any(names_host(pattern, host) for pattern in tag.hosts):
                met[key].append(row)
    return [
        TagSeen(
            key, tag.name, tag.purpose, _each(row.what for row in rows), _each(row.market for row in rows if row.market),
            max(rows, key=lambda row: row.last_seen).page if rows else "", sum(row.times for row in rows),
            max((row.last_seen for row in rows), default=None),
        )
        for key, tag in policy.tags.items()
        for rows in [met[key]]
    ]  # fmt: skip


def _is_open(row: Finding) -> bool:
    if row.settled_at is None:
        return True
    return row.settled_as == "removed" and row.last_seen > row.settled_at


def _drift(what: str, seen_by: str, rows: list[Finding]) -> Drift:
    last = max(rows, key=lambda row: row.last_seen)
    return Drift(
        what, seen_by, _each(row.kind for row in rows), _each(row.market for row in rows if row.market), last.page,
        sum(row.times for row in rows), min(row.first_seen for row in rows), last.last_seen,
        tuple(catalogue()[name].name for name in explained(what)), seen_by == GATE,
        any(row.settled_at is not None for row in rows),
    )  # fmt: skip


def _each(values: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(set(values)))
