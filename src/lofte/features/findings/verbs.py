"""`note` is called by gate and edge on every page and must cost nothing; `flush` writes what came together."""

import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from django.db import models

from lofte.core import actions, clock, publication
from lofte.core.retry import in_transaction
from lofte.features.findings import reads
from lofte.features.findings.models import Finding
from lofte.kernel.problems import Problem

MOST_DIFFERENT = 2000  # between two flushes; a page that invents host names must not fill the memory
MOST_REPORTED = 5000  # rows by the word of browsers alone; anybody can send a report
KEPT_FOR = timedelta(days=90)  # an alarm nobody met again in a quarter is over
_MOST_TOLD = 20  # new third parties written among the actions at once
_LONGEST = 255
Settled = Literal["removed", "noise"]


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
    """A third party, or something kept, was met. In memory until the next flush; a crash loses a few seconds of counts."""
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
    if seen:
        _write(seen, pages, at)
    return len(seen)


@in_transaction
def _write(seen: Mapping[Sighting, int], pages: Mapping[Sighting, str], at: datetime) -> None:
    room = MOST_REPORTED - Finding.objects.filter(seen_by=reads.BROWSER).count()
    new: list[Finding] = []
    for one, times in seen.items():
        key = {"seen_by": one.seen_by, "kind": one.kind, "what": one.what, "market": one.market}
        if Finding.objects.filter(**key).update(times=models.F("times") + times, last_seen=at, page=pages[one]):
            continue
        if one.seen_by == reads.BROWSER:
            if room <= 0:
                continue
            room -= 1
        new.append(Finding(**key, times=times, first_seen=at, last_seen=at, page=pages[one]))
    Finding.objects.bulk_create(new)
    _tell(new)


def _tell(new: list[Finding]) -> None:
    """What stands in our own pages and no tag declares is written among the actions the moment it is met first."""
    try:
        policy = publication.current().policy
    except Problem:  # nothing is published, so nothing can drift from it
        return
    own = [row for row in new if row.seen_by == reads.GATE and not reads.is_declared(policy, row.kind, row.what)]
    for row in own[:_MOST_TOLD]:
        actions.record(
            "findings.drift", "system", what=row.what[:200].replace("@", " "), kind=row.kind, market=row.market
        )


@in_transaction
def settle(what: str, seen_by: str, as_: Settled, actor: str) -> int:
    """Staff looked into an alarm. Raises Problem (404) when there is none by this name."""
    rows = Finding.objects.filter(what=what, seen_by=seen_by).update(settled_at=clock.now(), settled_as=as_)
    if not rows:
        raise Problem("findings.unknown", "nothing of this name was met", status=404)
    actions.record("findings.settled", actor, what=what[:200].replace("@", " "), seen_by=seen_by, settled_as=as_)
    return rows


def forget(at: datetime) -> int:
    """Drop what was not met for a quarter of a year."""
    return Finding.objects.filter(last_seen__lt=at - KEPT_FOR).delete()[0]
