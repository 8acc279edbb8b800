"""Looks for the market's contact on every public page, in every letter to a test person of this round and on its receipt."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from lofte.probes.instruments import canary, html, pages
from lofte.probes.instruments.canary import events, inquiries, letters, materials, subscribers
from lofte.probes.instruments.visitor import Seen
from lofte.probes.probe import Probe, Unable
from lofte.probes.world import World
from lofte.rules.controls._seen import Page
from lofte.rules.controls.contact_on_every_page import ContactShown


def _gather(world: World, parameters: Mapping[str, Any]) -> ContactShown:
    def lacks(market: str, locale: str, seen: Seen) -> list[str]:
        return pages.not_in(seen.page.text, _contact(world, market))

    found = [*pages.each(world, "policy", lacks), *pages.each(world, "cookies", lacks)]
    asked = frozenset(_WALKS) & {form.kind for form in world.published.policy.forms.values()}
    try:
        walked, _ = canary.walk(world), subscribers.walk(world)
        kinds = {"page", *(kind for kind in asked if _WALKS[kind](world))}
    except Unable:
        return ContactShown(tuple(found), frozenset({"page"}), asked)
    for market, letter in letters.kept(world):
        kinds.add("mail")
        found.append(Page(f"mail: {letter.subject}", tuple(pages.not_in(letter.text, _contact(world, market)))))
    for market, markup in walked.receipt_pages:
        kinds.add("receipt")
        found.append(Page("receipt", tuple(pages.not_in(html.read(markup).text, _contact(world, market)))))
    return ContactShown(tuple(dict.fromkeys(found)), frozenset(kinds), asked)


_WALKS: Mapping[str, Callable[[World], bool]] = {
    "inquiry": lambda world: any(one.told for one in inquiries.walk(world, "inquiry", "P30D")),
    "material": lambda world: any(one.mailed for one in materials.walk(world, "material")),
    "event": lambda world: any(one.confirmed for one in events.walk(world, "event")),
}
"""Whether a test person who sent a form of this kind was written to."""


def _contact(world: World, market: str) -> list[str]:
    policy = world.published.policy
    controller = policy.controllers[policy.markets[market].controller]
    return [controller.email, controller.phone, *controller.post]


PROBE = Probe("contact_on_every_page", every=timedelta(hours=3), gather=_gather)
