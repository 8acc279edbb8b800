"""Reads every cookie list as a visitor: all declared names with their function, a date, and the words that were
signed last.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from lofte.evidence.publications import load_current
from lofte.probes.instruments import pages
from lofte.probes.instruments.visitor import Seen
from lofte.probes.probe import Probe
from lofte.probes.world import World
from lofte.rules.controls.cookie_list_current import CookieLists


def _gather(world: World, parameters: Mapping[str, Any]) -> CookieLists:
    published, undated, outdated = world.published, [], []
    frozen = load_current(world.home)

    def lacks(market: str, locale: str, seen: Seen) -> list[str]:
        address, text = pages.address_of("cookies", market, locale), seen.page.text
        if pages.not_in(text, [pages.values_of(world, market, locale)["last_updated"].text]):
            undated.append(address)
        if not pages.is_frozen(seen.body, frozen.read(f"{market}/{locale}/cookies.html")):
            outdated.append(address)
        functions = [published.word(locale, "cookies", key, "function") for key in published.policy.cookies]
        names = [cookie.name for cookie in published.policy.cookies.values()]
        return pages.not_in(text, [*names, *functions])[:5]

    found = pages.each(world, "cookies", lacks)
    return CookieLists(found, len(published.policy.cookies), tuple(undated), tuple(outdated))


PROBE = Probe("cookie_list_current", every=timedelta(hours=3), gather=_gather)
