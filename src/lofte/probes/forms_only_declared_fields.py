"""Reads the forms of the live site beside their declaration, looks for others on the site's own pages, and tries to hand one a
field nobody declared.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from typing import Any

from django.db import transaction

from lofte.features.outreach.forms import intake, specs
from lofte.kernel.problems import Problem
from lofte.probes.instruments import html, pages, site_forms
from lofte.probes.instruments.canary import events
from lofte.probes.instruments.site_forms import Standing
from lofte.probes.probe import Probe
from lofte.probes.world import World
from lofte.rules.catalogue import say
from lofte.rules.controls.forms_only_declared_fields import FormSeen, FormsSeen
from lofte.rules.values import period

_MOST_PAGES = 60
_WRITTEN = frozenset(("text", "email", "tel", "number", "date", "textarea", "file", "password", "url"))
_SEARCHES = frozenset(("q", "s", "query", "search"))
_OUR_OWN = frozenset(("stamp", "wording", "website", "csrfmiddlewaretoken", "consent", "topics", "files"))
"""Ours, about nobody; files come with a form that says so."""


def _gather(world: World, parameters: Mapping[str, Any]) -> FormsSeen:
    standing = site_forms.standing(world)
    seen = [_read(world, one) for one in standing]
    wanted = parameters.get("forms", world.published.policy.forms)
    found = {form.form for form in seen}
    site = list(_site(world))
    return FormsSeen(
        forms=(*seen, *(form for _, forms in site for form in forms)),
        took_extra=tuple(_took_extra(world, standing)),
        unseen=tuple(name for name in wanted if name not in found),
        declared=(*_declared(world), *((one.spec.id, each.field) for one in standing for each in one.spec.fields)),
        site=len(site),
    )


def _declared(world: World) -> Iterator[tuple[str, str]]:
    for key, form in world.published.policy.forms.items():
        yield from ((key, one.field) for one in form.fields)


def _site(world: World) -> Iterator[tuple[str, list[FormSeen]]]:
    """The site's own pages, as far as links lead from each edition's front page, and forms there that ask people for something.

    One that is sent to a form of ours asks for what that declares.
    """
    known = {f"/{one.id}/": {each.field for each in one.fields} for one in specs.every()}
    for address in pages.walk(world, _MOST_PAGES):
        found = []
        for form in pages.fetch(world, address).page.forms:
            ours = next(
                (fields for end, fields in known.items() if "/forms/" in form.action and form.action.endswith(end)),
                None,
            )
            strays = {one.name for one in form.inputs if _asks(one)} - (
                (ours | _OUR_OWN) if ours is not None else set()
            )
            if strays:
                found.append(FormSeen("", address, tuple(sorted(strays))))
        yield address, found


def _asks(one: html.Input) -> bool:
    """Whether a person is asked to write something here; the words of a search are about no person."""
    return one.kind in _WRITTEN and one.name not in _SEARCHES


def _read(world: World, one: Standing) -> FormSeen:
    """What a form asks that the policy in force does not let its purpose use, and what it does not say beside its fields."""
    purpose = world.published.policy.purposes.get(one.spec.purpose)
    known = {each.field for each in one.spec.fields} & set(purpose.fields if purpose else ())
    asked = {each.name for each in one.form.inputs if each.kind != "hidden" and not each.name.startswith("box.")}
    ours = _OUR_OWN if one.spec.files else _OUR_OWN - {"files"}
    return FormSeen(one.spec.id, one.address, tuple(sorted(asked - known - ours)), tuple(_unsaid(world, one)))


def _unsaid(world: World, one: Standing) -> Iterator[str]:
    """Purpose, basis and period must stand with the fields (GDPR 13), in the words of the publication."""
    published, locale = world.published, one.locale
    key = one.spec.purpose
    purpose = published.policy.purposes.get(key)
    if purpose is None:
        yield "purpose"
        return
    text = one.form.text.lower()
    if pages.not_in(text, [published.word(locale, "purposes", key, "name").lower()]):
        yield "purpose"
    if pages.not_in(text, [say(locale, f"common.bases.{purpose.basis.value}").lower()]):
        yield "basis"
    kept = _kept(world, one)
    if kept and pages.not_in(text, [period(locale, kept).lower()]):
        yield "period"


def _kept(world: World, one: Standing) -> str:
    """How long what is written is kept: by the clock of its purpose, and for an event no longer than that event says."""
    if one.spec.kind == "event":
        return events.KEEP
    clock = world.published.policy.clocks.get(world.published.policy.purposes[one.spec.purpose].clock or "")
    return clock.period or "" if clock else ""


def _took_extra(world: World, standing: Iterable[Standing]) -> Iterator[str]:
    """Hand each form's own way in a field nobody declared: it must be refused by name, before anything is kept."""
    for spec, market, locale in {one.spec.id: (one.spec, one.market, one.locale) for one in standing}.values():
        values = {**{one.field: "canary" for one in spec.fields}, "email": "nobody@localhost", "shoe-size": "42"}
        wording = specs.words(spec, market, locale).wording
        try:
            with transaction.atomic():
                intake.take(market, locale, spec.id, values, wording=wording)
                transaction.set_rollback(True)
        except Problem as problem:
            if problem.code == "form.unknown-field":
                continue
        yield spec.id


PROBE = Probe("forms_only_declared_fields", every=timedelta(hours=3), gather=_gather)
