"""The way out and the preference centre in a real browser: five languages, two widths, the keyboard alone, without JavaScript.

Pictures are kept in the folder LOFTE_SCREENSHOTS names.
"""

import os
from pathlib import Path

import pytest

from lofte.core import clock, mail
from lofte.features.consent import reads as consents
from lofte.features.consent import verbs as consent
from lofte.features.outreach import reads, verbs
from lofte.features.register import reads as register

pytestmark = [pytest.mark.django_db(databases=["default", "keys"], transaction=True)]
AXE = Path(__file__).parents[1] / "node" / "node_modules" / "axe-core" / "axe.min.js"
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
EDITIONS = [("se", "sv"), ("no", "nb"), ("fi", "fi"), ("gb", "en-GB"), ("us", "en-US")]


@pytest.fixture
def browser(chromium, monkeypatch):
    from playwright.sync_api import sync_playwright

    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")  # the browser's loop runs in this thread
    with sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-quic", "--disable-background-networking", "--no-first-run"]
        yield playwright.chromium.launch(executable_path=chromium, args=arguments)


@pytest.fixture
def way_out(visitor, subscriber, letterbox):
    """Somebody agreed to letters and text messages and got an issue; the code of its way out."""
    subscriber("astrid@example.se")
    person = register.person_of("email", "astrid@example.se")
    for channel in ("sms", "post"):
        consent.grant(
            person,
            "newsletter",
            market="SE",
            locale="sv",
            shown="form.newsletter",
            method="double_opt_in",
            channel=channel,
        )
    content = {locale: verbs.Content("News", "Text", "<p>Text</p>") for _, locale in EDITIONS}
    verbs.send_issue(verbs.draft_issue(reads.topics()[0], content, "staff:1"))
    mail.deliver(clock.now())
    return letterbox.link("unsubscribe")


def look(page, name, *, is_judged=True):
    for width in (1280, 360):
        page.set_viewport_size({"width": width, "height": 900})
        if folder := os.environ.get("LOFTE_SCREENSHOTS"):
            page.screenshot(path=Path(folder) / f"{name}-{width}.png", full_page=True)
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0, f"{name} sticks out by {wide} at {width}"
    if AXE.exists() and is_judged:
        page.evaluate(AXE.read_text())
        found = page.evaluate("(tags) => axe.run(document, {runOnly: tags})", TAGS)["violations"]
        assert [(one["id"], [node["target"] for node in one["nodes"]]) for one in found] == [], name


@pytest.mark.long
def test_the_way_out_and_the_choices_in_every_language(browser, live_server, way_out):
    page = browser.new_context(bypass_csp=True).new_page()
    for market, locale in EDITIONS:
        for place in ("unsubscribe", "preferences"):
            assert page.goto(f"{live_server.url}/news/{market}/{locale}/{place}/{way_out}/").status == 200
            look(page, f"{place}-{locale}", is_judged=place == "preferences" or locale == "sv")
    first, *_ = reads.topics()
    page.locator(f"[value='{first}']").click()
    page.locator("main form.card button").click()
    assert page.locator("main [role=status] a[download]").count() == 2
    look(page, "saved-en-US")
    page.goto(f"{live_server.url}/news/se/sv/unsubscribe/{way_out}/")
    page.locator("main form button").first.click()
    look(page, "left-sv")
    page.goto(f"{live_server.url}/news/se/sv/preferences/{way_out}/")
    page.locator("button[name=everything]").click()
    look(page, "nothing-sv")


def test_the_choices_are_made_by_the_keyboard_alone_without_javascript(browser, live_server, way_out):
    page = browser.new_context(java_script_enabled=False).new_page()
    page.goto(f"{live_server.url}/news/se/sv/preferences/{way_out}/")
    person = register.person_of("email", "astrid@example.se")

    page.locator("[name=wanted]").first.focus()
    page.keyboard.press("Space")
    for _ in range(len(reads.topics()) + 2):  # over the other boxes to the button
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_selector("[role=status]")

    assert set(reads.topics_of(person)) == set(reads.topics()[1:])
    page.keyboard.press("Tab")
    page.locator("button[name=everything]").focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("[role=status]")
    assert not any(consents.is_granted(person, "newsletter", channel=each) for each in ("email", "sms", "post"))
