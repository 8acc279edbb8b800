"""Consents a second, and what each costs: the real server process, the real log, every consent another visitor's.

Each case is checked afterwards: the log must hold as many entries as were acknowledged. Beside the figures stands what
the machine can do at all: flushes of its disk, and empty answers of the same server.
"""

import json
import os
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from bench.case import Case, at_least, at_most
from bench.load import Load, drive, free_port, serving
from bench.postgres import database
from bench.world import publish_example

from lofte.edge.subject import Tokens
from lofte.evidence.log import open_log
from lofte.evidence.publications import load_current
from lofte.gate.choice import load_root_key

SECONDS = 5.0
MOST_PER_S = 20_000  # tokens are made ahead; no machine we know gets through them
CONNECTIONS = (1, 16, 64)
BAR_PER_S, BAR_CPU_US = 8_000, 100


def run() -> Iterator[Case]:
    with tempfile.TemporaryDirectory(dir=os.environ.get("LOFTE_BENCH_DIR"), ignore_cleanup_errors=True) as folder:
        home = Path(folder)
        flushes = flush_rate(home)
        empty = empty_rate(home)
        yield Case("consent", "machine: flushes of the disk", round(flushes), "/s")
        yield Case("consent", "machine: empty answers, 64 connections", round(empty.per_s), "/s")
        yield Case("consent", "machine: CPU of an empty answer", round(empty.cpu_us, 1), "us")
        yield from cases("SQLite", home / "sqlite", "", empty, has_bar=True)
        with database() as address:
            if address:
                yield from cases("PostgreSQL", home / "postgresql", address, empty, has_bar=False)


def cases(name: str, home: Path, address: str, empty: Load, has_bar: bool) -> Iterator[Case]:
    home.mkdir()
    publish_example(home)
    location = address or str(home / "evidence.sqlite3")
    acknowledged = 0
    for connections in CONNECTIONS:
        load = consents(home, location, connections)
        acknowledged += load.answered
        title = f"{name}, {connections} connection{'s' * (connections > 1)}"
        rate, cpu, limit = f"{title}: consents", f"{title}: CPU each", round(empty.per_s)
        if has_bar and connections == 64:
            yield at_least("consent", rate, load.per_s, "/s", BAR_PER_S, limit)
            yield at_most("consent", cpu, load.cpu_us, "us", BAR_CPU_US, round(empty.cpu_us, 1))
        else:
            yield Case("consent", rate, round(load.per_s), "/s", limit)
            yield Case("consent", cpu, round(load.cpu_us, 1), "us", round(empty.cpu_us, 1))
        yield Case("consent", f"{title}: 99th percentile", round(load.p99_ms, 2), "ms")
    yield demand_all_there(name, home, location, acknowledged)


def consents(home: Path, location: str, connections: int) -> Load:
    """One run on one server process, after a warm-up of the same load."""
    port = free_port()
    warm, timed = home / "warm.txt", home / "timed.txt"
    prepare(home, warm, 4_000)
    prepare(home, timed, int(SECONDS * (3_000 if connections == 1 else MOST_PER_S)))
    with serving("bench.edge_server", str(home), location, str(port), port=port, ready="/readyz") as process:
        warmed = drive(process, port, connections, warm, 1)
        load = drive(process, port, connections, timed, SECONDS)
    if warmed.refused or load.refused:
        raise RuntimeError(f"{warmed.refused + load.refused} honest consents were refused")
    with (home / "acknowledged").open("a") as file:
        file.write(f"{warmed.answered}\n")
    return load


def demand_all_there(name: str, home: Path, location: str, acknowledged: int) -> Case:
    """The log holds every consent that was acknowledged; a few more may have been cut off by the end of a run."""
    warmed = sum(map(int, (home / "acknowledged").read_text().split()))
    log = open_log(location, home / "keys", "bench.example/log", lambda: datetime.now(UTC))
    try:
        held = log.size()
    finally:
        log.close()
    missing = acknowledged + warmed - held
    return at_most("consent", f"{name}: acknowledged and not in the log", max(0, missing), "consents", 0)


def prepare(home: Path, file: Path, count: int) -> None:
    """So many decisions of different visitors, one JSON body a line."""
    current, tokens = load_current(home), Tokens(load_root_key(home))
    now_s = int(time.time())
    wish = {
        "market": "SE", "locale": "sv", "publication": current.digest,
        "wording": current.published.wording("SE", "sv", "banner"), "action": "decide",
    }  # fmt: skip
    decidable = sorted(current.shown["SE", "sv"].decidable)
    with file.open("w") as lines:
        for number in range(count):
            choices = {purpose: bool(number >> place & 1) for place, purpose in enumerate(decidable)}
            token = tokens.issue("SE", "sv", current.digest, now_s)
            lines.write(json.dumps({"token": token, **wish, "choices": choices}, separators=(",", ":")) + "\n")


def flush_rate(folder: Path) -> float:
    """fdatasync after each append of one entry's size, for a second."""
    count, until = 0, time.monotonic() + 1
    with (folder / "flush").open("wb", buffering=0) as file:
        while time.monotonic() < until:
            file.write(bytes(200))
            os.fdatasync(file.fileno())
            count += 1
    return float(count)


def empty_rate(folder: Path) -> Load:
    port = free_port()
    nothing = folder / "nothing.txt"
    nothing.touch()
    with serving("bench.edge_server", str(folder), "-", str(port), "empty", port=port) as process:
        drive(process, port, 64, nothing, 1)
        return drive(process, port, 64, nothing, 3)
