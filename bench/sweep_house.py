"""One house that is swept: `python -m bench.sweep_house measure HOME PEOPLE NAME [GOING]`, after `rights_house fill`, in a process
of its own, so that the memory of filling it is not counted. Prints a case a line, as JSON.
"""

import json
import resource
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime, timedelta
from pathlib import Path

from bench.case import Case, at_least, at_most

MOST_GOING = 20_000
BAR_PLANNED_S, BAR_ERASED, BAR_MEMORY_MB = 10, 1_000, 256
ORIGIN = "http://localhost:8000"


def main(home: Path, count: int, name: str, going: int) -> None:
    from lofte.cli import wiring

    wiring.enter(home)
    house = wiring.open_house(home, ORIGIN)
    try:
        for case in measure(f"{name}, {count:,} people", count, going):
            print(json.dumps(asdict(case)), flush=True)
    finally:
        house.close()


def measure(title: str, count: int, going: int) -> Iterator[Case]:
    yield from planned(title, count)
    yield from swept(title, going)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    yield at_most("sweep", f"{title}: peak memory", peak, "MB", BAR_MEMORY_MB)


def planned(title: str, count: int) -> Iterator[Case]:
    """By deadlines as they are written: of everybody, as after a mistake in the policy, and of a day's few."""
    from lofte.core import clock, ports

    register, later = ports.register(), clock.now() + timedelta(days=3650)
    register.plan(clock.now())
    began = time.monotonic()
    plan = register.plan(later)
    took = time.monotonic() - began
    yield at_most("sweep", f"{title}: planned, {plan.people:,} of them due", took, "s", BAR_PLANNED_S)
    yield Case("sweep", f"{title}: of whom all goes", plan.whole, "people")
    few = instant_of(max(10, count // 1_000))
    began = time.monotonic()
    plan = register.plan(few)
    yield Case(
        "sweep", f"{title}: planned, {plan.people:,} of them due", round((time.monotonic() - began) * 1000, 1), "ms"
    )


def swept(title: str, going: int) -> Iterator[Case]:
    """A sweep such as the duty makes, without the brake, which would ask two people first."""
    from lofte.core import clock, evidence
    from lofte.features.retention import loop
    from lofte.features.rights import together
    from lofte.features.rights.models import Erasure

    at, before = instant_of(going), evidence.log().size()
    began, work = time.monotonic(), time.process_time()
    walked = loop.walk(at, told)
    gone, gone_cpu = time.monotonic() - began, time.process_time() - work
    together.resume(clock.now(), told, at_most=None)
    if left := Erasure.objects.exclude(state="done").count():
        raise RuntimeError(f"{left} erasures did not come to an end")
    whole, cpu = time.monotonic() - began, time.process_time() - work
    proofs = evidence.log().size() - before
    if Erasure.objects.count() != walked.erased or proofs < walked.erased:
        raise RuntimeError(f"{walked.erased} people went, and there are {proofs} proofs")
    yield Case("sweep", f"{title}: swept", walked.people, "people")
    yield Case("sweep", f"{title}: of whom all went", walked.erased, "people")
    yield Case("sweep", f"{title}: keys and rows gone", round(walked.erased / gone), "people/s")
    yield Case("sweep", f"{title}: keys and rows gone, CPU each", round(gone_cpu / walked.people * 1e6), "us")
    yield Case("sweep", f"{title}: searched and proved", round(walked.erased / (whole - gone)), "people/s")
    yield Case(
        "sweep", f"{title}: searched and proved, CPU each", round((cpu - gone_cpu) / max(1, walked.erased) * 1e6), "us"
    )
    yield at_least("sweep", f"{title}: erased, from deadline to proof", walked.erased / whole, "people/s", BAR_ERASED)


def instant_of(going: int) -> datetime:
    """When about so many people have something that is due: the first by their deadlines."""
    from django.db.models import Min

    from lofte.features.register.models import Holding

    due = Holding.everyone.filter(due_at__isnull=False)
    firsts = due.values("person_id").annotate(first=Min("due_at")).order_by("first")
    found = list(firsts.values_list("first", flat=True)[going - 1 : going]) or [firsts.last()["first"]]
    return found[0]


def told(done: int, total: int) -> None:
    if sys.stderr.isatty():
        print(f"\r{done:,} of {total:,}", end="" if done < total else "\n", file=sys.stderr, flush=True)


if __name__ == "__main__":
    people = int(sys.argv[3])
    asked = int(sys.argv[5]) if len(sys.argv) > 5 else min(MOST_GOING, people // 2)
    main(Path(sys.argv[2]), people, sys.argv[4], asked)
