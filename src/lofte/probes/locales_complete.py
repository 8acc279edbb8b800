"""Compares everything that speaks, language by language: published pages, the policy's words, the interface, the
live editions.
"""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

from lofte.evidence.publications import load_current
from lofte.probes.instruments import pages
from lofte.probes.instruments.newcomers import home_of
from lofte.probes.probe import Probe
from lofte.probes.world import World
from lofte.rules import catalogue
from lofte.rules.controls.locales_complete import Editions

_FILES = ("policy.html", "cookies.html", "banner.html", "preferences.html")


def _gather(world: World, parameters: Mapping[str, Any]) -> Editions:
    found = [*_frozen(world), *_words(world), *_interface(world), *_live(world)]
    missing = [(locale, what) for locale, what, is_there in found if not is_there]
    return Editions(tuple(world.published.policy.locales()), len(found), tuple(missing))


def _frozen(world: World) -> Iterator[tuple[str, str, bool]]:
    """Pages of the publication."""
    publication = load_current(world.home)
    for market, locale in world.editions():
        for name in _FILES:
            yield locale, f"{market} {name}", publication.has(f"{market}/{locale}/{name}")


def _words(world: World) -> Iterator[tuple[str, str, bool]]:
    """The policy's short texts and paragraphs: what one language has, all have."""
    published = world.published
    keys = {locale: set(_flat(published.words.get(locale, {}))) for locale in published.policy.locales()}
    for locale, own in keys.items():
        for key in sorted(set().union(*keys.values())):
            yield locale, f"words {key}", key in own
    paragraphs = {locale: {one.key for one in published.texts.get(locale, ())} for locale in published.policy.locales()}
    for locale, have in paragraphs.items():
        for key in sorted(set().union(*paragraphs.values())):
            yield locale, f"paragraph {key}", key in have


def _flat(words: Mapping[str, Any], before: str = "") -> Iterator[str]:
    for name, part in words.items():
        if isinstance(part, Mapping):
            yield from _flat(part, f"{before}{name}.")
        elif isinstance(part, str) and part.strip():
            yield f"{before}{name}"


def _interface(world: World) -> Iterator[tuple[str, str, bool]]:
    """Forms, mails, portal and receipts speak from the catalogue."""
    locales = world.published.policy.locales()
    rooms = {locale: catalogue.rooms(locale) for locale in locales}
    for room in sorted(set().union(*rooms.values())):
        have = {
            locale: set(catalogue.room_words(locale, room)) if room in rooms[locale] else set() for locale in locales
        }
        for locale, own in have.items():
            for key in sorted(set().union(*have.values())):
                yield locale, f"{room}.{key}", key in own


def _live(world: World) -> Iterator[tuple[str, str, bool]]:
    """The editions as they are served: each answers, in its own language."""
    for market, locale in world.editions():
        tail = f"{market.lower()}/{locale}/"
        for address in (home_of(world, market), f"/lofte/policy/{tail}", f"/news/{tail}", f"/my/{tail}"):
            seen = pages.fetch(world, address)
            yield locale, address, seen.status == 200 and _speaks(seen.page.lang, locale)


def _speaks(lang: str, locale: str) -> bool:
    """``lang`` names the locale, or its language where the locale has no region of its own (nb for Norwegian)."""
    return lang == locale or (lang.partition("-")[0] == locale and "-" not in locale)


PROBE = Probe("locales_complete", every=timedelta(hours=3), gather=_gather)
