"""Values in a policy's text: periods, contacts, lists and names from the declarations, in a locale's words.

`inline_values` gives every value a market's text may use; `BLOCK_VALUES` are the tables that stand alone on a line and
are drawn by `rules.pages`. The tables of words are small and our own, checked against CLDR by the tests.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from lofte.kernel.problems import Problem
from lofte.rules.catalogue import room_words, say
from lofte.rules.model import Clock, Locale, MarketId, Policy
from lofte.rules.packs import law_pack, spoken, value_at

BLOCK_VALUES = (
    "table.cookies",
    "table.recipients",
    "table.purposes",
    "table.transfers",
    "balancing",
    "controllers",
)

_UNITS = {"Y": "years", "M": "months", "W": "weeks", "D": "days"}
_TIME_UNITS = {"H": "hours", "M": "minutes", "S": "seconds"}


@dataclass(frozen=True, slots=True)
class Value:
    """A value as text; ``href`` where it can be followed, ``is_verified`` false where the law pack is unsure."""

    text: str
    href: str = ""
    is_verified: bool = True


def period(locale: Locale, iso: str) -> str:
    """A period in words: ``P24M`` is "24 månader" in Swedish. ``session`` and ``persistent`` are lifetimes."""
    if iso in ("session", "persistent"):
        return say(locale, f"units.{iso}")
    days, _, time = iso.removeprefix("P").partition("T")
    parts = [(_UNITS[unit], int(n)) for n, unit in re.findall(r"(\d+)([YMWD])", days)]
    parts += [(_TIME_UNITS[unit], int(n)) for n, unit in re.findall(r"(\d+)([HMS])", time)]
    return joined(locale, [say(locale, f"units.{unit}", n=n) for unit, n in parts])


def clock_words(locale: Locale, clock: Clock) -> str:
    return period(locale, clock.period) if clock.period else say(locale, "units.at_once")


def month(locale: Locale, iso: str) -> str:
    """A month in words: ``2023-01`` is "January 2023"."""
    year, number = iso.split("-")[:2]
    return say(locale, f"units.month.m{number}", year=int(year))


def day(locale: Locale, at: date) -> str:
    """A day in words: "22 November 2026"."""
    return say(locale, f"units.date.m{at.month:02}", day=at.day, year=at.year)


def joined(locale: Locale, items: Sequence[str]) -> str:
    """A list as the language writes it: "a, b och c"."""
    if len(items) < 2:
        return "".join(items)
    key = "units.and" if len(items) == 2 else "units.and_more"
    return say(locale, key, before=", ".join(items[:-1]), last=items[-1])


def country(locale: Locale, code: str) -> str:
    """The name of a country; the code itself where the locale has none."""
    return room_words(locale, "countries").get(code, code)


def inline_values(policy: Policy, market: MarketId, locale: Locale, at: date) -> Mapping[str, Value]:
    """Every value that stands inside a sentence, by its name in double braces, for one market and locale."""
    return dict(_declared(policy, locale)) | dict(_of_market(policy, market, locale, at))


def known_names(policy: Policy, at: date) -> frozenset[str]:
    """Every value some market has: a name outside this set has no meaning anywhere."""
    names = set(BLOCK_VALUES)
    for key, market in policy.markets.items():
        for locale in market.locales:
            names |= inline_values(policy, key, locale, at).keys()
    return frozenset(names)


def _declared(policy: Policy, locale: Locale) -> Iterator[tuple[str, Value]]:
    yield "organisation.name", Value(policy.organisation.name)
    yield "last_updated", Value(month(locale, policy.last_updated))
    offices = [f"{office.city} ({country(locale, office.country)})" for office in policy.organisation.offices]
    yield "offices", Value(joined(locale, offices))
    sites = dict.fromkeys(f"{market.domains[0]}{market.path.rstrip('/')}" for market in policy.markets.values())
    yield "sites", Value(joined(locale, list(sites)))
    for key, clock in policy.clocks.items():
        yield f"clock.{key}", Value(clock_words(locale, clock))
    for key, recipient in policy.recipients.items():
        yield f"recipient.{key}.name", Value(recipient.name)
        yield f"recipient.{key}.country", Value(country(locale, recipient.country))
        for part, url in (("privacy_url", recipient.privacy_url), ("optout_url", recipient.optout_url)):
            if url:
                yield f"recipient.{key}.{part}", Value(url, url)
    for key, system in policy.systems.items():
        yield f"system.{key}.name", Value(system.name)
    for key, tag in policy.tags.items():
        yield f"tag.{key}.name", Value(tag.name)
    for key, cookie in policy.cookies.items():
        yield f"cookie.{key}.name", Value(cookie.name)
        if cookie.lifetime:
            yield f"cookie.{key}.lifetime", Value(period(locale, cookie.lifetime))


def _of_market(policy: Policy, key: MarketId, locale: Locale, at: date) -> Iterator[tuple[str, Value]]:
    market = policy.markets[key]
    controller = policy.controllers.get(market.controller)
    if controller is not None:
        yield "controller.name", Value(controller.name)
        yield "controller.email", Value(controller.email, f"mailto:{controller.email}")
        yield "controller.phone", Value(controller.phone, phone_href(controller.phone))
        yield "controller.post", Value(", ".join(controller.post))
    yield "market.country", Value(country(locale, market.country))
    try:
        pack = law_pack(market.law)
    except KeyError:
        return
    for topic, rows in pack.topics.items():
        if topic.partition(".")[0] in ("authority", "storage_authority", "marketing_authority") and rows:
            yield from _law_text(market.law, topic, locale, at)
    with_deadline = _in_force(market.law, "rights_deadline", at)
    if with_deadline is not None:
        yield "rights.deadline", Value(period(locale, with_deadline.value["add"]))


def _law_text(law: str, topic: str, locale: Locale, at: date) -> Iterator[tuple[str, Value]]:
    found = _in_force(law, topic, at)
    if found is not None:
        text = spoken(found.value, locale)
        yield topic, Value(text, _href(topic.rpartition(".")[2], text), found.is_verified)


def _in_force(law: str, topic: str, at: date) -> Any:
    try:
        return value_at(law_pack(law), topic, at)
    except (Problem, KeyError):
        return None  # `check` reports an expired value by itself


def phone_href(phone: str) -> str:
    return "tel:" + re.sub(r"[^\d+]", "", phone)


def _href(part: str, text: str) -> str:
    match part:
        case "web":
            return text
        case "email":
            return f"mailto:{text}"
        case "phone":
            return phone_href(text)
        case _:
            return ""
