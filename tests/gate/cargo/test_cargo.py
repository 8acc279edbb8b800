"""What reaches third parties, and what is kept, in every state a visitor can be in; the same in two engines and both modes.

The bare site comes first: what is never seen there would prove nothing when it is not seen behind the gate.
"""

from collections.abc import Set
from typing import Any

import pytest

pytestmark = [pytest.mark.browser]

KEPT = """(async () => ({
    local: Object.keys(localStorage), session: Object.keys(sessionStorage),
    databases: (await indexedDB.databases()).map((one) => one.name),
    caches: self.caches ? await caches.keys() : [], window: name.split(' ').filter(Boolean),
    buckets: navigator.storageBuckets ? await navigator.storageBuckets.keys() : [],
    files: navigator.storage && navigator.storage.getDirectory ? await (async () => {
        const names = []; for await (const name of (await navigator.storage.getDirectory()).keys()) names.push(name); return names
    })().catch(() => []) : [],
}))()"""


# Never let in, whoever is allowed: plugins and frames made of data, addresses a page leaves by; and what asked before its release.
NEVER = {
    "data-frame",
    "embed",
    "embed-js",
    "object",
    "object-js",
    "meta-refresh",
    "ping",
    "preload-srcset",
    "websocket",
}
# A service worker is fetched once and stays; in soft mode workers made of page text wait until everything is allowed; what is to be
# fetched ahead or told of is so when the browser finds time.
AT_TIMES = {
    "service-worker-fetch",
    "service-worker-import",
    "worker-blob",
    "worker-import",
    "connection",
    "webrtc",
    "icon",
    "header-speculation",
    "header-policy",
    "fetch-later",
}
# What Firefox does not let in although it may, and why; nothing here is a leak.
LESS = {
    "prefetch": "a prefetch is bound by default-src alone, which names no third party",
    "prefetch-js": "the same",
    "header-prefetch": "the same",
    "track": "a text track put into a video without a source is not asked for later",
    "style-js": "a style sheet of the same text that was refused once is remembered as empty",
    "own-css-import": "the same",
    "srcdoc": "a reload keeps the policy such a frame was made under; the next visit has the new one",
    "frame-srcdoc-js": "the same",
    "shared-worker-fetch": "a shared worker that runs keeps the policy it began with",
    "shared-worker-import": "the same",
}
# Soft mode cannot hold what page code writes into style sheets for hosts that are declared; strict mode does.
SOFT = {"style-attribute", "style-js", "style-sheet", "connection"}
# Nor what a style sheet of the site's own leads to.
SOFT |= {"own-css-import", "own-css-url"}
# In soft mode an answer's headers may be everybody's: none of them ever names a third party.
HEADERS = {
    "header-preload", "header-prefetch", "header-stylesheet", "header-report", "header-speculation", "header-policy",
    "refresh-header",
}  # fmt: skip
# Workers made of page text keep what they like once third parties are allowed, and no page sees a cookie of another folder.
OUT_OF_REACH = ("-worker", "-cookie-path", "-window-name")
# On their origins, where nobody else reaches; whoever is asked may leave one.
THEIRS = {f"{party}.localhost:theirs" for party in ("count", "ads", "other")}
# The name of a window is the page's own while it is there; it must not go with the window to the next.
NAMED = {f"window:cargo-{party}-window-name" for party in ("count", "ads", "other")}


class Visit:
    """One visitor at one site; ``asked`` and ``kept`` are what it did since the last look, and what it holds now."""

    def __init__(self, cargo: Any, browser: Any, site: str = "", **kind: bool) -> None:
        self.cargo, self.site, self.kind = cargo, site or cargo.origin, kind
        self.visitor = browser.visitor(**kind)

    def __enter__(self) -> "Visit":
        return self

    def __exit__(self, *_: object) -> None:
        self.visitor.leave()

    def open(self, path: str = "/se/", wanted: Set[tuple[str, str]] = frozenset()) -> set[tuple[str, str]]:
        self.cargo.seen.clear()
        self.visitor.open(self.site + path)
        self.cargo.settle(wanted=frozenset(wanted))
        if path == "/se/" and self.kind.get("script", True):
            assert self.visitor.evaluate("document.documentElement.dataset.own") == "3", (
                "the site's own script did not run"
            )
        return set(self.cargo.seen)

    def click(self, *selectors: str, wanted: Set[tuple[str, str]] = frozenset()) -> set[tuple[str, str]]:
        self.cargo.seen.clear()
        for selector in selectors:
            self.visitor.click(selector)
        self.cargo.settle(wanted=frozenset(wanted), quiet_s=2)  # the answer comes first, then perhaps another page
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
            visit.open()
            cargo.settle(quiet_s=2)
            _bare[browser.name] = set(cargo.seen), visit.kept()
    return _bare[browser.name]


def test_the_bare_site_reaches_every_third_party_and_keeps_everything(bare: Any) -> None:
    asked, kept = bare
    for party in ("count", "ads", "other"):
        assert len({kind for name, kind in asked if name == party}) > 70
        assert len({name for name in kept if party in name}) > 15


def test_nothing_happens_before_a_choice(cargo: Any, browser: Any, bare: Any) -> None:
    with Visit(cargo, browser) as visit:
        _none(cargo, visit.open())
        _nothing_kept(cargo, visit)


def test_not_even_a_name_is_looked_up_ahead_of_a_choice(cargo: Any, browser: Any) -> None:
    """Firefox says which names it looks up. Of plain links it looks up the host, too; that is the browser's own doing."""
    if browser.name != "firefox":
        pytest.skip("Chromium looks up nothing ahead of need here, with or without a gate")
    looked_up = []
    for site in (cargo.bare, cargo.origin):
        with Visit(cargo, browser, site) as visit:
            visit.visitor.names_asked_for()
            visit.open("/se/named")
            names = visit.visitor.names_asked_for()
            looked_up.append({name.partition(".")[0] for name in names if "other" in name})

    assert looked_up[0] == {"markup", "header", "script", "anchor"}
    assert looked_up[1] <= {"anchor"}


@pytest.mark.long
def test_nothing_happens_after_a_no(cargo: Any, browser: Any) -> None:
    with Visit(cargo, browser) as visit:
        visit.open()

        _none(cargo, visit.click("#lofte-reject"))
        _none(cargo, visit.open())
        _nothing_kept(cargo, visit)


@pytest.mark.long
def test_a_yes_lets_in_exactly_what_is_declared(cargo: Any, browser: Any, bare: Any) -> None:
    with Visit(cargo, browser) as visit:
        visit.open()
        wanted = _wanted(cargo, browser, bare, "count", "ads")
        at_once = visit.click("#lofte-accept", wanted=_at_once(cargo, wanted))

        _came_at_once(cargo, at_once, wanted)
        _exactly(cargo, visit.open(wanted=wanted), wanted)
        _exactly_kept(visit.kept(), bare, "count", "ads")


@pytest.mark.long
def test_one_purpose_lets_in_exactly_its_own(cargo: Any, browser: Any, bare: Any) -> None:
    with Visit(cargo, browser) as visit:
        visit.open()
        wanted = _wanted(cargo, browser, bare, "count")
        chosen = '#lofte-banner [name="choice.statistics"]', "#lofte-save"
        at_once = visit.click(*chosen, wanted=_at_once(cargo, wanted))

        _came_at_once(cargo, at_once, wanted)
        _exactly(cargo, visit.open(wanted=wanted), wanted)
        _exactly_kept(visit.kept(), bare, "count")


@pytest.mark.long
def test_withdrawal_ends_it_and_takes_away_what_was_kept(cargo: Any, browser: Any) -> None:
    with Visit(cargo, browser) as visit:
        visit.open()
        visit.click("#lofte-accept")
        assert visit.open() != set()
        visit.open("/lofte/preferences/se/sv/?back=/se/")
        assert visit.kept() != set()

        _none(cargo, visit.click("[value=withdraw]"))
        _none(cargo, visit.open())
        _same({name for name in visit.kept() - THEIRS if not any(part in name for part in OUT_OF_REACH)}, set())


@pytest.mark.long
def test_a_yes_can_be_narrowed_to_one_purpose(cargo: Any, browser: Any, bare: Any) -> None:
    with Visit(cargo, browser) as visit:
        visit.open()
        visit.click("#lofte-accept")
        visit.open("/lofte/preferences/se/sv/?back=/se/")

        wanted = _wanted(cargo, browser, bare, "count")
        _exactly(cargo, visit.click('[name="choice.marketing"]', "[value=save]", wanted=wanted), wanted)
        _exactly(cargo, visit.open(wanted=wanted), wanted)
        _exactly_kept(visit.kept(), bare, "count")


@pytest.mark.long
def test_a_browser_that_sends_the_signal_is_told_to_nobody(cargo: Any, browser: Any) -> None:
    with Visit(cargo, browser, gpc=True) as visit:
        _none(cargo, visit.open())
        _nothing_kept(cargo, visit)


@pytest.mark.long
def test_a_browser_that_keeps_no_cookies_is_told_to_nobody_whatever_it_says(cargo: Any, browser: Any) -> None:
    with Visit(cargo, browser, cookies=False) as visit:
        _none(cargo, visit.open())
        _none(cargo, visit.click("#lofte-reject"))
        _nothing_kept(cargo, visit)
        _none(cargo, visit.open())


@pytest.mark.long
def test_without_scripts_nothing_happens_before_a_choice_or_after_a_no(cargo: Any, browser: Any) -> None:
    with Visit(cargo, browser, script=False) as visit:
        _none(cargo, visit.open())
        _none(cargo, visit.click("#lofte-reject"))
        _none(cargo, visit.open())
        _nothing_kept(cargo, visit)


@pytest.mark.long
def test_a_page_cache_in_front_hands_nobody_the_yes_of_another(cargo: Any, browser: Any) -> None:
    """In soft mode the whole answer is everybody's. In strict mode the header is each visitor's own, the page still is not."""
    cargo.cache.is_on, cargo.cache.keeps_headers = True, cargo.mode == "soft"
    try:
        with Visit(cargo, browser) as first:
            first.visitor.open(f"{first.site}/lofte/preferences/se/sv/?back=/se/x")
            first.click('[name="choice.statistics"]', '[name="choice.marketing"]', "[value=save]")
            assert first.open() != set()
        with Visit(cargo, browser) as second:
            _none(cargo, second.open())
            _nothing_kept(cargo, second)
    finally:
        cargo.cache.is_on = False
        cargo.cache.forget()


def _none(cargo: Any, asked: set[Any]) -> None:
    """Nobody was asked for anything, nor called."""
    _same(
        {(name, kind) for name, kind in asked if cargo.mode == "strict" or name == "other" or kind not in SOFT}, set()
    )


def _nothing_kept(cargo: Any, visit: Visit) -> None:
    """Nothing on the site; in soft mode those who were asked by a style sheet may have left a cookie of their own."""
    _same(visit.kept() - NAMED - (THEIRS if cargo.mode == "soft" else set()), set())
    visit.visitor.open(f"{visit.site}/plain")
    if visit.kind.get("script", True):
        assert visit.visitor.evaluate("window.name") == ""


def _wanted(cargo: Any, browser: Any, bare: Any, *parties: str) -> set[Any]:
    """What reaches these parties without a gate, and can be let in."""
    never = _never(cargo) | AT_TIMES | (LESS.keys() if browser.name == "firefox" else set())
    return {(name, kind) for name, kind in bare[0] if name in parties and kind not in never}


def _exactly(cargo: Any, asked: set[Any], wanted: set[Any]) -> None:
    """What is wanted came, what is never let in did not, and nobody else is asked."""
    parties = {name for name, _ in wanted}
    _none(cargo, {(name, kind) for name, kind in asked if name not in parties and kind != "connection"})
    _same({one for one in asked if one[1] in _never(cargo)} | (wanted & asked), wanted)


def _never(cargo: Any) -> set[str]:
    return set(NEVER) | (HEADERS if cargo.mode == "soft" else set())


def _exactly_kept(kept: set[str], bare: Any, *parties: str) -> None:
    own = {name for name in kept if not any(part in name for part in OUT_OF_REACH)} - THEIRS
    _same({name for name in own if not any(party in name for party in parties)}, set())
    assert {f"cargo-{party}-cookie" for party in parties} | {f"local:cargo-{party}-local" for party in parties} <= own
    assert own <= bare[1]


def _at_once(cargo: Any, wanted: set[Any]) -> set[Any]:
    """In strict mode the page is loaded anew. In soft mode what was written in it is let in; its scripts have had their no."""
    written = {"img", "script", "injected", "stylesheet", "write", "write-script"}
    return wanted if cargo.mode == "strict" else {(name, kind) for name, kind in wanted if kind in written}


def _came_at_once(cargo: Any, asked: set[Any], wanted: set[Any]) -> None:
    if cargo.mode == "strict":
        _exactly(cargo, asked, wanted)
    else:
        _same(_at_once(cargo, wanted) & asked, _at_once(cargo, wanted))
        parties = {name for name, _ in wanted}
        _none(cargo, {(name, kind) for name, kind in asked if name not in parties})


def _same(found: set[Any], wanted: set[Any]) -> None:
    too_much, too_little = sorted(map(str, found - wanted)), sorted(map(str, wanted - found))
    assert (too_much, too_little) == ([], []), f"too much: {too_much}\ntoo little: {too_little}"
