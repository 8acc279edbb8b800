"""A publication as the running system sees it: the machine-readable policy, exactly as frozen into `policy.json`.

Everything that acts at run time (edge, gate, forms, portal, probes) is handed one of these and asks it;
nobody reads the policy directory once it is published.
"""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from lofte.kernel.problems import Problem
from lofte.rules.model import Locale, MarketId, Policy


class Paragraph(BaseModel):
    """One block of the text as it was written: Markdown with its values still in double braces."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: str
    promises: tuple[str, ...] = ()
    markets: tuple[MarketId, ...] = ()
    markdown: str

    def is_for(self, market: MarketId) -> bool:
        return not self.markets or market in self.markets


class Published(BaseModel):
    """One compiled policy version.

    ``words`` are the short texts per locale, nested as in words.yaml: section, then id, then part.
    ``wordings`` map what a person was shown to the SHA-256 (hex) of those exact words:
    ``SE/sv/banner``, ``SE/sv/preferences``, ``SE/sv/policy``, ``SE/sv/form.newsletter``.
    ``texts`` are the paragraphs of the policy per locale, in order.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: str
    digest: str
    published_at: str
    policy: Policy
    words: Mapping[Locale, Mapping[str, Any]]
    wordings: Mapping[str, str]
    texts: Mapping[Locale, tuple[Paragraph, ...]] = Field(default_factory=dict)

    def word(self, locale: Locale, section: str, key: str, part: str | None = None) -> str:
        """A short text, for example ``word("sv", "purposes", "news", "name")``.

        Raises Problem when the policy lacks it.
        """
        found: Any = self.words.get(locale, {}).get(section, {}).get(key)
        if part is not None and isinstance(found, Mapping):
            found = found.get(part)
        if not isinstance(found, str):
            name = ".".join(filter(None, (section, key, part)))
            raise Problem(
                "policy.missing-word",
                f"no {name} in {locale}",
                way_out="Add it to words.yaml and publish again.",
                status=500,
            )
        return found

    def wording(self, market: MarketId, locale: Locale, shown: str) -> str:
        """The hash of what was shown; ``shown`` is ``banner``, ``preferences``, ``policy`` or ``form.<id>``."""
        return self.wordings[f"{market}/{locale}/{shown}"]

    def market_of_path(self, path: str) -> MarketId | None:
        """The market whose path prefix holds this URL path; the longest prefix wins."""
        held = [
            (len(market.path), key)
            for key, market in self.policy.markets.items()
            if path == market.path or path.startswith(market.path.rstrip("/") + "/")
        ]
        return max(held)[1] if held else None
