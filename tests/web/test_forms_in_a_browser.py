"""Forms in a real browser: built, published, pasted into a page of strangers and sent, in every language, at two widths.

Pictures are kept in the folder LOFTE_SCREENSHOTS names.
"""

import time

import pytest

from lofte.features.outreach.forms import specs

pytestmark = [pytest.mark.django_db(databases=["default", "keys"], transaction=True)]
EDITIONS = {"sv": "SE", "nb": "NO", "fi": "FI", "en-GB": "GB", "en-US": "US"}
READ_S = 2.2
UNSAID = r"\bforms\.[a-z_]+"


@pytest.fixture
def house(chrome, live_server, settings, member, xledger, letterbox, log, no_limits):
    settings.LOFTE_ORIGIN = live_server.url
    return live_server.url


@pytest.mark.parametrize("locale", list(EDITIONS))
def test_a_form_from_the_builder_to_the_thank_you(eyes, house, member, locale):
    market = EDITIONS[locale]
    staff = eyes(locale, "forms", UNSAID, client=member("maja", "register"))
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
    guest = eyes(locale, "forms", UNSAID)
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
