"""Processes that do something with a request and are killed at every write on the way. Run by test_kill_requests.py:
`python killed_request.py HOME`.

For each act: a fresh request, a child process that dies by its own SIGKILL before the 1st, 2nd, 3rd … statement that writes, until
one lives to its end. After each death nothing at all may have changed, or everything; then the act is done again, and what it
leaves is compared with the same act never disturbed. Prints one line of JSON: act -> how many deaths, or what was wrong.
"""

import itertools
import json
import os
import re
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

home = Path(sys.argv[1])
os.environ["LOFTE_HOME"] = str(home)
os.environ["DJANGO_SETTINGS_MODULE"] = "lofte.core.settings"

import django  # noqa: E402  # the environment had to be set first

django.setup()

from django.contrib.auth.models import User  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connection, connections  # noqa: E402

from lofte.core import approvals, clock, outbox, ports, roles  # noqa: E402
from lofte.core.models import Approval, Mail, Obligation, Outbox  # noqa: E402
from lofte.evidence.log import open_log  # noqa: E402
from lofte.features.consent import verbs as consent  # noqa: E402
from lofte.features.register import verbs as register  # noqa: E402
from lofte.features.rights import assignment, behalf, cases, requests  # noqa: E402
from lofte.features.rights.models import Request, Restriction, Step  # noqa: E402
from lofte.kernel.problems import Problem  # noqa: E402

STAFF = "staff:1"
_WRITES = re.compile(r"\s*(INSERT|UPDATE|DELETE)\b", re.IGNORECASE)
_numbers = itertools.count()
Act = Callable[[UUID, UUID], object]


def correct(made: UUID, person: UUID) -> None:
    holding = next(each for each in ports.register().held(person) if each.field == "name")
    behalf.correct(made, holding.id, "Kari Berg", STAFF)


def receive(right: str, person: UUID | None) -> UUID:
    here = {"channel": "mail", "market": "NO", "locale": "nb", "at": clock.now(), "words": "Alt om meg"}
    return requests.receive(person, right, by=STAFF, contact="" if person else "stranger@example.no", **here)  # type: ignore[arg-type]


ACTS: dict[str, tuple[str, Act]] = {
    "receive": ("access", lambda made, person: receive("erasure", person)),
    "identify": ("stranger", lambda made, person: requests.identify(made, person, STAFF, "call_back")),
    "ask_identity": ("stranger", lambda made, person: requests.ask_identity(made, person, STAFF)),
    "clarify": ("access", lambda made, person: requests.ask_clarification(made, "Hvilket år?", STAFF)),
    "extend": ("access", lambda made, person: requests.extend(made, "complex", STAFF, "Mye.")),
    "refuse": ("access", lambda made, person: requests.refuse(made, "excessive", "Igjen.", STAFF)),
    "assign": ("access", lambda made, person: assignment.assign(made, STAFF, STAFF)),
    "hand_over": ("access", lambda made, person: behalf.hand_over(made, STAFF)),
    "correct": ("rectification", correct),
    "restrict": ("restriction", lambda made, person: behalf.restrict(made, STAFF)),
    "stop": ("withdrawal", lambda made, person: behalf.stop(made, "newsletter", STAFF)),
    "erase": ("erasure", lambda made, person: behalf.ask_to_erase(made, STAFF)),
    "reply": ("question", lambda made, person: requests.reply(made, "Nei.", STAFF, closes=True)),
    "complete": ("done", lambda made, person: requests.complete(made, STAFF)),
}


def begin(right: str) -> tuple[UUID, UUID]:
    """Somebody, and a request of theirs that the act can follow."""
    person = register.welcome()
    register.hold(
        person,
        {"email": f"{next(_numbers)}@example.no", "name": "Kari Nordmann"},
        "newsletter",
        source="import",
        market="NO",
        locale="nb",
    )
    consent.grant(person, "newsletter", market="NO", locale="nb", shown="form.newsletter", method="portal")
    made = receive("access" if right in ("stranger", "done") else right, None if right == "stranger" else person)
    if right not in ("stranger", "question"):
        requests.identify(made, person, STAFF, "call_back")
    if right == "done":
        requests.acted(made, STAFF, None, reason="handed_over")
    return made, person


def traces(made: UUID, person: UUID) -> dict[str, object]:
    row = Request.objects.get(pk=made)
    mine = list(Request.objects.filter(subject=person).values_list("id", flat=True))
    held = {each.field: each.value for each in register_values(person)}
    return {
        "state": row.state, "outcome": row.outcome, "is_theirs": row.subject == person, "requests": len(mine),
        "extended": row.extended_at is not None, "assignee": row.assignee, "closed": row.closed_at is not None,
        "steps": sorted(Step.objects.filter(request=made).values_list("kind", flat=True)),
        "words": len(cases.words_of(requests.one(made))),
        "mail": sorted(Mail.objects.of(person).values_list("letter", "state")),
        "told": sorted(Outbox.objects.filter(about__in=[made, *mine]).values_list("kind", flat=True)),
        "facts": Outbox.objects.filter(person_id=person).count(),
        "restrictions": Restriction.objects.of(person).count(), "owed": Obligation.objects.filter(subject=person).count(),
        "approvals": Approval.objects.filter(about=made).count(), "name": held.get("name"),
        "consent": ports.consents().is_granted(person, "newsletter"),
    }  # fmt: skip


def register_values(person: UUID) -> list[object]:
    held = ports.register().read(person, "rights", ("name", "email"), by="rights")
    return [type("Held", (), {"field": key, "value": value}) for key, value in held.items()]


def dies_at(number: int, act: Act, made: UUID, person: UUID) -> int:
    """The exit of a child that does the act and dies before its n-th write; 0 when there was no n-th."""
    connections.close_all()
    child = os.fork()
    if child == 0:
        left = [number]

        def counted(execute, sql, params, many, context):  # type: ignore[no-untyped-def]
            if _WRITES.match(sql):
                left[0] -= 1
                if left[0] == 0:
                    os.kill(os.getpid(), signal.SIGKILL)
            return execute(sql, params, many, context)

        code = 3
        try:
            with connection.execute_wrapper(counted):
                act(made, person)
            code = 0
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    return -os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)


def tried(name: str, right: str, act: Act) -> str:
    undisturbed = begin(right)
    act(*undisturbed)
    whole = traces(*undisturbed)
    number = 0
    while True:
        number += 1
        made, person = begin(right)
        before = traces(made, person)
        ended = dies_at(number, act, made, person)
        after = traces(made, person)
        if ended == 0:
            return f"{number - 1} deaths" if after == whole else f"undisturbed: {after} is not {whole}"
        if ended != -signal.SIGKILL:
            return f"write {number}: the child ended with {ended}"
        if after not in (before, whole):
            return f"write {number}: half done: {after}"
        if after == before:
            try:
                act(made, person)
            except Problem as problem:
                return f"write {number}: could not be done again: {problem.code}"
        if traces(made, person) != whole:
            return f"write {number}: doubled: {traces(made, person)} is not {whole}"


call_command("migrate", verbosity=0)
call_command("migrate", "keys", database="keys", verbosity=0)
roles.give(User.objects.create(pk=1, username="lead-1"), ["lead"], by=roles.OPERATOR)
results = {name: tried(name, right, act) for name, (right, act) in ACTS.items()}
# The log comes last: it has threads, and what has threads must not fork.
log = open_log(home / "evidence.sqlite3", home / "keys", "localhost/lofte/log", clock.now)
outbox.drain(log)
results["log"] = f"{Outbox.objects.filter(index__isnull=True).count()} left, {len(log.check_everything())} faults"
results["approvals"] = str(len(approvals.waiting()) > 0)
log.close()
print(json.dumps(results))  # noqa: T201  # how it answers the test
