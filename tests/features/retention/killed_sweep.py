"""A house whose sweep is killed at every step, by its own SIGKILL: `python killed_sweep.py HOME [two]`, run by its test.

Each death is a child's; the next child makes more people whose time is up and sweeps on in the same house, so every death also
meets what the deaths before it left. Prints, as JSON, what is left when a last child has swept to the end.
"""

import json
import os
import signal
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

home = Path(sys.argv[1])
os.environ["LOFTE_HOME"] = str(home)

from lofte.cli import wiring  # noqa: E402  # the environment had to be set first

wiring.enter(home)

from django.db import connections  # noqa: E402

from lofte.core import clock, holdings, outbox, ports, vault  # noqa: E402
from lofte.core.models import Action, BlindIndex, Person  # noqa: E402
from lofte.core.progress import verbs as progress  # noqa: E402
from lofte.evidence import postgres_store  # noqa: E402
from lofte.features.consent import verbs as consent  # noqa: E402
from lofte.features.register import reads  # noqa: E402
from lofte.features.register import verbs as register  # noqa: E402
from lofte.features.retention import loop  # noqa: E402
from lofte.features.rights import scan, together  # noqa: E402
from lofte.features.rights.models import Erasure  # noqa: E402

START = datetime(2024, 2, 29, 12, tzinfo=UTC)
LEASE = timedelta(minutes=11)
postgres_store.LEASE_S = 5.0  # each death is waited for so long
postgres_store._HEARTBEAT_S = 1.0
loop._PEOPLE = 3
loop._IN_PART = 2
together._FEW = 0  # so that few are cleared in one reading too
together._PROVED_AT_ONCE = 2
PLACES: list[tuple[Any, str]] = [
    *((together, name) for name in ("_order", "_write", "_take", "_release")),
    *((together, name) for name in ("_clear_some", "_settle", "_prove", "_end")),
    (together._Batch, "move"), (vault, "destroy_keys"), (holdings, "erase_rows_of"), (outbox, "append_many"),
    (outbox, "drain_people"),
    (loop, "_sweep_some"), (loop, "drop"), (progress, "move"), (progress, "finish"), (scan, "steps"),
]  # fmt: skip


def make(name: str, at: datetime, *, stays: bool = False) -> UUID:
    with clock.at(at):
        person = register.welcome()
        edition = {"market": "NO", "locale": "nb"}
        if stays:  # a customer, who leaves the newsletter only
            register.begin_relation(person, "customer", **edition)
            register.hold(person, {"email": f"{name}@example.no"}, "customer", source="import", **edition)
        values = {"email": f"{name}@example.no", "name": f"{name.title()} Nordmann"}
        register.hold(person, values, "newsletter", source="import", **edition)
        consent.grant(person, "newsletter", shown="form.newsletter", method="portal", **edition)
        if stays:
            consent.withdraw(person, "newsletter", method="portal")
    return person


def in_child(work: Callable[[], None]) -> int:
    """How the child ended: the number of the signal that killed it, or 0."""
    return ended(begun(work))


def begun(work: Callable[[], None], *, has_log: bool = True) -> int:
    connections.close_all()
    sys.stdout.flush()
    if child := os.fork():
        return child
    house = wiring.open_house(home, "http://localhost:8000") if has_log else None
    work()
    if house:
        house.close()
    os._exit(0)


def ended(child: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def sweep() -> None:
    # Past the brake, which would stop a run that takes so much of so small a house.
    walked = loop.walk(clock.now())
    if walked.erased or Erasure.objects.exclude(state="done").exists():
        ports.eraser().resume(clock.now())


def dies(number: int, where: Any, name: str, moment: str) -> Callable[[], None]:
    def work() -> None:
        for each in range(4):
            make(f"due{number}x{each}", START)
        make(f"stays{number}", clock.now(), stays=True)
        real = getattr(where, name)

        def killed(*args: Any, **named: Any) -> Any:
            if moment == "after":
                answer = real(*args, **named)
                if name == "steps":
                    next(answer)
            os.kill(os.getpid(), signal.SIGKILL)

        setattr(where, name, killed)
        sweep()

    return work


def finish() -> None:
    with clock.at(datetime.now(UTC) + LEASE):
        for _ in range(5):
            sweep()
        outbox.drain()
    from lofte.core import evidence

    log = evidence.log()
    facts = [json.loads(log.opened(n).fact) for n in range(log.size()) if log.opened(n).kind == "erasure"]
    whole = [each for each in facts if each["event"] == "erasure.completed"]
    found = {
        "left": sorted(
            str(reads.value_of(each, "email", "rights", by="rights")).partition("@")[0].rstrip("0123456789")
            for each in Person.objects.values_list("id", flat=True)
        ),
        "proved": len(whole),
        "twice": len(whole) - len({each["order"] for each in whole}),
        "counted": sum(each["erased"].get("register_holding", 0) for each in whole),
        "parts": sum(each["erased"]["register_holding"] for each in facts if each["event"] == "erasure.partial"),
        "orders": sorted(set(Erasure.objects.values_list("state", flat=True))),
        "acts": Action.objects.filter(action="person.erased").count(),
        "entries": BlindIndex.objects.count(),
        "work": [each.name for each in progress.under_way()],
        "faults": len(log.check_everything()),
    }
    print(json.dumps(found), flush=True)  # noqa: T201  # how it answers the test


def main() -> None:
    for number in range(3):
        in_child(lambda number=number: make(f"living{number}", clock.now()) and None)  # type: ignore[misc]
    alive = []
    number = 0
    for where, name in PLACES:
        for moment in ("before", "after"):
            number += 1
            if in_child(dies(number, where, name, moment)) != -signal.SIGKILL:
                alive.append(f"{moment} {name}")
    print(json.dumps({"deaths": number, "alive": alive}), flush=True)  # noqa: T201
    in_child(finish)


def two_at_once() -> None:
    """Two processes sweep the same house together; one of them has no log, as beside a server."""

    def people() -> None:
        for each in range(40):
            make(f"due1x{each}", START)
        for each in range(5):
            make(f"stays{each}", clock.now(), stays=True)

    in_child(people)
    children = [begun(sweep, has_log=has_log) for has_log in (True, False)]
    failed = [ended(child) for child in children if child]
    print(json.dumps({"failed": [each for each in failed if each]}), flush=True)  # noqa: T201
    in_child(finish)


two_at_once() if sys.argv[2:] == ["two"] else main()
