"""What reaches third parties, and what is kept, in every state a visitor can be in; the same in two engines and both modes.

The bare site comes first: what is never seen there would prove nothing when it is not seen behind the gate.
"""

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


# Held whoever is allowed, and why.
NEVER: dict[str, str] = {}
NEVER_KEPT: set[str] = set()
THEIRS = {
    f"{party}.localhost:theirs" for party in ("count", "ads", "other")
}  # on their origins, where nobody else reaches


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
        if path == "/se/" and self.kind.get("script", True):
            assert self.visitor.evaluate("document.documentElement.dataset.own") == "3", (
                "the site's own script did not run"
            )
        return set(self.cargo.seen)

    def click(self, *selectors: str) -> set[tuple[str, str]]:
        self.cargo.seen.clear()
        for selector in selectors:
            self.visitor.click(selector)
        self.cargo.settle(quiet_s=2)  # the answer comes first, then perhaps another page
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


def test_the_bare_site_reaches_every_third_party_and_keeps_everything(bare: Any) -> None:
    asked, kept = bare
    for party in ("count", "ads", "other"):
        assert len({kind for name, kind in asked if name == party}) > 70
        assert len({name for name in kept if party in name}) > 15


def test_nothing_happens_before_a_choice(cargo: Any, browser: Any, bare: Any) -> None:
    with Visit(cargo, browser) as visit:
        _same(visit.open(), set())
        _same(visit.kept(), set())


def test_nothing_happens_after_a_no(cargo: Any, browser: Any) -> None:
    with Visit(cargo, browser) as visit:
        visit.open()

        _same(visit.click("#lofte-reject"), set())
        _same(visit.open(), set())
        _same(visit.kept(), set())


def test_a_yes_lets_in_exactly_what_is_declared(cargo: Any, browser: Any, bare: Any) -> None:
    with Visit(cargo, browser) as visit:
        visit.open()
        at_once = visit.click("#lofte-accept")

        _came_at_once(cargo, at_once, _asked(bare, "count", "ads"))
        _same(visit.open(), _asked(bare, "count", "ads"))
        _same(visit.kept(), _kept(bare, "count", "ads"))


def test_one_purpose_lets_in_exactly_its_own(cargo: Any, browser: Any, bare: Any) -> None:
    with Visit(cargo, browser) as visit:
        visit.open()
        at_once = visit.click('#lofte-banner [name="choice.statistics"]', "#lofte-save")

        _came_at_once(cargo, at_once, _asked(bare, "count"))
        _same(visit.open(), _asked(bare, "count"))
        _same(visit.kept(), _kept(bare, "count"))


def test_withdrawal_ends_it_and_takes_away_what_was_kept(cargo: Any, browser: Any) -> None:
    with Visit(cargo, browser) as visit:
        visit.open()
        assert visit.click("#lofte-accept")
        visit.open("/lofte/preferences/se/sv/?back=/se/")
        assert visit.kept() != set()

        _same(visit.click("[value=withdraw]"), set())
        _same(visit.open(), set())
        _same(visit.kept(), THEIRS & visit.kept())


def test_a_yes_can_be_narrowed_to_one_purpose(cargo: Any, browser: Any, bare: Any) -> None:
    with Visit(cargo, browser) as visit:
        visit.open()
        visit.click("#lofte-accept")
        visit.open("/lofte/preferences/se/sv/?back=/se/")

        _same(visit.click('[name="choice.marketing"]', "[value=save]"), _asked(bare, "count"))
        _same(visit.open(), _asked(bare, "count"))
        _same(visit.kept() - THEIRS, _kept(bare, "count") - THEIRS)


def test_a_browser_that_sends_the_signal_is_told_to_nobody(cargo: Any, browser: Any) -> None:
    with Visit(cargo, browser, gpc=True) as visit:
        _same(visit.open(), set())
        _same(visit.kept(), set())


def test_a_browser_that_keeps_no_cookies_is_told_to_nobody_whatever_it_says(cargo: Any, browser: Any) -> None:
    with Visit(cargo, browser, cookies=False) as visit:
        _same(visit.open(), set())
        _same(visit.click("#lofte-reject"), set())
        _same(visit.kept(), set())
        _same(visit.open(), set())


def test_without_scripts_nothing_happens_before_a_choice_or_after_a_no(cargo: Any, browser: Any) -> None:
    with Visit(cargo, browser, script=False) as visit:
        _same(visit.open(), set())
        _same(visit.click("#lofte-reject"), set())
        _same(visit.open(), set())
        _same(visit.kept(), set())


def test_a_page_cache_in_front_hands_nobody_the_yes_of_another(cargo: Any, browser: Any) -> None:
    with Visit(cargo, browser) as first, Visit(cargo, browser) as second:
        first.open()
        first.click("#lofte-accept")
        cargo.cache.is_on = True
        try:
            assert first.open() != set()
            _same(second.open(), set())
            _same(second.kept(), set())
        finally:
            cargo.cache.is_on = False
            cargo.cache.forget()


def _same(found: set[Any], wanted: set[Any]) -> None:
    too_much, too_little = sorted(map(str, found - wanted)), sorted(map(str, wanted - found))
    assert (too_much, too_little) == ([], []), f"too much: {too_much}\ntoo little: {too_little}"


def _came_at_once(cargo: Any, asked: set[Any], wanted: set[Any]) -> None:
    """In strict mode the page is loaded anew. In soft mode what was written in it is let in; its scripts have had their no."""
    if cargo.mode == "strict":
        _same(asked, wanted)
    else:
        assert {(name, kind) for name, kind in wanted if kind in ("img", "script", "injected", "stylesheet")} <= asked
        _same(asked - wanted, set())


def _asked(bare: Any, *parties: str) -> set[tuple[str, str]]:
    """What reaches these parties without a gate, but for what the gate never lets through."""
    return {(name, kind) for name, kind in bare[0] if name in parties and kind not in NEVER}


def _kept(bare: Any, *parties: str) -> set[str]:
    return {name for name in bare[1] if any(party in name for party in parties) and name not in NEVER_KEPT}
