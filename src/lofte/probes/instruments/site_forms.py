"""Every form the product serves, as it stands on its page, beside what is declared of it. Read once a round."""

from collections.abc import Iterator
from dataclasses import dataclass

from lofte.features.outreach.forms import specs
from lofte.features.outreach.forms.specs import FormSpec
from lofte.probes.instruments import html, pages
from lofte.probes.instruments.canary import events, forms, materials
from lofte.probes.instruments.visitor import Seen
from lofte.probes.probe import Unable
from lofte.probes.world import World

NEWSLETTER = "newsletter"


@dataclass(frozen=True, slots=True)
class Standing:
    """A form on its page in one edition."""

    spec: FormSpec
    market: str
    locale: str
    address: str
    seen: Seen
    form: html.Form

    @property
    def boxes(self) -> list[html.Input]:
        """What can be ticked."""
        return [one for one in self.form.inputs if one.kind == "checkbox"]


def standing(world: World) -> tuple[Standing, ...]:
    """Forms with pages of their own, and those a canary has met on the page of an event or a material."""
    found: tuple[Standing, ...] = world.once("site-forms", lambda: (*_own_pages(world), *_met(world)))
    return found


def _own_pages(world: World) -> Iterator[Standing]:
    for spec in specs.every():
        for market, locale in world.editions():
            if market in spec.markets and spec.kind not in specs.ABOUT:
                yield from _at(world, spec, market, locale, f"/forms/{market.lower()}/{locale}/{spec.id}/")
                if spec.id == NEWSLETTER:
                    yield from _at(world, spec, market, locale, f"/news/{market.lower()}/{locale}/")


def _at(world: World, spec: FormSpec, market: str, locale: str, address: str) -> Iterator[Standing]:
    seen = pages.fetch(world, address)
    form = seen.page.form_with("email")
    if seen.status == 200 and form is not None:
        yield Standing(spec, market, locale, address, seen, form)


def _met(world: World) -> Iterator[Standing]:
    """An event or a material of a canary shows its form; nobody else's has to stand there for it."""
    try:
        events.walk(world, "event")
        materials.walk(world, "material")
    except Unable:
        return
    for opened in forms.met(world):
        canary = opened.canary
        for spec in specs.every():
            if f"/{spec.id}/" in opened.form.action and spec.kind in specs.ABOUT and canary.market in spec.markets:
                kind = "/".join(opened.seen.url.removeprefix(world.base_url).split("/")[:4])
                yield Standing(spec, canary.market, canary.locale, f"{kind}/", opened.seen, opened.form)
