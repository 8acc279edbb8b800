"""A process that erases somebody and is killed on the way. Run by test_kill.py: `python killed_erasure.py HOME PERSON STEP`.

Makes the house and ten people on the first call (STEP `prepare`, prints one person's id); then erases, and dies by its own
SIGKILL right after the named step wrote what it wrote (or before it does, for `before-…`).
"""

import os
import signal
import sys
from pathlib import Path
from uuid import UUID

home, subject, step = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
os.environ["LOFTE_HOME"] = str(home)
os.environ["DJANGO_SETTINGS_MODULE"] = "lofte.core.settings"

import django  # noqa: E402  # the environment had to be set first

django.setup()

from django.core.management import call_command  # noqa: E402

from lofte.core import clock, evidence, outbox  # noqa: E402
from lofte.evidence.log import open_log  # noqa: E402
from lofte.features.consent import verbs as consent  # noqa: E402
from lofte.features.register import verbs as register  # noqa: E402
from lofte.features.rights import erasure, verbs  # noqa: E402
from lofte.features.rights.models import Erasure  # noqa: E402


def make(number: int) -> UUID:
    person = register.welcome()
    values = {"email": f"person{number}.nordmann@example.no", "name": f"Person{number} Nordmann"}
    register.hold(person, values, "newsletter", source="import", market="NO", locale="nb")
    consent.grant(person, "newsletter", market="NO", locale="nb", shown="form.newsletter", method="portal")
    return person


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


log = open_log(home / "evidence.sqlite3", home / "keys", "localhost/lofte/log", clock.now)
evidence.set_log(log)
if step == "prepare":
    call_command("migrate", verbosity=0)
    call_command("migrate", "keys", database="keys", verbosity=0)
    people = [make(number) for number in range(10)]
    outbox.drain(log)
    print(people[3])  # noqa: T201  # how it answers the test
elif step == "finish":
    verbs.resume(clock.now())
    if not Erasure.objects.exists():
        verbs.erase(UUID(subject))
    outbox.drain(log)
    order = Erasure.objects.get()
    entries = [n for n in range(log.size()) if log.opened(n).kind == "erasure"]
    print(order.state, len(entries), order.counts.get("register_holding"), len(log.check_everything()))  # noqa: T201
else:
    moment, _, name = step.partition("-")
    for state, work in list(erasure._STEPS.items()):
        if work.__name__ == name:

            def killed(order: Erasure, work=work) -> bool:  # type: ignore[no-untyped-def]
                if moment == "after":
                    work(order)
                die()
                return False

            erasure._STEPS[state] = killed
    if moment == "inside":  # between the rows of one transaction
        from lofte.core import holdings

        real = holdings.erase_rows
        holdings.erase_rows = lambda *args: (real(*args), die())  # type: ignore[assignment,func-returns-value]
    verbs.erase(UUID(subject))
log.close()
