"""What was published: the shelf of versions, and the clauses a promise comes from. Reads frozen files only."""

import json
from html import escape
from html.parser import HTMLParser
from typing import Any

from django.conf import settings
from django.utils.safestring import SafeString, mark_safe

from lofte.kernel.canonical import sha256_hex
from lofte.kernel.instants import from_rfc3339
from lofte.rules.catalogue import say
from lofte.rules.published import Published


def shelf() -> list[dict[str, Any]]:
    """Every version, newest first, with where it stands in the log and where its pages are read."""
    folder = settings.LOFTE_HOME / "published"
    try:
        in_force = (folder / "current").read_text(encoding="ascii").strip()
    except FileNotFoundError:
        return []
    manifests = [json.loads(file.read_bytes()) for file in (folder / "publications").glob("*.json")]
    manifests.sort(key=lambda manifest: manifest["published_at"], reverse=True)
    return [_version(manifest, in_force) for manifest in manifests]


def _version(manifest: dict[str, Any], in_force: str) -> dict[str, Any]:
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


def clauses_of(published: Published, promise: str, locale: str) -> list[dict[str, Any]]:
    """The paragraphs of the frozen policy page that are bound to a promise, in the console's language."""
    market = next((key for key, declared in published.policy.markets.items() if locale in declared.locales), None)
    if market is None:
        return []
    page = _frozen(published.digest, f"{market}/{locale}/policy.html")
    finder = _Clauses(promise)
    finder.feed(page)
    return [{"locale": locale, "html": html} for html in finder.found]


def _frozen(digest: str, name: str) -> str:
    folder = settings.LOFTE_HOME / "published"
    manifest = json.loads((folder / "publications" / f"{digest}.json").read_bytes())
    named = manifest["files"].get(name)
    if named is None:
        return ""
    content: bytes = (folder / "objects" / named).read_bytes()
    return content.decode() if sha256_hex(content) == named else ""


class _Clauses(HTMLParser):
    """Collects the text of each element whose `data-promises` names the promise, as paragraphs."""

    KEPT = ("p", "ul", "ol", "li", "strong", "em")

    def __init__(self, promise: str) -> None:
        super().__init__()
        self.found: list[SafeString] = []
        self._promise = promise
        self._depth = 0
        self._parts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if self._depth:
            if tag not in _VOID:
                self._depth += 1
            if tag in self.KEPT:
                self._parts.append(f"<{tag}>")
        elif self._promise in (dict(attrs).get("data-promises") or "").split():
            self._depth, self._parts = 1, []

    def handle_endtag(self, tag: str) -> None:
        if not self._depth or tag in _VOID:
            return
        self._depth -= 1
        if tag in self.KEPT and self._depth:
            self._parts.append(f"</{tag}>")
        if not self._depth:
            # Only our own tags and escaped text were put together: nothing of the source's markup survives.
            self.found.append(mark_safe("".join(self._parts).strip()))  # noqa: S308

    def handle_data(self, data: str) -> None:
        if self._depth:
            self._parts.append(escape(data))


_VOID = {"br", "img", "hr", "input", "meta", "link", "wbr", "source", "col"}
