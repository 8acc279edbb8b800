"""Looks up the balancing test of every purpose that rests on legitimate interest, whether readers are shown it,
and whether an objection is honoured."""

from collections.abc import Mapping
from datetime import UTC, date, timedelta
from typing import Any

from lofte.probes.instruments import canary, pages
from lofte.probes.instruments.visitor import Seen
from lofte.probes.probe import Probe, Unable
from lofte.probes.world import World
from lofte.rules.controls.legitimate_interest_balanced import Balanced, Objection
from lofte.rules.model import Basis


def _gather(world: World, parameters: Mapping[str, Any]) -> Balanced:
    published = world.published
    today = world.now().astimezone(UTC).date()
    rests = {
        key: one
        for key, one in published.policy.purposes.items()
        if one.basis is Basis.LEGITIMATE_INTEREST or key in parameters.get("purposes", ())
    }

    def lacks(market: str, locale: str, seen: Seen) -> list[str]:
        tests = [published.word(locale, "purposes", key, "balance") for key in rests]
        return [f"{len(missing)} x"] if (missing := pages.not_in(seen.page.text, tests)) else []

    reviewed = {
        key: (today - date.fromisoformat(one.balancing.reviewed)).days if one.balancing else None
        for key, one in rests.items()
    }
    return Balanced(reviewed, pages.each(world, "policy", lacks), _objection(world))


def _objection(world: World) -> Objection | None:
    try:
        return canary.walk(world).objection
    except Unable:
        return None


PROBE = Probe("legitimate_interest_balanced", every=timedelta(hours=3), gather=_gather)
