"""Forms of the site, opened, read for as long as a person reads, and sent."""

import secrets
import time
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urljoin

from lofte.core import limits
from lofte.probes.instruments import html
from lofte.probes.instruments.canary import person
from lofte.probes.instruments.canary.person import Canary
from lofte.probes.instruments.visitor import Seen
from lofte.probes.world import World

READ_S = 2.3  # whoever sends a form sooner is taken for a program
_LIMITS = ("form-network",)


@dataclass(frozen=True, slots=True)
class Open:
    """A form as it stands on a page."""

    canary: Canary
    seen: Seen
    form: html.Form

    @property
    def asks(self) -> set[str]:
        return {one.name for one in self.form.inputs if one.kind != "hidden"}


def find(canary: Canary, address: str) -> Open:
    """The form on a page. Raises Problem when there is none."""
    seen = canary.visitor.get(address)
    opened = Open(canary, seen, person.demand_form(seen, "email", "the form"))
    met(canary.world).append(opened)
    return opened


def met(world: World) -> list[Open]:
    """The forms that canaries have opened in this round."""
    found: list[Open] = world.once("forms-met", list)
    return found


def read() -> None:
    """The time somebody takes to read a form."""
    time.sleep(READ_S)


def send(opened: Open, boxes: Iterable[str] = ()) -> Seen:
    """Everything filled in that is asked for, and no box ticked but these, whatever the page had ticked."""
    canary = opened.canary
    mine = {**sample(canary), **dict.fromkeys(boxes, "on")}
    untouched = {
        one.name: one.value for one in opened.form.inputs if one.name and one.kind not in ("checkbox", "radio")
    }
    values = {**untouched, **{name: value for name, value in mine.items() if name in opened.asks}}
    done = canary.visitor.post(urljoin(opened.seen.url, opened.form.action or opened.seen.url), values)
    for limit in _LIMITS:
        person.give_back(canary, limit)
    limits.give_back("form-address", canary.address)
    return done


def sample(canary: Canary) -> dict[str, str]:
    """What it would write into any form; nobody else has it."""
    mark = canary.mark
    return {
        "email": canary.address,
        "name": canary.name,
        "company": f"Canary {mark} Works",
        "phone": f"+4684{secrets.randbelow(10**6):06}",
        "dialogue": f"Canary {mark} asks whether promises are kept here.",
    }
