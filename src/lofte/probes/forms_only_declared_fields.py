"""Reads the forms of the live site beside their declaration, looks for others on the site's own pages, and tries to hand one a
field nobody declared.
"""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

from lofte.features.outreach import verbs as outreach
from lofte.kernel.problems import Problem
from lofte.probes.instruments import html, pages
from lofte.probes.instruments.visitor import Seen
from lofte.probes.probe import Probe
from lofte.probes.world import World
from lofte.rules.controls.forms_only_declared_fields import FormSeen, FormsSeen
from lofte.rules.values import period

_ADDRESSES = {"newsletter": "/news/{tail}"}  # forms that the product serves; the others come with later work
_MOST_PAGES = 60
_WRITTEN = frozenset(("text", "email", "tel", "number", "date", "textarea", "file", "password", "url"))
_SEARCHES = frozenset(("q", "s", "query", "search"))
_OUR_OWN = frozenset(("stamp", "wording", "website", "csrfmiddlewaretoken", "consent", "topics"))  # ours, about nobody


def _gather(world: World, parameters: Mapping[str, Any]) -> FormsSeen:
    seen = [form for name in _ADDRESSES if name in world.published.policy.forms for form in _forms(world, name)]
    wanted = parameters.get("forms", world.published.policy.forms)
    found = {form.form for form in seen}
    site = list(_site(world))
    return FormsSeen(
        forms=(*seen, *(form for _, forms in site for form in forms)),
        took_extra=tuple(_took_extra(world, found)),
        unseen=tuple(name for name in wanted if name not in found),
        declared=tuple((key, one.field) for key, form in world.published.policy.forms.items() for one in form.fields),
        site=len(site),
    )


def _site(world: World) -> Iterator[tuple[str, list[FormSeen]]]:
    """The site's own pages, as far as links lead from each edition's front page, and forms there that ask people for something."""
    for address in pages.walk(world, _MOST_PAGES):
        seen = pages.fetch(world, address)
        asking = ({one.name for one in form.inputs if _asks(one)} for form in seen.page.forms)
        yield address, [FormSeen("", address, tuple(sorted(names))) for names in asking if names]


def _asks(one: html.Input) -> bool:
    """Whether a person is asked to write something here; the words of a search are about no person."""
    return one.kind in _WRITTEN and one.name not in _SEARCHES


def _forms(world: World, name: str) -> Iterator[FormSeen]:
    declared = world.published.policy.forms[name]
    known = {one.field for one in declared.fields}
    for market, locale in world.editions():
        if declared.markets and market not in declared.markets:
            continue
        address = _ADDRESSES[name].format(tail=f"{market.lower()}/{locale}/")
        page = pages.fetch(world, address)
        form = page.page.form_with("email")
        if page.status == 200 and form is not None:
            asked = {one.name for one in form.inputs if one.kind != "hidden"}
            strays = tuple(sorted(asked - known - _OUR_OWN))
            yield FormSeen(name, address, strays, tuple(_unsaid(world, name, locale, form, page)))


def _unsaid(world: World, name: str, locale: str, form: html.Form, page: Seen) -> Iterator[str]:
    """Purpose and period must stand with the fields (GDPR 13), in the words of the publication."""
    published = world.published
    key = published.policy.forms[name].purpose
    purpose = published.policy.purposes[key]
    if pages.not_in(form.text, [published.word(locale, "purposes", key, "name")]):
        yield "purpose"
    clock = published.policy.clocks.get(purpose.clock or "")
    if clock is not None and clock.period and pages.not_in(form.text.lower(), [period(locale, clock.period).lower()]):
        yield "period"


def _took_extra(world: World, names: set[str]) -> Iterator[str]:
    """Hand the form's own verb a field nobody declared: it must be refused by name, before anything is kept."""
    market, locale = world.editions()[0]
    for name in names:
        try:
            outreach.ask_to_subscribe(market, locale, {"email": "nobody@localhost", "shoe-size": "42"}, form=name)
        except Problem as problem:
            if problem.code == "form.unknown-field":
                continue
        yield name


PROBE = Probe("forms_only_declared_fields", every=timedelta(hours=3), gather=_gather)
