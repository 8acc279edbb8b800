"""A made-up person led through the clocks of the register with supposed days: a customer, then nobody's customer, then
silent. What the sweep takes on which day is what it would take from anybody.

Nothing is mailed and nobody is visited, so that it is walked where there is no mailbox too. Only this one person is swept.
"""

import math
import secrets
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from lofte.core import clock
from lofte.core.models import Person
from lofte.features.register import verbs as register
from lofte.features.register.models import Holding, Relation, Signal
from lofte.features.retention import verbs as retention
from lofte.features.retention import warnings
from lofte.kernel.problems import Problem
from lofte.probes.instruments import at_large, customer
from lofte.probes.world import World
from lofte.rules.clocks import add_period
from lofte.rules.controls._clocked import Led
from lofte.rules.model import ClockKind, Policy

_WALKED = (ClockKind.END_OF_RELATION, ClockKind.INACTIVITY)
_A_MOMENT = timedelta(hours=1)
_UNDECLARED = "probe-undeclared"


@dataclass
class _Life:
    world: World
    policy: Policy
    person_id: UUID
    market: str
    locale: str
    led: dict[str, Led] = field(default_factory=dict)
    """What was seen of each clock, by its id."""

    def last_days(self, purpose: str) -> list[datetime | None]:
        """The last days the register wrote down for what it holds for a purpose; None where no clock runs."""
        return list(self._held(purpose).values_list("due_at", flat=True))

    def count(self, purpose: str) -> int:
        return int(self._held(purpose).count())

    def _held(self, purpose: str) -> Any:
        return Holding.objects.of(self.person_id).filter(purpose=purpose).order_by("id")

    def see(self, name: str, **seen: object) -> None:
        self.led[name] = replace(self.led.get(name, Led()), **seen)  # type: ignore[arg-type]  # its own fields


def led(world: World, clock_id: str) -> Led | None:
    """What was seen of one clock; None where the policy has nothing that runs by it."""
    walked: dict[str, Led] = world.once("lifetime", lambda: _walk(world))
    return walked.get(clock_id)


def _walk(world: World) -> dict[str, Led]:
    policy = world.published.policy
    relation = customer.relation_of(policy)
    market, locale = world.editions()[0]
    at_large.erase_left_behind(world)
    person_id = register.welcome()
    at_large.note(world, person_id)
    life = _Life(world, policy, person_id, market, locale)
    try:
        _begin(life)
        for name, purpose in _lived_by(policy, relation):
            if policy.clocks[name].kind is ClockKind.END_OF_RELATION:
                _part(life, name, purpose)
            else:
                _show_interest(life, name, purpose)
                _fall_silent(life, name, purpose)
        return life.led
    finally:
        at_large.erase(world, [person_id])


def _lived_by(policy: Policy, relation: str) -> list[tuple[str, str]]:
    """The clocks that somebody in the relation lives by, the shortest first, each with a purpose of which the canary has data."""
    held = [*customer.purposes_of(policy, relation), *customer.interests_of(policy)[:1]]
    found = {str(policy.purposes[key].clock): key for key in reversed(held) if policy.purposes[key].clock}
    walked = [(name, key) for name, key in found.items() if policy.clocks[name].kind in _WALKED]
    return sorted(walked, key=lambda one: add_period(clock.now(), policy.clocks[one[0]].period or "P0D"))


def _begin(life: _Life) -> None:
    mark = secrets.token_hex(6)
    address = f"canary-{mark}@{life.world.canary_domain}"
    values = customer.sample(mark, address, f"Canary {mark.capitalize()}")
    customer.furnish(life.policy, life.person_id, values, life.market, life.locale)


def _show_interest(life: _Life, name: str, purpose: str) -> None:
    """A declared sign of interest moves the last day. One that nobody declared, an answer to a question that was never asked, and a
    link that nobody was sent must move nothing.
    """
    signals, before = life.policy.clocks[name].signals, life.last_days(purpose)
    with suppress(Problem):
        register.record_signal(life.person_id, _UNDECLARED, purpose)
    with suppress(Problem):
        register.record_signal(life.person_id, warnings.KEPT, purpose)
    with suppress(Problem):
        warnings.keep(secrets.token_urlsafe(32))
    life.see(name, forged=life.last_days(purpose) != before)
    if signals:
        register.record_signal(life.person_id, signals[0], purpose)
        life.see(name, deaf=life.last_days(purpose) == before)


def _part(life: _Life, name: str, purpose: str) -> None:
    """As long as the relation lasts nothing goes by its clock; from its end the clock runs."""
    period, held = life.policy.clocks[name].period or "P0D", life.count(purpose)
    _sweep(life, add_period(clock.now(), period) + _A_MOMENT)
    life.see(name, early=life.count(purpose) < held)
    for row in Relation.objects.of(life.person_id).filter(ended_at__isnull=True):
        register.end_relation(life.person_id, row.id)
    ended = Relation.objects.of(life.person_id).order_by("-ended_at").values_list("ended_at", flat=True).first()
    if ended is not None:
        _outlive(life, name, purpose, add_period(ended, period))


def _fall_silent(life: _Life, name: str, purpose: str) -> None:
    """From the last sign of interest the clock runs."""
    declared = life.policy.clocks[name]
    since = list(Holding.objects.of(life.person_id).filter(purpose=purpose).values_list("since", flat=True))
    if since:
        shown = Signal.objects.of(life.person_id).filter(kind__in=declared.signals).values_list("at", flat=True)
        _outlive(life, name, purpose, add_period(max([*shown, *since]), declared.period or "P0D"))


def _outlive(life: _Life, name: str, purpose: str, last: datetime) -> None:
    """Is the last day the one the policy gives, is everything there until then, and nothing after it?"""
    written, held = life.last_days(purpose), life.count(purpose)
    late = [each - last for each in written if each is not None and each - last > _A_MOMENT]
    late_days = max((math.ceil((each - _A_MOMENT) / timedelta(days=1)) for each in late), default=0)
    _sweep(life, last - _A_MOMENT)
    is_early = life.led.get(name, Led()).early or life.count(purpose) < held
    _sweep(life, last + _A_MOMENT)
    life.see(
        name,
        walked=True,
        clockless=None in written,
        late_days=late_days,
        early=is_early,
        still_there=life.count(purpose) > 0,
    )


def _sweep(life: _Life, at: datetime) -> None:
    """This one person as the sweep would find them at that moment."""
    at_large.forget(life.world, life.person_id)
    retention.sweep_one(life.person_id, at)
    if Person.objects.filter(pk=life.person_id).exists():
        at_large.note(life.world, life.person_id)
