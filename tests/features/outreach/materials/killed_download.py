"""A process that takes in a form for a material, and one that gives the file, each killed before every write on the way.

`python killed_download.py HOME`. After each death everything is done again as a person would. Prints one line of JSON.
"""

import json
import os
import re
import signal
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

home = Path(sys.argv[1])
os.environ["LOFTE_HOME"] = str(home)
os.environ["DJANGO_SETTINGS_MODULE"] = "lofte.core.settings"

import django  # noqa: E402  # the environment had to be set first

django.setup()

from django.core.management import call_command  # noqa: E402
from django.db import connection, connections  # noqa: E402

from lofte.core import clock, codes  # noqa: E402
from lofte.core.models import Mail  # noqa: E402
from lofte.features.outreach.forms import intake, specs  # noqa: E402
from lofte.features.outreach.materials import grants, shelf  # noqa: E402
from lofte.features.outreach.materials.models import Grant  # noqa: E402

_WRITES = re.compile(r"\s*(INSERT|UPDATE|DELETE)\b", re.IGNORECASE)
PDF = b"%PDF-1.7\n" + b"a guide\n" * 50


def dies_at(number: int, act: Callable[[], object]) -> int:
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


def each_death(act: Callable[[], object], after: Callable[[], None]) -> int:
    """Kill the act before its 1st, 2nd, 3rd … write until one lives; how many died."""
    deaths = 0
    while ended := dies_at(deaths + 1, act):
        assert ended == -signal.SIGKILL, ended
        deaths += 1
        after()
    return deaths


def whole() -> None:
    """Asked for wholly or not at all: no grant without its letter, no letter without its grant, and neither twice."""
    told = (Grant.everyone.count(), Mail.everyone.filter(letter="material").count())
    assert told in ((0, 0), (1, 1)), told


def uncounted() -> None:
    row = Grant.everyone.get()
    assert (row.left, row.times) in ((2, 0), (1, 1)), (row.left, row.times)


call_command("migrate", verbosity=0)
call_command("migrate", database="keys", verbosity=0)
words = {"nb": {"title": "Guide", "summary": "Om årsavslutning", "inside": ""}}
material = shelf.draft(shelf.Plan("guide", ("NO",), words, "material", 2), "staff:1")
shelf.give_file(material, shelf.EVERY, "Guide.pdf", PDF, "staff:1")
shelf.publish(material, "staff:1")
wording = specs.words(specs.find("NO", "nb", "material"), "NO", "nb").wording
values = {"name": "Ola Nordmann", "email": "ola@example.no"}


def ask() -> None:
    intake.take("NO", "nb", "material", values, wording=wording, about=material, key="the page was shown once")


asked = each_death(ask, whole)
ask()  # and once more: the same page sent twice
whole()
row = Grant.everyone.get()
code = codes.issue(
    "material", row.person_id, market="NO", locale="nb", lasts=timedelta(days=7), single_use=False, about=row.id
)
later = row.asked_at + timedelta(days=2)


def fetch() -> bytes:
    with clock.at(later):
        return grants.hand_over(code).content


taken = each_death(fetch, uncounted)
again = fetch()
row = Grant.everyone.get()
found = {"asked": asked, "taken": taken, "file": again == PDF, "left": row.left, "times": row.times}
print(json.dumps(found))  # noqa: T201  # how it answers the test
