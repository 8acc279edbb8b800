"""What tags that listen are told: run in node with a guard of three lines and with snippets like those the makers ship."""

import json
import shutil
import subprocess
from types import SimpleNamespace
from typing import Any

import pytest

from lofte.gate.signals import script
from lofte.rules.model import Policy

pytestmark = pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")

SEVEN = (
    "ad_storage", "ad_user_data", "ad_personalization", "analytics_storage", "functionality_storage", "personalization_storage",
    "security_storage",
)  # fmt: skip
PURPOSES = {
    "necessary": {"basis": "legitimate_interest", "scope": "browser", "storage": "necessary"},
    "functional": {
        "basis": "legitimate_interest", "scope": "browser", "storage": "necessary", "signals": ["functionality_storage"],
    },
    "statistics": {"basis": "consent", "scope": "browser", "storage": "opt_in"},
    "marketing": {"basis": "consent", "scope": "browser", "storage": "opt_in"},
}  # fmt: skip
TAGS = {
    "counting": {"name": "GA", "recipient": "r", "purpose": "statistics", "hosts": ["*.google-analytics.com"]},
    "gtm": {"name": "GTM", "recipient": "r", "purpose": "statistics", "hosts": ["www.googletagmanager.com"]},
    "ads": {"name": "Ads", "recipient": "r", "purpose": "marketing", "hosts": ["*.doubleclick.net"]},
    "pixel": {"name": "Pixel", "recipient": "r", "purpose": "marketing", "hosts": ["connect.facebook.net"]},
}
GTAG = "window.dataLayer=window.dataLayer||[];function gtag(){dataLayer.push(arguments)}gtag('js',new Date());"
# The shape of Meta's base code: returns when somebody else made fbq, makes the queue only after fbq, then calls it.
PIXEL = (
    "!function(f){if(f.fbq)return;var n=f.fbq=function(){n.callMethod?n.callMethod.apply(n,arguments):n.queue.push(arguments)};"
    "if(!f._fbq)f._fbq=n;n.push=n;n.loaded=!0;n.version='2.0';n.queue=[]}(window);fbq('init','1');fbq('track','PageView');"
)
GUARD = """
const told = new EventTarget(); let granted = new Set(JSON.parse(process.argv[2]));
const html = new Set(JSON.parse(process.argv[3]));
Object.assign(globalThis, {window: globalThis, lofte: {allows: p => granted.has(p)},
  document: {addEventListener: (n, f) => told.addEventListener(n, f), documentElement: {hasAttribute: n => html.has(n)}}});
globalThis.choose = names => { granted = new Set(names); html.add('data-lofte-chosen');
  told.dispatchEvent(new Event('lofte:choice')) };
globalThis.asked = []; globalThis.lofte.choose = () => asked.push('chosen');
globalThis.fetch = (u, o) => { asked.push(o.method + ' ' + u); return Promise.resolve({status: 201}) };
globalThis.list = x => Array.from(x || [], one => Array.isArray(one) || one.callee ? Array.from(one) : one);
for (const code of JSON.parse(process.argv[4])) (0, eval)(code);
setTimeout(() => console.log(JSON.stringify({asked, layer: list(globalThis.dataLayer),
  fbq: list((globalThis.fbq || {}).queue), said: globalThis.said})));
"""


def policy(market_country: str = "SE", **changes: Any) -> Policy:
    law = "US-CO" if market_country == "US" else market_country
    return Policy.model_validate(
        {
            "format": "1", "id": "s", "version": "2026-11", "last_updated": "2026-11",
            "organisation": {"name": "S", "offices": [{"city": "Solna", "country": "SE"}]},
            "controllers": {"c": {"name": "S", "country": "SE", "email": "a@b.se", "phone": "1", "post": ["x"]}},
            "markets": {"M" + market_country[1]: {
                "controller": "c", "country": market_country, "law": law, "locales": ["sv"], "domains": ["s.se"], "path": "/",
            }},
            "fields": {}, "purposes": PURPOSES, "relations": {}, "clocks": {},
            "recipients": {"r": {"name": "R", "role": "processor", "country": "SE"}},
            "systems": {}, "tags": TAGS, "cookies": {}, "forms": {}, "promises": {},
        }
        | changes
    )  # fmt: skip


def run(*page: str, granted: tuple[str, ...] = (), html: tuple[str, ...] = (), of: Policy | None = None) -> Any:
    """What `dataLayer` and `fbq` hold after the script and then the page's own code."""
    chosen = of or policy()
    made = script(SimpleNamespace(policy=chosen, market=next(iter(chosen.markets))))  # type: ignore[arg-type]  # all it reads
    allowed = ["necessary", "functional", *granted]
    done = subprocess.run(
        ["node", "-", json.dumps(allowed), json.dumps(html), json.dumps([made, *page])],
        input=GUARD, capture_output=True, text=True, timeout=20, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def consents(layer: list[Any]) -> list[Any]:
    return [one[1:] for one in layer if isinstance(one, list) and one[0] == "consent"]


def state(*granted: str) -> dict[str, str]:
    always = ("security_storage",)
    return {kind: "granted" if kind in (*granted, *always) else "denied" for kind in SEVEN}


def test_all_seven_types_are_denied_before_anything_a_page_can_say():
    layer = run(GTAG + "gtag('config','G-ABC')")["layer"]

    assert layer[0] == ["consent", "default", state()]
    assert layer[1:3] == [["set", "ads_data_redaction", True], ["set", "url_passthrough", False]]
    assert layer[3] == ["consent", "update", state("functionality_storage")]
    assert [one[0] for one in layer[4:]] == ["js", "config"]


@pytest.mark.parametrize(
    ("granted", "types"),
    [
        (("statistics",), ("functionality_storage", "analytics_storage")),
        (("marketing",), ("functionality_storage", "ad_storage", "ad_user_data", "ad_personalization")),
    ],
)
def test_what_was_allowed_earlier_is_said_before_the_page_begins(granted, types):
    assert consents(run(granted=granted)["layer"])[-1] == ["update", state(*types)]


def test_a_choice_is_said_on_the_page_where_it_is_made_and_so_is_its_withdrawal():
    layer = run(GTAG, "choose(['functional','statistics'])", "choose(['functional'])", "choose(['functional'])")[
        "layer"
    ]

    assert [said for name, said in consents(layer) if name == "update"] == [
        state("functionality_storage"), state("functionality_storage", "analytics_storage"), state("functionality_storage"),
    ]  # fmt: skip


def test_a_type_of_two_purposes_is_granted_only_when_both_are():
    tags = TAGS | {
        "more": {"name": "Ads", "recipient": "r", "purpose": "statistics", "hosts": ["www.googleadservices.com"]}
    }
    of = policy(tags=tags)

    assert consents(run(granted=("marketing",), of=of)["layer"])[-1][1]["ad_storage"] == "denied"
    assert consents(run(granted=("marketing", "statistics"), of=of)["layer"])[-1][1]["ad_storage"] == "granted"


@pytest.mark.parametrize(
    "page",
    [
        "gtag('consent','default',{analytics_storage:'granted',ad_storage:'granted'})",
        "gtag('consent','update',{ad_storage:'granted'})",
        "dataLayer.push(['consent','update',{ad_storage:'granted'}])",
        "dataLayer.push({event:'a'},['consent','update',{ad_storage:'granted'}])",
        "window.dataLayer=[['consent','default',{ad_storage:'granted'}]]",
        "var dataLayer=[];dataLayer.push(['consent','update',{ad_storage:'granted'}])",
    ],
)
def test_nobody_else_can_say_what_the_visitor_allows(page):
    said = consents(run(GTAG + page)["layer"])

    assert [each.get("ad_storage") for _, each in said] == ["denied", "denied"]


def test_a_page_that_makes_the_layer_anew_keeps_what_was_said_and_loses_nothing():
    layer = run("dataLayer=[{page:'start'}]", GTAG + "gtag('event','x')")["layer"]

    assert layer[0][:2] == ["consent", "default"]
    assert [one for one in layer if one == {"page": "start"}]
    assert layer[-1][:2] == ["event", "x"]


def test_a_tag_manager_that_wraps_push_hears_each_thing_once_and_our_words_first():
    # As gtm.js does: it reads what is there, then puts its own push before the one it found, and may push from within.
    manager = (
        "var said=[],a=window.dataLayer,b=a.push;a.forEach(x=>said.push(list([x])[0]));"
        "a.push=function(){var e=[].slice.call(arguments);e.forEach(x=>said.push(list([x])[0]));var k=b.apply(a,e);"
        "if(e[0].event=='first')a.push({event:'second'});return k};"
        "a.push({event:'first'});a.push(['consent','update',{ad_storage:'granted'}]);choose(['functional','marketing']);"
    )

    said = run(GTAG, manager)["said"]
    assert said[0][:2] == ["consent", "default"]
    assert [one["event"] for one in said if isinstance(one, dict)] == ["first", "second"]
    assert [each["ad_storage"] for _, each in consents(said)] == ["denied", "denied", "granted"]
    assert len(consents(said)) == 3


@pytest.mark.parametrize(
    "page", ["gtag('set','url_passthrough',true)", "gtag('set',{url_passthrough:true,ads_data_redaction:false})"]
)
def test_click_ids_are_not_carried_in_addresses_whatever_the_page_asks(page):
    last = run(GTAG + page)["layer"][-1]

    assert last in (["set", "url_passthrough", False], ["set", {"url_passthrough": False, "ads_data_redaction": True}])


@pytest.mark.parametrize(
    ("granted", "before", "is_off"),
    [
        (("marketing",), "", True),  # the tag is loaded for something else: no pings without cookies either
        (("statistics",), "", False),
        (("statistics",), "window['ga-disable-G-ABC']=true;", True),  # the site's own switch stays
        (("statistics",), "window._gaUserPrefs={ioo:()=>true};", True),  # Google's opt-out add-on
    ],
)
def test_a_property_is_switched_off_where_its_statistics_are_not_allowed(granted, before, is_off):
    page = before + GTAG + "gtag('config','G-ABC');globalThis.said=!!window['ga-disable-G-ABC']"

    assert run(page, granted=granted)["said"] is is_off


def test_the_add_on_of_google_denies_statistics_though_they_are_allowed():
    chosen = run("window._gaUserPrefs={ioo:()=>true}", "choose(['functional','statistics','marketing'])")["layer"]

    assert consents(chosen)[-1][1]["analytics_storage"] == "denied"
    assert consents(chosen)[-1][1]["ad_storage"] == "granted"


@pytest.mark.parametrize(("granted", "word"), [((), "revoke"), (("marketing",), "grant")])
def test_the_pixel_hears_of_consent_before_its_init(granted, word):
    assert [one[:2] for one in run(PIXEL, granted=granted)["fbq"]] == [
        ["consent", word],
        ["init", "1"],
        ["track", "PageView"],
    ]


def test_the_pixel_hears_of_a_later_choice_and_of_its_withdrawal():
    said = run(PIXEL, "choose(['marketing'])", "choose([])")["fbq"]

    assert [one[1] for one in said if one[0] == "consent"] == ["revoke", "grant", "revoke"]


@pytest.mark.parametrize(
    ("html", "limits"),
    [
        ((), ["LDU"]),  # runs until somebody objects, and nobody was asked
        (("data-lofte-chosen",), []),
        (("data-lofte-chosen", "data-lofte-gpc"), ["LDU"]),  # a yes to us after the signal; the signal goes on to Meta
    ],
)
def test_in_the_united_states_the_pixel_hears_how_far_its_data_may_be_used(html, limits):
    said = run(PIXEL, granted=("marketing",), html=html, of=policy("US"))["fbq"]

    assert [one[0] for one in said[:3]] == ["consent", "dataProcessingOptions", "init"]
    assert said[1][1:] == [limits, 0, 0]


def test_elsewhere_the_pixel_hears_nothing_of_limited_use():
    assert not [one for one in run(PIXEL, granted=("marketing",))["fbq"] if one[0] == "dataProcessingOptions"]


def test_a_site_without_such_tags_gets_no_script():
    quiet = policy(tags={"own": {"name": "Own", "recipient": "r", "purpose": "statistics", "hosts": ["count.test"]}})

    assert script(SimpleNamespace(policy=quiet, market="ME")) == ""  # type: ignore[arg-type]  # all it reads


@pytest.mark.parametrize(
    ("html", "model", "asked"),
    [
        (("data-lofte-gpc",), "opt_out", ["POST /lofte/signal?market=MS&locale=sv", "chosen"]),
        (("data-lofte-gpc", "data-lofte-chosen"), "opt_out", []),
        ((), "opt_out", []),
        (("data-lofte-gpc",), "opt_in", []),  # nothing runs without a yes: nothing to remember
    ],
)
def test_the_browsers_objection_is_handed_in_where_something_would_run_without_it(html, model, asked):
    purposes = PURPOSES | {"marketing": PURPOSES["marketing"] | {"storage": model}}

    assert run(html=html, of=policy("US", purposes=purposes))["asked"] == asked
