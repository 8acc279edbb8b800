"""The records of processing (GDPR 30): a page a market, and files of all markets. Drawn by `rules.records` when asked for."""

import json
from collections.abc import Sequence
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from lofte.core import actions, clock, ports
from lofte.core.country import Kind
from lofte.core.gates import tools
from lofte.core.publication import current
from lofte.rules.catalogue import say
from lofte.rules.model import MarketId
from lofte.rules.published import Published
from lofte.rules.records import Activity, Going, Safeguard, activities, jsonld, table
from lofte.rules.values import country
from lofte.web.console.language import console_locale
from lofte.web.console.staff import actor, needs
from lofte.web.pages import authority_of


@require_safe
@needs("records.read")
def records(request: HttpRequest) -> HttpResponse:
    published, locale = current(), console_locale(request)
    markets = published.policy.markets
    market = request.GET.get("market", next(iter(markets)))
    if market not in markets:
        raise Http404
    controller = published.policy.controllers[markets[market].controller]
    tag = markets[market].locales[0]
    rows = table.rows(published, spoken(published, locale), drawn(published, market))
    return render(request, "lofte/console/records.html", {
        "spot": "records", "tab": "records", "market": market, "rows": rows, "measures": table.measures(locale),
        "markets": [(key, country(locale, each.country)) for key, each in markets.items()],
        "controller": controller, "contact": table.contact(controller), "version": published.policy.version,
        "authority": authority_of(market, tag),
    })  # fmt: skip


@require_safe
@needs("records.read")
def as_file(request: HttpRequest, form: str) -> HttpResponse:
    """The records of every market: ``csv`` in the language of the console, ``jsonld`` in all of the policy's."""
    if form not in ("csv", "jsonld"):
        raise Http404
    published = current()
    content, kind = file_of(published, form, spoken(published, console_locale(request)))
    actions.record("records.taken-out", actor(request), form=form, publication=published.digest)
    name = f"{say(console_locale(request), 'records.file')}-{published.policy.version}.{form}"
    return HttpResponse(content, content_type=kind, headers={"Content-Disposition": f'attachment; filename="{name}"'})


def file_of(published: Published, form: str, locale: str) -> tuple[bytes, str]:
    """A file of the records and its media type."""
    whole = [(market, drawn(published, market)) for market in published.policy.markets]
    if form == "csv":
        return table.as_csv(published, locale, whole), "text/csv; charset=utf-8"
    content = json.dumps(jsonld.document(published, whole), ensure_ascii=False, indent=1).encode()
    return content, "application/ld+json"


def drawn(published: Published, market: MarketId) -> Sequence[Activity]:
    """What is done in a market, with the agreements and transfer tools that hold today."""
    today = clock.now().date()
    provider: Any = ports.agreements()
    going = [
        Going(each.recipient, each.purposes, each.country, each.expires)
        for each in (provider.agreements() if provider else ())
        if each.holds(today)
    ]
    kept = [
        Safeguard(each.recipient, each.country, each.kind.value, each.reference, each.until)
        for each in tools.on_file()
        if each.holds(today) and each.kind not in (Kind.STOP, Kind.CONFIRMATION)
    ]
    return activities(published, market, going, kept)


def spoken(published: Published, locale: str) -> str:
    """The policy's words in the reader's language; where it is not one of the policy's, in its first."""
    spoken = published.policy.locales()
    return locale if locale in spoken else spoken[0]
