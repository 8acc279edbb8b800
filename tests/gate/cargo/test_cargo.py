"""What reaches third parties, and what is kept, in every state a visitor can be in; the same in two engines and both modes.

The bare site comes first: what is never seen there would prove nothing when it is not seen behind the gate.
"""

from collections.abc import Iterator
from typing import Any

import pytest

pytestmark = [pytest.mark.browser]

KEPT = """(async () => ({
    local: Object.keys(localStorage), session: Object.keys(sessionStorage),
    databases: (await indexedDB.databases()).map((one) => one.name),
    caches: self.caches ? await caches.keys() : [],
    files: navigator.storage && navigator.storage.getDirectory ? await (async () => {
        const names = []; for await (const name of (await navigator.storage.getDirectory()).keys()) names.push(name); return names
    })().catch(() => []) : [],
}))()"""


class Visit:
    """One visitor at one site; ``asked`` and ``kept`` are what it did since the last look, and what it holds now."""

    def __init__(self, cargo: Any, browser: Any, site: str = "", **kind: bool) -> None:
        self.cargo, self.site, self.kind = cargo, site or cargo.origin, kind
        self.visitor = browser.visitor(**kind)

    def __enter__(self) -> "Visit":
        return self

    def __exit__(self, *_: object) -> None:
        self.visitor.leave()

    def open(self, path: str = "/se/") -> set[tuple[str, str]]:
        self.cargo.seen.clear()
        self.visitor.open(self.site + path)
        self.cargo.settle()
        return set(self.cargo.seen)

    def click(self, *selectors: str) -> set[tuple[str, str]]:
        self.cargo.seen.clear()
        for selector in selectors:
            self.visitor.click(selector)
        self.cargo.settle()
        return set(self.cargo.seen)

    def kept(self) -> set[str]:
        """Whatever the site may read later, our own cookies aside; cookies of third parties by their host."""
        own = {"lofte", "lofte_on"}
        cookies = {
            one["name"] if one["domain"].lstrip(".") == "site.localhost" else f"{one['domain']}:{one['name']}"
            for one in self.visitor.cookies()
        }
        if self.kind.get("script") is False or self.kind.get("cookies") is False:
            return cookies - own
        stored = self.visitor.evaluate(KEPT)
        return (cookies - own) | {f"{kind}:{name}" for kind, names in stored.items() for name in names}


_bare: dict[str, tuple[set[tuple[str, str]], set[str]]] = {}


@pytest.fixture
def bare(cargo: Any, browser: Any) -> tuple[set[tuple[str, str]], set[str]]:
    if browser.name not in _bare:
        with Visit(cargo, browser, cargo.bare) as visit:
            _bare[browser.name] = visit.open(), visit.kept()
    return _bare[browser.name]


def test_the_bare_site_reaches_every_third_party_in_more_than_forty_ways(bare: Any) -> None:
    asked, kept = bare
    for party in ("count", "ads", "other"):
        assert len({kind for name, kind in asked if name == party}) > 40
    print(sorted(k for n, k in asked if n == "count"))
    print(sorted(kept))


def test_nothing_happens_before_a_choice(cargo: Any, browser: Any, bare: Any) -> None:
    with Visit(cargo, browser) as visit:
        assert visit.open() == set()
        assert visit.kept() == set()
