"""A house that lives, run by the tests in processes of its own: `python house_of_copies.py HOME ACT [ARGUMENT]`. Answers in JSON.

prepare: ten people. erase N, statute N (erased but for what a statute keeps), withdraw N, restrict N, add (one more person).
busy: writes people and entries until it is killed. look: what is held. open: opens the house as the server does.
"""

import json
import os
import sys
from pathlib import Path
from typing import Any
from uuid import UUID

home, act, argument = Path(sys.argv[1]), sys.argv[2], (sys.argv[3:] or ["0"])[0]
os.environ["LOFTE_HOME"] = str(home)
os.environ.setdefault("LOFTE_ORIGIN", "http://localhost:8000")

from lofte.cli import wiring  # noqa: E402  # the environment had to be set first
from lofte.kernel.problems import Problem  # noqa: E402


def say(**found: Any) -> None:
    print(json.dumps(found))  # noqa: T201  # how it answers the test
    sys.stdout.flush()


def address(number: int) -> str:
    return f"person{number}.nordmann@example.no"


def make(number: int) -> UUID:
    person = register.welcome()
    values = {"email": address(number), "name": f"Person{number} Nordmann"}
    register.hold(person, values, "newsletter", source="import", market="NO", locale="nb")
    consent.grant(person, "newsletter", market="NO", locale="nb", shown="form.newsletter", method="portal")
    if number % 10 == 7:
        register.begin_relation(person, "customer", market="NO", locale="nb")
        register.hold(
            person, {"name": f"Person{number} Nordmann", "company": "AS"}, "accounting", source="import", market="NO",
            locale="nb",
        )  # fmt: skip
    return person


def find(number: str) -> UUID:
    found = ports.register().find("email", address(int(number)))
    assert found is not None
    return found


def opens(person: UUID) -> int:
    """How many values of the person can be read."""
    try:
        return len(ports.register().needles_of(person, "rights", by="test"))
    except Problem:
        return 0


def look() -> dict[str, Any]:
    log = house.log
    people = list(Person.objects.order_by("id").values_list("id", flat=True))
    return {
        "people": len(people), "readable": sum(opens(each) > 0 for each in people), "keys": OwnerKey.objects.count(),
        "rows": Holding.everyone.count(), "index": BlindIndex.objects.count(), "size": log.size(),
        "wrong": log.check_everything(), "erasures": Erasure.objects.filter(state="done").count(),
        "granted": ports.consents().count_granted("newsletter"), "name": log.checkpoint().splitlines()[0],
        "known": {str(n): ports.register().find("email", address(n)) is not None for n in range(10)},
        "whos": sum(b'"person"' in (log.opened(n).who or b"") for n in range(log.size())),
        "entries": Entry.everyone.count(), "restricted": sum(ports.is_restricted(each) for each in people),
        "last": json.loads(log.opened(log.size() - 1).fact) if log.size() else None,
        "kinds": [log.opened(n).kind for n in range(log.size())],
    }  # fmt: skip


try:
    wiring.enter(home)
    from lofte.core import ports
    from lofte.core.keys.models import OwnerKey
    from lofte.core.models import BlindIndex, Entry, Person
    from lofte.features.consent import verbs as consent
    from lofte.features.register import verbs as register
    from lofte.features.register.models import Holding
    from lofte.features.rights import restriction, verbs
    from lofte.features.rights.models import Erasure

    house = wiring.open_house(home, os.environ["LOFTE_ORIGIN"])
except Problem as problem:
    say(refused=problem.code, said=str(problem))
    sys.exit(1)

from lofte.core import outbox  # noqa: E402  # entered

if act == "prepare":
    for number in range(10):
        make(number)
elif act == "add":
    make(int(argument))
elif act in ("erase", "statute"):
    verbs.erase(find(argument))
elif act == "withdraw":
    consent.withdraw(find(argument), "newsletter", method="portal")
elif act == "restrict":
    restriction.restrict(find(argument), "person")
elif act == "busy":
    say(busy=True)
    for number in range(100, 100_000):
        make(number)
        if number % 3 == 0:
            verbs.erase(find(str(number)))
        outbox.drain(house.log)
outbox.drain(house.log)
say(**look())
house.close()
