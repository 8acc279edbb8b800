"""Reads every policy page for the supervisory authority of its market and the way to write to us, asks a question as a test person,
and looks at what stands unanswered.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from lofte.features.rights import cases
from lofte.probes.instruments import canary, pages
from lofte.probes.instruments.canary import inquiries
from lofte.probes.instruments.visitor import Seen
from lofte.probes.probe import Probe, Unable
from lofte.probes.world import World
from lofte.rules.controls._seen import Page
from lofte.rules.controls.contact_route import Asked, Routes


def _gather(world: World, parameters: Mapping[str, Any]) -> Routes:
    def lacks(market: str, locale: str, seen: Seen) -> list[str]:
        values = pages.values_of(world, market, locale)
        return pages.not_in(seen.page.text, [values["authority.name"].text])

    asked = _asked(world)
    today = world.now().date()
    waiting = [case for case in cases.open_now() if not case.waiting_for or cases.PERSON not in case.waiting_for]
    days_late = [(today - case.deadline.due).days for case in waiting if case.deadline.due < today]
    return Routes(
        pages=pages.each(world, "policy", lacks), ways=tuple(_ways(world)), asked=asked, open=len(waiting),
        late=len(days_late), longest_days=max(days_late, default=0), astray=_astray(world),
    )  # fmt: skip


def _astray(world: World) -> tuple[str, ...]:
    """Markets whose inquiry form did not reach their own inbox."""
    try:
        walks = inquiries.walk(world, "inquiry", "P30D")
    except Unable:
        return ()
    return tuple(one.market for one in walks if one.taken and not one.in_market)


def _asked(world: World) -> Asked | None:
    try:
        return canary.walk(world).asked
    except Unable:
        return None


def _ways(world: World) -> list[Page]:
    """Every edition has a page where anybody may ask or complain."""
    found = []
    for market, locale in world.editions():
        address = f"/my/{market.lower()}/{locale}/write/"
        seen = pages.fetch(world, address)
        form = seen.page.form_with("words")
        kinds = {one.value for one in form.inputs if one.name == "about"} if form else set()
        found.append(
            Page(
                address, tuple(sorted({"question", "complaint"} - kinds)) if seen.status == 200 else (str(seen.status),)
            )
        )
    return found


PROBE = Probe("contact_route", every=timedelta(hours=3), gather=_gather)
