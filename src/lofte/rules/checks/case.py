"""The policy under examination: what was read, the day, and the controls that exist."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date

from lofte.kernel.problems import Place
from lofte.rules.model import Locale, MarketId, Policy
from lofte.rules.packs import LawPack, law_pack
from lofte.rules.source import Source
from lofte.rules.texts import Block


@dataclass(frozen=True)
class Case:
    """One policy on one day. ``controls`` are the ids of the controls there are."""

    source: Source
    policy: Policy
    at: date
    controls: Collection[str]

    def place(self, *path: str | int) -> Place:
        return self.source.tree.place(*path)

    def is_known(self, section: str, key: str) -> bool:
        """Declared, or declared so badly that it was set aside with a problem of its own."""
        return key in getattr(self.policy, section) or (section, key) in self.source.set_aside

    def pack(self, market: MarketId) -> LawPack | None:
        try:
            return law_pack(self.policy.markets[market].law)
        except KeyError:
            return None

    def editions(self) -> Iterator[tuple[MarketId, Locale]]:
        """Every market in every locale it speaks and has text for."""
        for key, market in self.policy.markets.items():
            for locale in market.locales:
                if locale in self.source.texts:
                    yield key, locale

    def blocks(self, market: MarketId, locale: Locale) -> list[Block]:
        return [block for block in self.source.texts.get(locale, ()) if block.is_for(market)]

    def word_place(self, locale: Locale, *path: str) -> Place:
        """Where a short text stands or should stand."""
        tree = self.source.words.get(locale)
        return tree.place(*path) if tree else Place(f"text/{locale}/words.yaml", 1, ".".join(path))
