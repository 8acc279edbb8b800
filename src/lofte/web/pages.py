"""What every page for people needs: the edition (market and locale) it belongs to, and one way to render it."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from lofte.core import clock
from lofte.core.publication import current
from lofte.kernel.problems import Problem
from lofte.rules import values
from lofte.rules.catalogue import say
from lofte.rules.model import Controller
from lofte.rules.packs import law_pack, spoken, value_at
from lofte.rules.published import Published


@dataclass(frozen=True, slots=True)
class Authority:
    """Where a person complains (GDPR 13(2)(d))."""

    name: str
    web: str


@dataclass(frozen=True, slots=True)
class Edition:
    """A market's pages in one of its locales, with the publication in force."""

    market: str
    locale: str
    published: Published

    @property
    def organisation(self) -> str:
        return self.published.policy.organisation.name

    @property
    def controller(self) -> Controller:
        policy = self.published.policy
        return policy.controllers[policy.markets[self.market].controller]

    @property
    def controller_phone_link(self) -> str:
        return values.phone_href(self.controller.phone)

    @property
    def authority(self) -> Authority | None:
        return authority_of(self.market, self.locale)

    @property
    def path(self) -> str:
        """The market's edition of the company's site."""
        return self.published.policy.markets[self.market].path

    @property
    def tail(self) -> str:
        return f"{self.market.lower()}/{self.locale}/"

    @property
    def policy_url(self) -> str:
        return f"/lofte/policy/{self.tail}"

    @property
    def cookies_url(self) -> str:
        return f"/lofte/cookies/{self.tail}"

    @property
    def portal_url(self) -> str:
        return f"/my/{self.tail}"

    @property
    def newsletter_url(self) -> str:
        return f"/news/{self.tail}"

    def say(self, key: str, **slots: object) -> str:
        return say(self.locale, key, **slots)

    def word(self, section: str, key: str, part: str | None = None) -> str:
        return self.published.word(self.locale, section, key, part)


def edition(market: str, locale: str) -> Edition:
    """The edition an address names. Raises Http404 for a market or locale the policy does not have."""
    published = current()
    declared = published.policy.markets.get(market.upper())
    if declared is None or market != market.lower() or locale not in declared.locales:
        raise Http404
    return Edition(market.upper(), locale, published)


def authority_of(market: str, locale: str) -> Authority | None:
    """The data-protection supervisor of a market; None where its law pack names none today."""
    law = current().policy.markets[market].law
    try:
        name, web = (
            spoken(value_at(law_pack(law), f"authority.{part}", clock.now().date()).value, locale)
            for part in ("name", "web")
        )
    except (KeyError, Problem):
        return None
    return Authority(name, web)


def sentence(words: str) -> str:
    """The words with a capital first letter, for where they stand alone."""
    return words[:1].upper() + words[1:]


def kept_for(here: Edition, clock_id: str | None) -> str:
    """How long, in words: the period and from when. `24 månader utan tecken på intresse`."""
    declared = here.published.policy.clocks.get(clock_id or "")
    if clock_id in ("floor", "hold", "restriction", "request"):  # what stands in the place of a clock
        return sentence(here.say(f"retention.rule.{clock_id}"))
    if clock_id is None or declared is None:
        return sentence(here.say("common.no_clock"))
    name = here.word("clocks", clock_id, "name")
    return sentence(f"{values.period(here.locale, declared.period)} {name}" if declared.period else name)


def editions_beside(
    request: HttpRequest, here: Edition, route: str, more: Sequence[str] = (), markets: Collection[str] | None = None
) -> list[dict[str, Any]]:
    """The same page in every market, for the language switch. Personal pages pass no route and get none.

    ``more`` follows market and locale in the address; ``markets`` are those that have the page, by default all.
    """
    known = [
        {
            "url": reverse(route, args=(market.lower(), locale, *more)),
            "locale": locale,
            "name": say(locale, "common.short_name"),
            "title": say(locale, "common.own_name"),
            "current": (market, locale) == (here.market, here.locale),
        }
        for market, declared in here.published.policy.markets.items()
        if markets is None or market in markets
        for locale in declared.locales
    ]
    return sorted(known, key=lambda item: str(item["name"]))


def page(
    request: HttpRequest, template: str, here: Edition, *, status: int = 200, route: str = "", **context: Any
) -> HttpResponse:
    """One rendered page of an edition. ``route`` names the address pattern whose sisters the language switch offers."""
    known = {"edition": here, "locale": here.locale, "now": clock.now()}
    if route:
        known["editions"] = editions_beside(request, here, route)
    answer = render(request, f"lofte/{template}", known | context, status=status)
    answer["Content-Language"] = here.locale
    return answer


def purpose_in_words(here: Edition, purpose: str) -> dict[str, str]:
    """What a purpose is, why, on which basis and how long: the lines that stand beside a form (GDPR 13)."""
    declared = here.published.policy.purposes[purpose]
    return {
        "id": purpose,
        "name": here.word("purposes", purpose, "name"),
        "why": here.word("purposes", purpose, "why"),
        "basis": sentence(here.say(f"common.bases.{declared.basis.value}")),
        "clock": kept_for(here, declared.clock),
    }
