"""One house of one size: `python -m bench.console_house fill|measure HOME PEOPLE NAME`; see `bench.rights_house`."""

import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

from bench import rights_house
from bench.case import Case, at_most
from bench.population import Somebody, people

ASKED = 30
BAR_MS = 100  # what feels like at once (Nielsen, Usability Engineering, 1993, ch. 5)
OURS = {"HTTP_SEC_FETCH_SITE": "same-origin", "HTTP_HOST": "localhost"}
PURPOSE = "contact"


def fill(title: str, count: int) -> Iterator[Case]:
    yield from (Case("console", each.case, each.value, each.unit) for each in rights_house.fill(title, count))


def measure(title: str, count: int) -> Iterator[Case]:
    step = max(1, count // ASKED)
    chosen = [each for number, each in enumerate(people(count)) if number % step == 0 and each.phone][:ASKED]
    client = _lead()
    for what, ask in _pages(client, chosen).items():
        ask(chosen[0])  # the first look compiles the page
        wall = [_ms(partial(ask, who)) for who in chosen]
        yield at_most("console", f"{title}: {what}", median(wall), "ms", BAR_MS)
        yield Case("console", f"{title}: {what}, slowest", round(max(wall), 1), "ms")


def _pages(client: Any, chosen: list[Somebody]) -> dict[str, Callable[[Somebody], None]]:
    from django.urls import reverse

    def seek(words: str) -> None:
        answer = client.post(reverse("console-people"), {"sought": words, "purpose": PURPOSE}, **OURS)
        _demand(answer, 200, 302)

    def see(name: str, *rest: Any) -> None:
        _demand(client.get(reverse(name, args=rest), **OURS), 200)

    return {
        "found by address": lambda who: seek(who.email),
        "found by number": lambda who: seek(who.phone),
        "found by name": lambda who: seek(who.name),
        "found by family name": lambda who: seek(who.name.split()[-1]),
        "found by organisation": lambda who: seek(who.company),
        "a person's page": lambda who: see("console-person", who.id),
        "requests": lambda _: see("console-requests"),
        "people who are alike": lambda _: see("console-alike"),
        "the board": lambda _: see("console"),
    }


def _demand(answer: Any, *expected: int) -> None:
    if answer.status_code not in expected:
        raise RuntimeError(f"the console answered {answer.status_code}")


def _lead() -> Any:
    """A browser of a lead who has shown a second factor."""
    from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
    from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
    from django.contrib.auth.models import User
    from django.test import Client

    from lofte.core import roles
    from lofte.web.console.staff import SHOWN_BY

    user = User.objects.create_user("bench", is_staff=True)
    roles.give(user, ("lead",), by=roles.OPERATOR)
    TOTP.activate(user, generate_totp_secret())
    RecoveryCodes.activate(user)
    client = Client()
    client.force_login(user)
    session = client.session
    session[SHOWN_BY] = user.pk
    session.save()
    return client


def _ms(ask: Callable[[], None]) -> float:
    began = time.perf_counter()
    ask()
    return (time.perf_counter() - began) * 1000


if __name__ == "__main__":
    cases = {"fill": fill, "measure": measure}[sys.argv[1]]
    rights_house.main(cases, Path(sys.argv[2]), int(sys.argv[3]), sys.argv[4])
