"""One house of one size: `python -m bench.rights_house fill|measure HOME PEOPLE NAME`, each in a process of its own, so that the
memory of filling it is not counted. Prints a case a line, as JSON.
"""

import json
import os
import resource
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from datetime import datetime
from functools import partial
from pathlib import Path
from statistics import median

from bench.case import Case, at_most
from bench.population import Somebody, people
from bench.world import publish_example

ASKED, ERASED, TOGETHER = 60, 3, 50
_MANY = 500_000  # people: of so many one search takes minutes, and one erasure is measured
BAR_ACCESS_MS, BAR_STATEMENTS, BAR_MEMORY_MB = 50, 30, 256
ORIGIN = "http://localhost:8000"


def main(cases: Callable[[str, int], Iterator[Case]], home: Path, count: int, name: str) -> None:
    """Opens the house and prints the cases of one title and size."""
    from lofte.cli import wiring

    if not (home / "published").exists():
        publish_example(home)
    wiring.enter(home)
    house = wiring.open_house(home, ORIGIN)
    title = f"{name}, {count:,} people"
    try:
        for case in cases(title, count):
            print(json.dumps(asdict(case)), flush=True)
    finally:
        house.close()


def fill(title: str, count: int) -> Iterator[Case]:
    from bench.settle import settle

    from lofte.core import clock

    began, work = time.monotonic(), time.process_time()
    settle(count, clock.now(), _told)
    yield Case("rights", f"{title}: moved in", round(count / (time.monotonic() - began)), "people/s")
    yield Case("rights", f"{title}: moved in, CPU each", round((time.process_time() - work) / count * 1e6), "us")


def measure(title: str, count: int) -> Iterator[Case]:
    step = max(1, count // (ASKED + ERASED + TOGETHER))
    chosen = [each for number, each in enumerate(people(count)) if number % step == 0]
    yield from access(title, chosen[:ASKED])
    yield from found(title, chosen[:ASKED])
    yield from erasure(title, chosen[ASKED : ASKED + (ERASED if count < _MANY else 1)])
    yield from together(title, chosen[ASKED + ERASED : ASKED + ERASED + TOGETHER])
    yield from recomputed(title, count)
    yield from rotated(title, count)
    yield at_most("rights", f"{title}: peak memory", _peak_mb(), "MB", BAR_MEMORY_MB)


def access(title: str, chosen: list[Somebody]) -> Iterator[Case]:
    from django.db import connections
    from django.test.utils import CaptureQueriesContext

    from lofte.features.rights import reads

    reads.access_package(chosen[0].id)
    with CaptureQueriesContext(connections["default"]) as one, CaptureQueriesContext(connections["keys"]) as two:
        reads.access_package(chosen[1].id)
    before = _database_cpu_ms()
    wall, cpu = _each([partial(reads.access_package, who.id) for who in chosen[2:]])
    there = (_database_cpu_ms() - before) / len(wall)
    yield at_most("rights", f"{title}: access package", median(wall), "ms", BAR_ACCESS_MS)
    yield Case("rights", f"{title}: access package, slowest", round(max(wall), 2), "ms")
    yield Case("rights", f"{title}: access package, CPU", round(median(cpu) + there, 2), "ms")
    yield at_most("rights", f"{title}: access package, statements", len(one) + len(two), "", BAR_STATEMENTS)


def found(title: str, chosen: list[Somebody]) -> Iterator[Case]:
    from lofte.features.register import reads

    wall, _ = _each([partial(reads.person_of, "email", who.email) for who in chosen])
    yield Case("rights", f"{title}: found by address", round(median(wall), 2), "ms")


def erasure(title: str, chosen: list[Somebody]) -> Iterator[Case]:
    """One by one, as people ask for it: gone is when key and rows are gone and the answer is given."""
    from lofte.features.rights import erasure as orders
    from lofte.features.rights import verbs
    from lofte.features.rights.models import Erasure

    gone, whole, cpu = [], [], []
    for who in chosen:
        began, work = time.monotonic(), time.process_time()
        done = verbs.erase(who.id)
        gone.append((time.monotonic() - began) * 1000)
        while not done.is_complete:
            verbs.resume(_now())
            done = orders.result(Erasure.objects.get(pk=done.id))
        whole.append(time.monotonic() - began)
        cpu.append(time.process_time() - work)
    yield Case("rights", f"{title}: erasure, answered", round(median(gone)), "ms")
    yield Case("rights", f"{title}: erasure, proved", round(median(whole), 2), "s")
    yield Case("rights", f"{title}: erasure, proved, CPU", round(median(cpu), 2), "s")


def together(title: str, chosen: list[Somebody]) -> Iterator[Case]:
    """Many at once, as after a sweep: one search for all of them."""
    from lofte.features.rights import erasure, verbs

    began = time.monotonic()
    for each in chosen:
        erasure.begin(each.id, "sweep")
    while left := erasure.unproved():
        verbs.resume(_now())
        if erasure.unproved() == left:
            raise RuntimeError(f"{left} erasures do not come to an end")
    yield Case(
        "rights",
        f"{title}: {len(chosen)} erasures together, each",
        round((time.monotonic() - began) / len(chosen), 3),
        "s",
    )


def recomputed(title: str, count: int) -> Iterator[Case]:
    from lofte.features.retention import verbs

    began = time.monotonic()
    verbs.recompute(_told)
    yield Case("rights", f"{title}: deadlines worked out anew", round(count / (time.monotonic() - began)), "people/s")


def rotated(title: str, count: int) -> Iterator[Case]:
    from lofte.core import rotation

    began = time.monotonic()
    rotation.rotate("operator", _told)
    yield Case("rights", f"{title}: keys wrapped anew", round(count / (time.monotonic() - began)), "keys/s")


def _each(asked: list[Callable[[], object]]) -> tuple[list[float], list[float]]:
    """Milliseconds each, by the clock on the wall and of the processor."""
    wall, cpu = [], []
    for ask in asked:
        began, work = time.perf_counter(), time.process_time()
        ask()
        wall.append((time.perf_counter() - began) * 1000)
        cpu.append((time.process_time() - work) * 1000)
    return wall, cpu


def _database_cpu_ms() -> float:
    """What the server's side of our connection has worked so far, where it is a process of its own on this machine."""
    from django.db import connection

    if connection.vendor != "postgresql":
        return 0
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        stat = Path(f"/proc/{cursor.fetchone()[0]}/stat")
    if not stat.exists():
        return 0
    user, system = stat.read_text().rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) * 1000 / os.sysconf("SC_CLK_TCK")


def _now() -> datetime:
    from lofte.core import clock

    return clock.now()


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _told(done: int, total: int) -> None:
    if sys.stderr.isatty():
        print(f"\r{done:,} of {total:,}", end="" if done < total else "\n", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main({"fill": fill, "measure": measure}[sys.argv[1]], Path(sys.argv[2]), int(sys.argv[3]), sys.argv[4])
