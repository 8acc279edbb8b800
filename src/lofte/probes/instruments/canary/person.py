"""A made-up person on its way, and the small steps every walk is made of."""

import secrets
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from urllib.parse import urlsplit
from uuid import UUID

from lofte.core import limits
from lofte.core.models import Mail
from lofte.features.register import reads as register
from lofte.kernel.problems import Problem
from lofte.probes.instruments import html
from lofte.probes.instruments.mailbox import Letter, Mailbox
from lofte.probes.instruments.visitor import Seen, Visitor
from lofte.probes.world import World

_QUEUE_S = 60.0  # a busy machine looks at its queue every few seconds at best; who is quick does not wait
_HERE = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass
class Canary:
    """One made-up person on the way through one market."""

    world: World
    market: str
    locale: str
    mailbox: Mailbox
    address: str
    name: str
    visitor: Visitor = field(init=False)
    person_id: UUID | None = None
    held: list[tuple[str, str]] = field(default_factory=list)
    """What the register was given of it besides what it typed itself."""
    requests: set[UUID] = field(default_factory=set)
    """The requests it left, which are nobody's work."""

    def __post_init__(self) -> None:
        self.visitor = Visitor(self.world.base_url)

    @property
    def tail(self) -> str:
        return f"{self.market.lower()}/{self.locale}/"

    @property
    def handle(self) -> UUID:
        """Who it is in the register, once it is known there."""
        if self.person_id is None:
            raise lost("unknown", "the register does not know the canary")
        return self.person_id

    @property
    def mark(self) -> str:
        """The random part of its address, which stands in everything it writes."""
        return self.address.partition("@")[0].removeprefix("canary-")

    @property
    def values(self) -> list[tuple[str, str]]:
        return list(dict.fromkeys([("email", self.address), ("name", self.name), *self.held]))


def hatch(world: World, mailbox: Mailbox, market: str = "", locale: str = "") -> Canary:
    """A new one in an edition, else in the first."""
    if not market:
        market, locale = world.editions()[0]
    mark = secrets.token_hex(6)
    return Canary(world, market, locale, mailbox, f"canary-{mark}@{world.canary_domain}", f"Canary {mark.capitalize()}")


def give_back(canary: Canary, limit: str) -> None:
    """Asked from the site's own machine, we must not use up the tries of people there, who are all of them behind a proxy."""
    if (urlsplit(canary.world.base_url).hostname or "") in _HERE:
        for address in ("127.0.0.1", "::1"):
            limits.give_back(limit, address)


def press(canary: Canary, link: str) -> Seen:
    """Open a mailed link and press the button on the page behind it."""
    page = canary.visitor.get(link)
    form = next((one for one in page.page.forms if one.method == "post"), None)
    if page.status != 200 or form is None:
        return page
    return canary.visitor.submit(page, form, {})


def demand_form(seen: Seen, name: str, what: str) -> html.Form:
    form = seen.page.form_with(name)
    if seen.status != 200 or form is None:
        raise lost("no-form", f"{what} was not found")
    return form


def demand_letter(canary: Canary, part: str) -> Letter:
    letter = canary.mailbox.wait_for(canary.address, part)
    if letter is None:
        raise Problem("probe.no-letter", "the letter the canary waits for did not come", status=504)
    return letter


def lost(code: str, detail: str) -> Problem:
    """The canary cannot go on; what it would have shown is not proved."""
    return Problem(f"probe.{code}", detail, status=502)


def settle(people: Iterable[UUID]) -> None:
    """Until nothing of theirs waits in the queue: only then does an empty mailbox mean that nothing was sent."""
    whose = list(people)
    waiting = (Mail.State.QUEUED, Mail.State.SENDING)
    if not eventually(lambda: not any(Mail.objects.of(one).filter(state__in=waiting).exists() for one in whose)):
        raise Problem("probe.mail-waits", "letters to the canary stay in the queue", status=504)


def eventually(is_so: Callable[[], bool], timeout_s: float = _QUEUE_S) -> bool:
    until = time.monotonic() + timeout_s
    while not is_so():
        if time.monotonic() > until:
            return False
        time.sleep(0.1)
    return True


def held(canary: Canary) -> list[tuple[str, str]]:
    """What the register holds, asked past the portal."""
    assert canary.person_id is not None
    return [(one.field, one.value) for one in register.open_all(canary.person_id, "security", by="probe").values()]
