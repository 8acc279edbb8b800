"""What was published: the shelf of versions, and the clauses a promise comes from. Reads frozen files only."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from django.conf import settings
from django.utils.safestring import SafeString, mark_safe

from lofte.features.policy import reads
from lofte.kernel.instants import from_rfc3339
from lofte.rules.catalogue import say
from lofte.rules.pages.edition import Edition
from lofte.rules.pages.prose import prose_html
from lofte.rules.published import Paragraph, Published


def shelf() -> list[dict[str, Any]]:
    """Every version, newest first, with where it stands in the log and where its pages are read."""
    in_force = reads.current_digest(settings.LOFTE_HOME)
    return [_version(manifest, in_force) for manifest in reads.history(settings.LOFTE_HOME)]


def _version(manifest: Mapping[str, Any], in_force: str | None) -> dict[str, Any]:
    digest, files = manifest["digest"], manifest["files"]
    editions = sorted({tuple(name.split("/")[:2]) for name in files if name.endswith("/policy.html")})
    is_current = digest == in_force
    pages = [
        {
            "url": f"/lofte/policy/{market.lower()}/{locale}/" + ("" if is_current else f"versions/{digest}/"),
            "locale": locale,
            "name": say(locale, "common.short_name"),
        }
        for market, locale in editions
    ]
    changes = [
        {"url": f"/lofte/changes/{market.lower()}/{locale}/", "name": say(locale, "common.short_name")}
        for market, locale in editions
        if is_current and manifest.get("previous") and f"{market}/{locale}/changes.html" in files
    ]
    return {
        "version": manifest["version"],
        "digest": digest,
        "current": is_current,
        "at": from_rfc3339(manifest["published_at"]),
        "evidence": manifest.get("evidence_index"),
        "signature": manifest.get("signature", ""),
        "pages": pages,
        "changes": changes,
    }


def clauses_of(published: Published, promise: str, locale: str, at: date) -> list[dict[str, Any]]:
    """The paragraphs a promise comes from, in the console's language; a table among them is left to the policy page."""
    market = next((key for key, declared in published.policy.markets.items() if locale in declared.locales), None)
    if market is None:
        return []
    edition = Edition(published, market, locale, at)
    found = [paragraph for paragraph in edition.paragraphs() if promise in paragraph.promises]
    return [
        {"key": paragraph.key, "html": _clause(edition, paragraph), "url": _address(edition, paragraph)}
        for paragraph in found
    ]


def _clause(edition: Edition, paragraph: Paragraph) -> SafeString:
    # prose_html cleans what it renders; the text itself was checked and signed before it was published
    return mark_safe(prose_html(paragraph.markdown, edition.values, lambda _: ""))  # noqa: S308


def _address(edition: Edition, paragraph: Paragraph) -> str:
    return f"{edition.path('policy')}#{paragraph.key}"
