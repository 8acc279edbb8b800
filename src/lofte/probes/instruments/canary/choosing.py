"""Chooses what it wants to read by the link of a letter, as somebody who was never here and has no login."""

from lofte.features.outreach import topics
from lofte.probes.instruments import html
from lofte.probes.instruments.canary.person import Canary
from lofte.probes.instruments.mailbox import Letter
from lofte.probes.instruments.visitor import Seen, Visitor
from lofte.rules.controls.newsletter_only_with_consent import Chosen

_FIELD = "wanted"


def choose(canary: Canary, letter: Letter, purpose: str) -> Chosen:
    """Everything on offer is there to be chosen; looking changes nothing, less is less, and everything is everything again."""
    stranger, before = Visitor(canary.world.base_url), _wanted(canary, purpose)
    way_out = stranger.get(letter.link_with("/unsubscribe/"))
    link = next((one for one in way_out.page.links if "/preferences/" in one), "")
    if not link:
        return Chosen(canary.market)
    page = stranger.get(link)
    form, offered = page.page.form_with(_FIELD), topics.of_market(canary.market, purpose)
    if page.status != 200 or form is None or set(_choices(form)) != set(offered):
        return Chosen(canary.market, looked=_wanted(canary, purpose) == before)
    stranger.get(link)
    looked = _wanted(canary, purpose) == before
    less = offered[1:] or offered
    saved = _saves(stranger, page, form, less) and _wanted(canary, purpose) == set(less)
    saved = saved and _ticked(stranger.get(link)) == set(less)
    again = _saves(stranger, page, form, offered) and _wanted(canary, purpose) == set(offered)
    return Chosen(canary.market, shown=True, looked=looked, saved=saved and again)


def _wanted(canary: Canary, purpose: str) -> set[str]:
    return set(topics.chosen_by(canary.handle, purpose, by="probe"))


def _choices(form: html.Form) -> list[str]:
    return [one.value for one in form.inputs if one.name == _FIELD and "." not in one.value]


def _ticked(page: Seen) -> set[str]:
    form = page.page.form_with(_FIELD)
    return {one.value for one in form.inputs if one.name == _FIELD and one.checked} if form else set()


def _saves(visitor: Visitor, page: Seen, form: html.Form, wanted: tuple[str, ...]) -> bool:
    hidden = {one.name: one.value for one in form.inputs if one.kind == "hidden"}
    return visitor.post(page.url, {**hidden, _FIELD: wanted}).status == 200
