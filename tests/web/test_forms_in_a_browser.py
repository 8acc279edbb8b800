"""Forms in a real browser: built, published, pasted into a page of strangers and sent, in every language, at two widths.

Pictures are kept in the folder LOFTE_SCREENSHOTS names.
"""

import os
import re
import time
from pathlib import Path

import pytest

from lofte.features.outreach.forms import specs

pytestmark = [pytest.mark.django_db(databases=["default", "keys"], transaction=True)]
AXE = Path(__file__).parents[1] / "node" / "node_modules" / "axe-core" / "axe.min.js"
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
EDITIONS = {"sv": "SE", "nb": "NO", "fi": "FI", "en-GB": "GB", "en-US": "US"}
READ_S = 2.2


@pytest.fixture
def chrome(chromium, monkeypatch):
    from playwright.sync_api import sync_playwright

    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")  # the browser's loop runs in this thread
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium,
            args=[
                "--no-sandbox", "--disable-quic", "--disable-background-networking", "--disable-component-update", "--no-first-run",
            ],
        )  # fmt: skip
        yield browser
        browser.close()


class Eyes:
    """Looks at pages: whole words, nothing sticking out, nothing axe finds; at two widths."""

    def __init__(self, context, origin, locale):
        self.page, self.origin, self.locale, self.seen = context.new_page(), origin, locale, 0

    def go(self, path, name):
        answer = self.page.goto(self.origin + path)
        assert answer.status == 200, path
        self.look(name)

    def look(self, name):
        self.page.wait_for_load_state("load")
        for width in (1280, 360):
            self.page.set_viewport_size({"width": width, "height": 900})
            assert not re.search(r"\bforms\.[a-z_]+|\{[a-z_]+\}|\bNone\b", self.page.inner_text("main")), name
            wide = self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
            if folder := os.environ.get("LOFTE_SCREENSHOTS"):
                shot = Path(folder) / f"forms-{self.locale}-{self.seen:02}-{name}-{width}.png"
                self.page.screenshot(path=shot, full_page=True)
            assert wide <= 0, f"{name} sticks out by {wide} at {width}"
        self.seen += 1
        if AXE.exists():
            self.page.evaluate(AXE.read_text())
            found = self.page.evaluate("(tags) => axe.run(document, {runOnly: tags})", TAGS)["violations"]
            assert [(one["id"], [node["target"] for node in one["nodes"]]) for one in found] == [], name


@pytest.fixture
def house(chrome, live_server, settings, member, xledger, letterbox, log, no_limits):
    settings.LOFTE_ORIGIN = live_server.url
    return live_server.url


@pytest.mark.parametrize("locale", list(EDITIONS))
def test_a_form_from_the_builder_to_the_thank_you(chrome, house, member, locale):
    market = EDITIONS[locale]
    inside = chrome.new_context(bypass_csp=True)
    cookies = member("maja", "register").cookies
    inside.add_cookies([{"name": key, "value": each.value, "url": house} for key, each in cookies.items()])
    staff = Eyes(inside, house, locale)
    staff.page.goto(f"{house}/console/forms/")
    staff.page.click(f"button[name=locale][value={locale}]")
    staff.look("list")

    # Built: refused, started, incomplete, published
    staff.go("/console/forms/new/", "new")
    staff.page.fill("#id_form", "Boka en demo")
    staff.page.click("form.card button")
    staff.look("new-refused")
    staff.page.fill("#id_form", "demo")
    staff.page.check("[value='inquiry/answers']")
    staff.page.click("form.card button")
    for other in set(EDITIONS.values()) - {market}:
        staff.page.uncheck(f"#market_{other}")
    staff.page.select_option("#ask_dialogue", "required")
    staff.page.check("#box_newsletter-email")
    staff.page.fill("#id_files", "2")
    staff.page.fill(f"[name='words.{locale}.name']", "Löfte " * 8)
    staff.page.click("button[value=publish]")
    staff.look("incomplete")
    staff.page.fill(f"[name='words.{locale}.lead']", "Ångström, øre & <b>yö</b>. " * 6)
    staff.page.fill(f"[name='words.{locale}.submit']", "OK")
    staff.page.click("button[value=publish]")
    staff.look("published")
    staff.go(f"/console/forms/demo/{market.lower()}/{locale}/", "preview")
    staff.go("/console/forms/demo/html/", "html")
    staff.page.click("summary")
    staff.look("html-open")
    staff.go(f"/console/forms/versions/{specs.find(market, locale, 'demo').version}/", "version")
    staff.go("/console/forms/partner/", "declared")

    # Sent from its own page, by keyboard: refused with the faults linked to their fields, then taken
    guest = Eyes(chrome.new_context(bypass_csp=True), house, locale)
    guest.go(f"/forms/{market.lower()}/{locale}/demo/", "empty")
    time.sleep(READ_S)
    guest.page.focus("#id_email")
    guest.page.keyboard.type("nobody")
    guest.page.keyboard.press("Enter")
    guest.page.wait_for_selector("#errors")
    guest.look("faults")
    guest.page.click("#errors a >> nth=0")
    assert guest.page.evaluate("document.activeElement.id") == "id_name"
    guest.page.keyboard.type("Kari Øståsen")
    guest.page.keyboard.press("Tab")
    assert guest.page.evaluate("document.activeElement.id") == "id_email"
    guest.page.fill("#id_email", "kari@example.com")
    guest.page.fill("#id_dialogue", "240 / 20?")
    guest.page.check("[name='box.newsletter-email']")
    time.sleep(READ_S)
    guest.page.click("form.card button")
    guest.page.wait_for_url("**/thanks/**")
    guest.look("thanks")
    assert guest.page.context.cookies() == []


def test_a_piece_on_a_strangers_page_works_without_script_and_is_looked_over_first(chrome, house):
    plain = chrome.new_context(java_script_enabled=False)
    page = plain.new_page()
    page.route("**/favicon.ico", lambda route: route.abort())  # the site's own, which is not here
    page.goto(f"{house}/forms/fi/fi/inquiry/embed.html")
    piece = page.inner_text("body")
    page.route(
        "http://stranger.example/**", lambda route: route.fulfill(body=piece, content_type="text/html; charset=utf-8")
    )
    page.goto("http://stranger.example/yhteys/")
    page.fill("[name=name]", "Aino Yö")
    page.fill("[name=email]", "aino@example.fi")
    page.fill("[name=dialogue]", "Paljonko?")
    page.click("button")
    page.wait_for_url(f"{house}/forms/fi/fi/inquiry/")
    assert page.input_value("#id_name") == "Aino Yö"
    assert page.input_value("#id_dialogue") == "Paljonko?"
    time.sleep(READ_S)
    page.click("form.card button")
    page.wait_for_url("**/thanks/**")
    assert page.get_attribute("html", "lang") == "fi"
    assert plain.cookies() == []
