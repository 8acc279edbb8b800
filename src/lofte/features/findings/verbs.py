"""`note` is called by gate and edge on every page and must cost nothing; `flush` writes what came together."""

import threading
from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from django.db import models

from lofte.core.retry import in_transaction
from lofte.features.findings.models import Finding

MOST_DIFFERENT = 2000  # between two flushes; a page that invents host names must not fill the memory
_LONGEST = 255


@dataclass(frozen=True, slots=True)
class Sighting:
    seen_by: str
    kind: str
    what: str
    market: str


_seen: Counter[Sighting] = Counter()
_pages: dict[Sighting, str] = {}
_lock = threading.Lock()


def note(seen_by: str, kind: str, what: str, market: str, page: str) -> None:
    """Something undeclared was seen. Kept in memory until the next flush; a crash loses a few seconds of counts."""
    sighting = Sighting(seen_by, kind, what[:_LONGEST], market)
    with _lock:
        if sighting in _seen or len(_seen) < MOST_DIFFERENT:
            _seen[sighting] += 1
            _pages[sighting] = page.partition("?")[0][:_LONGEST]


def flush(at: datetime) -> int:
    """Write what was noted; returns how many different things that were."""
    with _lock:
        seen, pages = dict(_seen), dict(_pages)
        _seen.clear()
        _pages.clear()
    for sighting, times in seen.items():
        _write(sighting, times, pages[sighting], at)
    return len(seen)


@in_transaction
def _write(sighting: Sighting, times: int, page: str, at: datetime) -> None:
    key = {"seen_by": sighting.seen_by, "kind": sighting.kind, "what": sighting.what, "market": sighting.market}
    added = Finding.objects.filter(**key).update(times=models.F("times") + times, last_seen=at, page=page)
    if not added:
        Finding.objects.create(**key, times=times, first_seen=at, last_seen=at, page=page)
