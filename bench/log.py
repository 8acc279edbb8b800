"""What the evidence log costs by itself, without HTTP: events acknowledged a second and CPU for each, by waiting callers.

A caller sends its next event when its last one is durable. Beside the figures stands what the disk can flush: with every flush
carrying the events of all callers, flushes times callers is what the machine could acknowledge at most.
"""

import json
import os
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench.case import Case, at_least, at_most
from bench.consent import flush_rate
from bench.postgres import database

from lofte.evidence.log import Committed, Draft, Log, open_log
from lofte.evidence.verify import verify_receipt
from lofte.kernel.canonical import canonical_bytes

SECONDS = 3.0
CALLERS = (1, 8, 32, 64, 128)
BAR_CALLERS, BAR_PER_S, BAR_CPU_US = 64, 8_000, 30  # of the edge's 100 us, what the log may take
PROOFS = 5_000


@dataclass
class Load:
    acknowledged: int
    seconds: float
    cpu_s: float


def run() -> Iterator[Case]:
    with tempfile.TemporaryDirectory(dir=os.environ.get("LOFTE_BENCH_DIR"), ignore_cleanup_errors=True) as folder:
        home = Path(folder)
        flushes = flush_rate(home)
        yield Case("log", "machine: flushes of the disk", round(flushes), "/s")
        yield from cases("SQLite", home / "sqlite", "", flushes)
        with database() as address:
            if address:
                yield from cases("PostgreSQL", home / "postgresql", address, flushes)


def cases(name: str, home: Path, address: str, flushes: float) -> Iterator[Case]:
    home.mkdir()
    with opened(home, address) as log:
        for callers in CALLERS:
            load = drive(log, callers)
            title = f"{name}, {callers} caller{'s' * (callers > 1)}"
            per_s, cpu_us = load.acknowledged / load.seconds, load.cpu_s / load.acknowledged * 1e6
            if not address and callers == BAR_CALLERS:
                yield at_least("log", f"{title}: acknowledged", per_s, "/s", BAR_PER_S, round(flushes * callers))
                yield at_most("log", f"{title}: CPU each", cpu_us, "us", BAR_CPU_US)
            else:
                yield Case("log", f"{title}: acknowledged", round(per_s), "/s", round(flushes * callers))
                yield Case("log", f"{title}: CPU each", round(cpu_us, 1), "us")
        yield from readings(name, log)
    began_s = time.perf_counter()
    with opened(home, address) as log:
        yield Case("log", f"{name}: opening {log.size()} entries", round(time.perf_counter() - began_s, 3), "s")


def drive(log: Log, callers: int) -> Load:
    """So many callers, each with one event on its way, for a while. Raises when the log does not hold what it acknowledged."""
    before, end = log.size(), threading.Event()
    made, answered = 0, 0
    began_cpu_s, began_s = time.process_time(), time.perf_counter()

    def deliver(answers: list[tuple[Any, Any]]) -> None:
        nonlocal made, answered
        answered += len(answers)
        if any(not isinstance(outcome, Committed) for _, outcome in answers) or time.perf_counter() - began_s > SECONDS:
            if answered == made:
                end.set()
            return
        for _ in answers:
            made += 1
            log.append_for(event(before + made), None, deliver)

    made = callers
    for number in range(callers):
        log.append_for(event(-number - 1 - before), None, deliver)
    if not end.wait(SECONDS + 30):
        raise RuntimeError("the log does not answer")
    load = Load(answered, time.perf_counter() - began_s, time.process_time() - began_cpu_s)
    if log.size() - before != answered:
        raise RuntimeError(f"{answered} acknowledged, {log.size() - before} in the log")
    return load


def readings(name: str, log: Log) -> Iterator[Case]:
    size = log.size()
    places = [number * 7919 % size for number in range(PROOFS)]  # a prime, so that they lie all over the tree
    yield Case("log", f"{name}: proofs", round(rate(log.proof, places)), "/s")
    yield Case("log", f"{name}: receipts", round(rate(log.receipt, places)), "/s")
    receipts = [json.dumps(log.receipt(index)).encode() for index in places[:500]]
    yield Case("log", f"{name}: verified receipts", round(rate(verify_receipt, receipts)), "/s")
    began_s = time.perf_counter()
    log.shred(places[:1000])
    yield Case(
        "log", f"{name}: shredding a person of 1000 entries", round((time.perf_counter() - began_s) * 1000, 1), "ms"
    )


def rate(do: Any, values: list[Any]) -> float:
    began_s = time.perf_counter()
    for value in values:
        do(value)
    return len(values) / (time.perf_counter() - began_s)


def event(number: int) -> Draft:
    """As the edge makes them: decisions of one second share their fact, and every visitor is another."""
    return Draft(
        "consent",
        FACT,
        b'{"subject":"%022d","token":"%022d"}' % (abs(number), number % 10**9),
        "ab" * 32,
        f"consent:{number}",
    )


FACT = canonical_bytes(
    {
        "action": "decide", "at": "2026-11-22T12:00:00Z", "choices": {"marketing": False, "statistics": True}, "gpc": False,
        "locale": "sv", "market": "SE", "method": "banner", "publication": "ab" * 32, "wording": "cd" * 32,
    }
)  # fmt: skip


@contextmanager
def opened(home: Path, address: str) -> Iterator[Log]:
    log = open_log(address or home / "evidence.sqlite3", home / "keys", "bench.example/log", lambda: datetime.now(UTC))
    try:
        yield log
    finally:
        log.close()
