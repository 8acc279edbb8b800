"""One edition of a publication: a market in a locale, on a day, with everything its pages ask for."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from html import escape

from lofte.rules.catalogue import say
from lofte.rules.model import Controller, Locale, Market, MarketId, Policy, Recipient
from lofte.rules.packs import law_pack
from lofte.rules.published import Paragraph, Published
from lofte.rules.values import Value, inline_values


@dataclass(frozen=True)
class Edition:
    """What a page builder is handed. ``at`` is the day the law packs are read for."""

    published: Published
    market_id: MarketId
    locale: Locale
    at: date

    @property
    def policy(self) -> Policy:
        return self.published.policy

    @property
    def market(self) -> Market:
        return self.policy.markets[self.market_id]

    @property
    def controller(self) -> Controller:
        return self.policy.controllers[self.market.controller]

    @cached_property
    def values(self) -> Mapping[str, Value]:
        return inline_values(self.policy, self.market_id, self.locale, self.at)

    @property
    def tail(self) -> str:
        """The end of this edition's addresses: ``se/sv/``."""
        return f"{self.market_id.lower()}/{self.locale}/"

    def path(self, page: str) -> str:
        return f"/lofte/{page}/{self.tail}"

    @property
    def portal(self) -> str:
        return f"/my/{self.tail}"

    def say(self, key: str, **slots: object) -> str:
        """A word of the pages, escaped."""
        return escape(say(self.locale, f"policy.{key}", **slots))

    def word(self, section: str, key: str, part: str | None = None) -> str:
        """A word of the policy, escaped."""
        return escape(self.published.word(self.locale, section, key, part))

    def paragraphs(self) -> list[Paragraph]:
        return [item for item in self.published.texts.get(self.locale, ()) if item.is_for(self.market_id)]

    def recipients(self) -> Iterator[tuple[str, Recipient]]:
        """The recipients this market's people may meet."""
        for key, recipient in self.policy.recipients.items():
            if not recipient.markets or self.market_id in recipient.markets:
                yield key, recipient

    @property
    def regime_country(self) -> str:
        return law_pack(self.market.law).country


def editions(published: Published, at: date) -> Iterator[Edition]:
    for key, market in published.policy.markets.items():
        for locale in market.locales:
            yield Edition(published, key, locale, at)
