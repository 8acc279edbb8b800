"""Videos on a page: nothing of theirs before a press, one for once, all with a consent, and a link without any script."""

import json

import pytest

pytestmark = pytest.mark.browser

ARTICLE = "/se/artiklar/bokslut-utan-sista-veckan/"
EVERYWHERE = {
    "sv": ARTICLE,
    "nb": "/no/artikler/arsavslutning-uten-siste-uke/",
    "fi": "/fi/artikkelit/tilinpaatos-ilman-viimeista-viikkoa/",
    "en-GB": "/uk/articles/year-end-without-the-last-week/",
    "en-US": "/us/articles/year-end-close-without-the-last-week/",
}
MARKETING = {
    "sv": "Marknadsföring",
    "nb": "Markedsføring",
    "fi": "Markkinointi",
    "en-GB": "Marketing",
    "en-US": "Marketing",
}
BOX = "[data-lofte=held-frame]"
ONCE, ALWAYS = f"{BOX} [data-lofte=once]", f"{BOX} [data-lofte=always]"


def rejected(visitor, path=ARTICLE, **options):
    """Somebody who said no to everything: the banner is out of the way."""
    guest = visitor(**options)
    guest.go(path)
    guest.choose("reject")
    guest.stage.forget()
    return guest


def test_a_press_on_once_loads_this_film_alone_and_is_forgotten(visitor, stage):
    guest = rejected(visitor)
    guest.page.focus(ONCE)
    guest.page.keyboard.press("Enter")
    guest.page.frame_locator("figure iframe").frame_locator("iframe").get_by_role("button").wait_for()
    guest.settle()

    assert set(stage.seen()) == {"youtube.localhost"}
    assert not guest.page.is_visible(BOX)
    assert guest.page.evaluate("document.activeElement.localName") == "iframe"
    assert set(guest.cookies()["localhost"]) == {"lofte", "lofte_on"}

    guest.go(ARTICLE)
    stage.forget()
    guest.settle()
    assert guest.page.is_visible(ONCE)
    assert stage.seen() == {}


def test_a_press_on_always_is_a_consent_with_the_words_of_the_frame(visitor, stage):
    guest = rejected(visitor)
    with guest.page.expect_response("**/lofte/consent") as answered:
        guest.page.click(ALWAYS)
    receipt = answered.value
    assert receipt.status == 201
    sent = json.loads(answered.value.request.post_data)
    assert sent["choices"] == {"statistics": False, "marketing": True}
    guest.page.frame_locator("figure iframe").get_by_role("button").wait_for()
    guest.settle()
    assert not guest.page.is_visible(BOX)
    assert "youtube.localhost" in stage.seen()
    assert "analytics.localhost" not in stage.seen()


def test_both_buttons_weigh_the_same_in_every_locale_and_say_what_they_do(visitor, stage):
    guest = rejected(visitor, viewport={"width": 360, "height": 740})
    looks = "e => ['color','backgroundColor','fontSize','fontWeight'].map(k => getComputedStyle(e)[k]).join()"
    for locale, path in EVERYWHERE.items():
        guest.page.goto(stage.origin + path, wait_until="load")
        once, always = (guest.page.locator(one).bounding_box() for one in (ONCE, ALWAYS))
        assert once["height"] == always["height"] >= 44, locale
        assert abs(once["width"] - always["width"]) < 2, locale
        assert guest.page.locator(ONCE).evaluate(looks) == guest.page.locator(ALWAYS).evaluate(looks)
        described = guest.page.locator(ALWAYS).get_attribute("aria-describedby")
        assert MARKETING[locale] in guest.page.inner_text(f"#{described}")
        assert guest.page.evaluate("document.documentElement.scrollWidth <= innerWidth"), locale
    assert stage.seen() == {}


def test_without_scripts_there_is_a_link_and_nothing_that_cannot_be_pressed(visitor, stage):
    reader = visitor(java_script_enabled=False)
    reader.go(ARTICLE)
    assert reader.page.is_visible(f"{BOX} a >> nth=0")
    assert reader.page.locator(f"{BOX} a >> nth=0").get_attribute("href") == "https://www.youtube.com/watch?v=demo"
    assert reader.page.is_visible(f"{BOX} [data-lofte=settings]")
    assert not reader.page.is_visible(ONCE)
    assert not reader.page.is_visible(ALWAYS)
    assert stage.seen() == {}


def test_axe_finds_nothing_in_it(visitor, stage, request):
    axe = request.config.rootpath / "tests" / "node" / "node_modules" / "axe-core" / "axe.min.js"
    if not axe.exists():
        pytest.skip("axe-core is not installed: scripts/test does it")
    guest = rejected(visitor)
    session = guest.context.new_cdp_session(guest.page)
    session.send("Runtime.evaluate", {"expression": axe.read_text(encoding="utf-8")})
    wanted = f"axe.run('{BOX}').then(r=>r.violations.map(v=>v.id+': '+v.nodes.map(n=>n.target).join(' ')))"
    found = session.send("Runtime.evaluate", {"expression": wanted, "awaitPromise": True, "returnByValue": True})
    assert found["result"]["value"] == []
