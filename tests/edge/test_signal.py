"""Global Privacy Control at the edge: remembered where the law wants it, and undone only as the law lets it be."""

import pytest

from lofte.features.policy.verbs import publish
from lofte.gate.choice import decode

GPC = {"sec-gpc": "1", "sec-fetch-site": "same-origin"}
OPT_OUT = "    storage_by_market: { US: opt_out }\n"


@pytest.fixture
def colorado(world, example):
    """The example where marketing in the United States runs until somebody objects."""
    head, found, tail = example["policy.yaml"].partition("\n  marketing:\n    basis: consent\n")
    source = head + found + tail.replace("    storage: opt_in\n", f"    storage: opt_in\n{OPT_OUT}", 1)
    files = example | {"policy.yaml": source}
    promise = source.replace("markets: [SE, NO, FI, GB, US], allowed: [necessary, functional]",
                             "markets: [SE, NO, FI, GB], allowed: [necessary, functional]")  # fmt: skip
    world.digest = publish(files | {"policy.yaml": promise}, world.home, world.log, world.now).digest
    world.restart_edge()
    return world


def kept(world, headers=GPC, market="US", locale="en-US"):
    return world.ask("POST", f"/lofte/signal?market={market}&locale={locale}", headers)


def test_the_first_visit_with_the_signal_is_one_refusal_on_record_and_stays_when_the_signal_goes(colorado):
    answer = kept(colorado)

    assert answer.status == 201
    (fact,) = colorado.facts()
    assert (fact["method"], fact["gpc"], fact["choices"]) == ("gpc", True, {"statistics": False, "marketing": False})
    cookie = "; ".join(line.partition(";")[0] for line in answer.cookies())
    choice = decode(cookie, colorado.edge._signal._key)
    assert choice is not None
    assert not choice.granted
    assert "lofte_on=" in cookie


def test_a_browser_that_has_a_choice_is_not_asked_to_keep_another(colorado):
    first = kept(colorado)
    cookie = "; ".join(line.partition(";")[0] for line in first.cookies())

    assert kept(colorado, GPC | {"cookie": cookie}).status == 204
    assert len(colorado.facts()) == 1


@pytest.mark.parametrize(
    ("market", "locale", "headers"),
    [
        ("SE", "sv", GPC),  # on opt-in nothing runs without a yes
        ("US", "en-US", {"sec-fetch-site": "same-origin"}),
        ("US", "en-US", GPC | {"sec-gpc": "true"}),
    ],
)
def test_where_there_is_nothing_to_remember_nothing_is_stored(colorado, market, locale, headers):
    answer = kept(colorado, headers, market, locale)

    assert (answer.status, answer.cookies(), colorado.facts()) == (204, [], [])


@pytest.mark.parametrize(
    ("method", "market", "locale", "headers", "status"),
    [
        ("GET", "US", "en-US", GPC, 405),
        ("POST", "US", "sv", GPC, 422),
        ("POST", "US", "en-US", GPC | {"sec-fetch-site": "cross-site"}, 403),
    ],
)
def test_a_signal_that_is_none_is_refused(colorado, method, market, locale, headers, status):
    assert colorado.ask(method, f"/lofte/signal?market={market}&locale={locale}", headers).status == status
    assert colorado.facts() == []


@pytest.mark.parametrize(
    ("market", "locale", "method", "marketing"),
    [("US", "en-US", "banner", False), ("US", "en-US", "preferences", True), ("SE", "sv", "banner", True)],
)
def test_a_yes_to_everything_counts_as_the_law_of_the_market_has_it(world, market, locale, method, marketing):
    wording = world.edge.shelf.current().published.wordings[f"{market}/{locale}/{method}"]
    wish = world.wish(market, locale, token=world.token(market, locale, method), wording=wording,
                      choices={"statistics": True, "marketing": True})  # fmt: skip

    assert world.decide(wish, {"sec-gpc": "1"}).status == 201
    (fact,) = world.facts()
    assert fact["choices"] == {"statistics": True, "marketing": marketing}
    assert fact.get("after_gpc", False) is marketing


@pytest.mark.parametrize(("market", "locale"), [("SE", "sv"), ("GB", "en-GB"), ("US", "en-US")])
def test_accept_says_yes_to_the_rest_of_what_the_signal_has_answered(world, market, locale):
    """The banner does not ask such a browser about marketing, so its accept button speaks of nothing else than statistics."""
    assert world.submit(world.form(market, locale, decision="accept"), {"sec-gpc": "1"}).status == 303
    assert world.submit(world.form(market, locale, decision="accept", gpc="1")).status == 303

    for fact in world.facts():
        assert (fact["gpc"], fact["choices"]) == (True, {"statistics": True, "marketing": False})
        assert "after_gpc" not in fact


def test_without_scripts_too_the_banner_asks_only_for_the_rest(world):
    style = world.ask("GET", "/lofte/chosen.css", {"sec-gpc": "1"}).body

    assert b"#lofte-banner[data-lofte-answered],#lofte-banner [data-lofte-answered]{display:none!important}" in style
    assert b"data-lofte-answered" not in world.ask("GET", "/lofte/chosen.css", {}).body
