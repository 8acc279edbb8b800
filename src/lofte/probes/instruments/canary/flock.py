"""One canary a market, for what every market must stand. They go together: what one waits for, all wait for at once."""

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TypeVar

from lofte.features.consent import reads as consents
from lofte.features.register import reads as register
from lofte.kernel.problems import Problem
from lofte.probes.instruments import at_large
from lofte.probes.instruments.canary import leaving, mailing, person
from lofte.probes.instruments.canary.person import Canary
from lofte.probes.instruments.mailbox import Mailbox
from lofte.probes.probe import Unable
from lofte.probes.world import World

T = TypeVar("T")
_logger = logging.getLogger("lofte.probes")


def markets(world: World) -> tuple[str, ...]:
    return tuple(world.published.policy.markets)


@contextmanager
def flock(world: World, times: int = 1) -> Iterator[list[Canary]]:
    """So many canaries in each market, each in the market's first language; gone when the walk ends, however it ends."""
    at_large.erase_left_behind(world)
    with _hatched(world, [market for market in world.published.policy.markets for _ in range(times)]) as canaries:
        yield canaries


@contextmanager
def more(world: World, times: int) -> Iterator[list[Canary]]:
    """Some more in the first market, beside a flock."""
    with _hatched(world, [world.editions()[0][0]] * times) as canaries:
        yield canaries


@contextmanager
def _hatched(world: World, where: Iterable[str]) -> Iterator[list[Canary]]:
    mailbox, declared = Mailbox(world.mailbox), world.published.policy.markets
    canaries = [person.hatch(world, mailbox, market, declared[market].locales[0]) for market in where]
    try:
        yield canaries
    finally:
        for canary in canaries:
            leaving.remove(canary)


def each(canaries: Iterable[Canary], step: Callable[[Canary], T]) -> Mapping[str, T]:
    """The step for each, by market; a market where it could not be taken is left out, and nobody says that it is proved."""
    done: dict[str, T] = {}
    for canary in canaries:
        try:
            done[canary.market] = step(canary)
        except Unable:
            raise
        except Exception as failure:
            cause = failure.code if isinstance(failure, Problem) else type(failure).__name__
            _logger.warning("a canary got lost", extra={"fields": {"market": canary.market, "cause": cause}})
    return done


def go_on(canaries: Iterable[Canary], met: Mapping[str, T], step: Callable[[Canary, T], T]) -> Mapping[str, T]:
    """What each met so far, with what it meets in the next step; a market where that could not be taken is left out."""
    going = list(canaries)
    rest = {market: one for market, one in met.items() if market not in {each.market for each in going}}
    return {**rest, **each(going, lambda one: step(one, met[one.market]))}


def recognise(canary: Canary) -> bool:
    """Whether the register knows it by now; it is noted, so that it cannot be left behind."""
    if canary.person_id is None:
        canary.person_id = register.person_of("email", canary.address)
        if canary.person_id is not None:
            at_large.note(canary.world, canary.person_id)
    return canary.person_id is not None


def is_let_be(canary: Canary) -> bool:
    """Whether nobody took what it sent for consent: none is on file, and none was asked for by mail."""
    purposes = [key for key, one in canary.world.published.policy.purposes.items() if one.basis.value == "consent"]
    is_asked = bool(mailing.waiting(leaving.hash_of(canary.address)))
    granted = canary.person_id is not None and any(consents.is_granted(canary.person_id, key) for key in purposes)
    return not is_asked and not granted
