"""A process that calls an event off and tells everybody, killed before every write on the way: `python killed_telling.py HOME`.

Each child dies before its n-th write and leaves the rest to the next; the last lives to its end. Prints one line of JSON.
"""

import json
import os
import re
import signal
import sys
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

home = Path(sys.argv[1])
os.environ["LOFTE_HOME"] = str(home)
os.environ["DJANGO_SETTINGS_MODULE"] = "lofte.core.settings"

import django  # noqa: E402  # the environment had to be set first

django.setup()

from django.core.management import call_command  # noqa: E402
from django.db import connection, connections  # noqa: E402

from lofte.core import clock  # noqa: E402
from lofte.core.models import Mail  # noqa: E402
from lofte.features.outreach.events import planning, telling  # noqa: E402
from lofte.features.outreach.events.models import Event, Registration  # noqa: E402
from lofte.features.outreach.forms import intake, specs  # noqa: E402

PEOPLE = 12
telling._BATCH = 5
_WRITES = re.compile(r"\s*(INSERT|UPDATE|DELETE)\b", re.IGNORECASE)


def register(event, number):  # type: ignore[no-untyped-def]
    wording = specs.words(specs.find("SE", "sv", "event"), "SE", "sv").wording
    values = {"name": "Astrid Ek", "company": "Ek AB", "email": f"p{number}@example.se"}
    intake.take("SE", "sv", "event", values, wording=wording, about=event)


def dies_at(number, act):  # type: ignore[no-untyped-def]
    """The exit of a child that does the act and dies before its n-th write; 0 when there was no n-th."""
    connections.close_all()
    child = os.fork()
    if child == 0:
        left = [number]

        def counted(execute, sql, params, many, context):  # type: ignore[no-untyped-def]
            left[0] -= bool(_WRITES.match(sql))
            if left[0] == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return execute(sql, params, many, context)

        code = 3
        try:
            with connection.execute_wrapper(counted):
                act()
            code = 0
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    return -os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)


def until_done(step, act):  # type: ignore[no-untyped-def]
    """How many died. Each dies ``step`` writes later than the one before, so that work that is done whole stays done."""
    deaths = 0
    while ended := dies_at(1 + deaths * step, act):
        assert ended == -signal.SIGKILL, ended
        deaths += 1
    return deaths


call_command("migrate", verbosity=0)
call_command("migrate", "keys", database="keys", verbosity=0)
begins = datetime.now(UTC) + timedelta(days=30)
said = {"title": "Bokslutsdagen", "lead": "En förmiddag.", "text": "", "place": "Solna"}
plan = planning.Plan(
    "bokslut",
    ("SE",),
    {"sv": said},
    begins,
    begins + timedelta(hours=3),
    "Europe/Stockholm",
    PEOPLE - 2,
    "event",
    "P30D",
)
event = planning.draft(plan, "staff:1")
planning.publish(event, "staff:1")
for number in range(PEOPLE):
    register(event, number)
deaths = until_done(1, lambda: planning.call_off(event, "staff:1"))
deaths += until_done(7, lambda: telling.tell(clock.now()))
telling.tell(clock.now())
row = Event.objects.get(pk=event)
letters = Counter(Mail.everyone.filter(letter="event_called_off").values_list("person_id", flat=True))
due = {each.due_at for each in Registration.everyone.filter(event_id=event, state="registered")}
found = {
    "deaths": deaths, "people": len(letters), "most": max(letters.values()), "sequence": row.sequence, "has_news": row.has_news,
    "dues": len(due), "is_by_the_day_called_off": all(each < row.ends_at + timedelta(days=15) for each in due),
}  # fmt: skip
print(json.dumps(found))  # noqa: T201  # how it answers the test
