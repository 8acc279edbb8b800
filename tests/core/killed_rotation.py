"""A process that changes the keys of the vault and is killed on the way: `killed_rotation.py HOME STEP`, run by its test.

`prepare` makes a house with people, copies its stores as a backup would, and erases one. `batch-N` dies by its own SIGKILL after
so many batches, `before-NAME` and `after-NAME` around a function of the vault. `finish` goes on. `look` opens everybody's data,
`look-at-copy` does so with the keys of the copy.
"""

import os
import shutil
import signal
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

home, step = Path(sys.argv[1]), sys.argv[2]
copy = home.parent / "copy"
if step == "look-at-copy":
    shutil.copy(copy / "keys.sqlite3", home / "keys.sqlite3")
    shutil.copy(copy / "register.sqlite3", home / "register.sqlite3")
os.environ["LOFTE_HOME"] = str(home)

from lofte.cli import wiring  # noqa: E402  # the environment had to be set first

wiring.enter(home)

from lofte.core import clock, rotation, vault  # noqa: E402
from lofte.core.models import Person  # noqa: E402
from lofte.core.progress import verbs as progress  # noqa: E402
from lofte.features.register import reads, verbs  # noqa: E402
from lofte.kernel.problems import Problem  # noqa: E402

PEOPLE = 40
vault._BATCH = 7


def prepare() -> None:
    for number in range(PEOPLE):
        person = verbs.welcome()
        values = {"email": f"person{number}@example.no"}
        verbs.hold(person, values, "customer", source="import:test", market="NO", locale="nb")
    copy.mkdir()
    for name in ("keys.sqlite3", "register.sqlite3"):
        with closing(sqlite3.connect(home / name)) as live, closing(sqlite3.connect(copy / name)) as kept:
            live.backup(kept)
    vault.destroy_key(Person.objects.order_by("id")[0].id)


def look() -> tuple[int, int]:
    """How many people's data opens, and how many do not."""
    opened = closed = 0
    for person in Person.objects.values_list("id", flat=True):
        try:
            opened += reads.value_of(person, "email", "customer", by="person") is not None
        except Problem:
            closed += 1
    return opened, closed


def die(*_: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


match step.partition("-"):
    case "prepare", *_:
        prepare()
    case "finish", *_:
        ended = rotation.rotate("operator")
        print(ended.is_whole, len(vault.epochs()), len(progress.under_way()))  # noqa: T201  # how it answers the test
    case "look", *_:
        print(*look())  # noqa: T201
    case "batch", _, number:
        rotation.rotate("operator", lambda done, total: die() if done >= int(number) * 7 else None)
    case moment, _, name:
        real = getattr(vault, name)

        def killed(*args: object, **named: object) -> object:
            if moment == "after":
                real(*args, **named)
            die()
            return None

        setattr(vault, name, killed)
        with clock.at(clock.now()):
            rotation.rotate("operator")
