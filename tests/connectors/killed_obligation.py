"""A process that carries out an obligation and is killed on the way. Run by test_kill.py: `python killed_obligation.py HOME STEP`.

`prepare` makes the house, a person and the obligation; `finish` lets the lease run out and carries on; any other STEP
(``before-_do``, ``after-erase`` …) dies by its own SIGKILL there.
"""

import os
import signal
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

home, step = Path(sys.argv[1]), sys.argv[2]
os.environ["LOFTE_HOME"] = str(home)
os.environ["DJANGO_SETTINGS_MODULE"] = "lofte.core.settings"

import django  # noqa: E402  # the environment had to be set first

django.setup()

from django.core.management import call_command  # noqa: E402

from lofte import connectors  # noqa: E402
from lofte.connectors.sql.client import SqlSource  # noqa: E402
from lofte.core import clock, evidence, obligations, outbox  # noqa: E402
from lofte.core.models import Obligation  # noqa: E402
from lofte.evidence.log import open_log  # noqa: E402
from lofte.features.register import verbs as register  # noqa: E402

KARI = "kari.nordmann@example.no"
ABOUT = UUID(int=1)


def dying(owner: object, name: str, moment: str) -> None:
    """From now on the process ends right before, or right after, this function has done its work."""
    real: Callable[..., Any] = getattr(owner, name)

    def work(*args: Any, **named: Any) -> None:
        if moment == "after":
            real(*args, **named)
        os.kill(os.getpid(), signal.SIGKILL)

    setattr(owner, name, work)


log = open_log(home / "evidence.sqlite3", home / "keys", "localhost/lofte/log", clock.now)
evidence.set_log(log)
connectors.connect_all(home)
if step == "prepare":
    call_command("migrate", verbosity=0)
    call_command("migrate", "keys", database="keys", verbosity=0)
    person = register.welcome()
    values = [("email", KARI), ("name", "Kari Nordmann"), ("phone", "+47 900 12 345")]
    obligations.owe("erase", person, values, about=ABOUT)
elif step == "finish":
    with clock.at(clock.now() + obligations.LEASE + timedelta(minutes=1)):
        obligations.carry_out()
        outbox.drain(log)
    row = Obligation.objects.get()
    facts = [log.opened(number).fact for number in range(log.size())]
    verified = sum(b'"obligation.verified"' in each for each in facts)
    print(row.state, sum(row.counts.values()), verified, len(log.check_everything()))  # noqa: T201  # how it answers the test
else:
    moment, _, name = step.partition("-")
    if moment == "inside":  # rows are gone in the transaction, and nothing is committed yet
        dying(SqlSource, "_delete", "after")
    else:
        dying(obligations if hasattr(obligations, name) else SqlSource, name, moment)
    obligations.carry_out()
log.close()
