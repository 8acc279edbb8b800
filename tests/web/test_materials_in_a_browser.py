"""Materials in a real browser: offered by staff, asked for and fetched without JavaScript, in every language and at two widths.

Pictures are kept in the folder LOFTE_SCREENSHOTS names.
"""

import os
import re
from pathlib import Path

import pytest

from lofte.core import clock, mail
from lofte.core.mailing.names import Unanswered
from lofte.features.outreach.materials import shelf
from lofte.features.outreach.materials.models import Grant
from lofte.web.console import readiness

pytestmark = [pytest.mark.django_db(databases=["default", "keys"], transaction=True)]
AXE = Path(__file__).parents[1] / "node" / "node_modules" / "axe-core" / "axe.min.js"
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
EDITIONS = {"sv": "SE", "nb": "NO", "fi": "FI", "en-GB": "GB", "en-US": "US"}
PDF = b"%PDF-1.7\n" + b"a guide to closing the year\n" * 50
WORDS = {
    locale: {"title": f"Guide 2027 ({locale})", "summary": f"{locale}: twelve steps.", "inside": "## 1\n\n- a\n- b"}
    for locale in EDITIONS
}


class _Silent:
    """No name server anywhere."""

    def _ask(self, *asked):
        raise Unanswered

    texts = addresses = mail_servers = names_of = _ask


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


def look(page, name, locale):
    """Whole words, nothing sticking out at either width, nothing axe finds."""
    page.wait_for_load_state("load")
    for width in (1280, 360):
        page.set_viewport_size({"width": width, "height": 900})
        text = page.inner_text("main")
        assert not re.search(r"\b(materials|readiness|forms)\.[a-z_]+\.|\{[a-z_]+\}|\bNone\b", text), name
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        if folder := os.environ.get("LOFTE_SCREENSHOTS"):
            page.screenshot(path=Path(folder) / f"{locale}-{name}-{width}.png", full_page=True)
        assert wide <= 0, f"{name} sticks out by {wide} at {width}"
    if AXE.exists():
        page.evaluate(AXE.read_text())
        found = page.evaluate("(tags) => axe.run(document, {runOnly: tags})", TAGS)["violations"]
        assert [(one["id"], [node["target"] for node in one["nodes"]]) for one in found] == [], name


@pytest.mark.parametrize("locale", list(EDITIONS))
def test_a_material_is_offered_asked_for_and_fetched(
    chrome, live_server, settings, member, xledger, letterbox, log, no_limits, monkeypatch, tmp_path, locale
):
    settings.LOFTE_ORIGIN = live_server.url
    monkeypatch.setattr(readiness, "Dns", _Silent)
    tail = f"{EDITIONS[locale].lower()}/{locale}"
    made = shelf.draft(shelf.Plan("guide-2027", tuple(EDITIONS.values()), WORDS, "material", 2), "staff:1")
    client = member("anna", "lead")
    inside = chrome.new_context(bypass_csp=True)
    inside.add_cookies(
        [{"name": key, "value": each.value, "url": live_server.url} for key, each in client.cookies.items()]
    )
    staff = inside.new_page()

    # Staff: what lacks, a file, offered
    staff.goto(f"{live_server.url}/console/materials/")
    staff.click(f'button[name="locale"][value="{locale}"]')
    look(staff, "console-list", locale)
    for address in ("new/", f"{made}/edit/", f"{made}/"):
        staff.goto(f"{live_server.url}/console/materials/{address}")
        look(staff, f"console-{address.strip('/').rpartition('/')[2][:8]}", locale)
    file = tmp_path / "Guide.pdf"
    file.write_bytes(PDF)
    staff.set_input_files('input[type="file"]', file)
    staff.click('form[enctype="multipart/form-data"] button')
    staff.click('button[value="publish"]')
    look(staff, "console-offered", locale)

    # A visitor without JavaScript
    guest = chrome.new_context(java_script_enabled=False, accept_downloads=True).new_page()
    eyes = chrome.new_context(bypass_csp=True).new_page()
    for name, path in (("list", ""), ("page", "guide-2027/")):
        eyes.goto(f"{live_server.url}/materials/{tail}/{path}")
        look(eyes, name, locale)
    guest.goto(f"{live_server.url}/materials/{tail}/guide-2027/")
    for field, value in (("name", "Astrid Ek"), ("company", "Ek AB"), ("email", "astrid@example.se")):
        guest.fill(f'main input[name="{field}"]', value)
    guest.wait_for_timeout(2100)  # longer than a program takes
    guest.click("main form button")
    assert "/thanks/" in guest.url
    mail.deliver(clock.now())
    link = f"{live_server.url}/materials/{tail}/open/{letterbox.link('open')}/"
    eyes.goto(link)
    look(eyes, "open", locale)
    guest.goto(link)
    with guest.expect_download() as fetched:
        guest.click("main form button")
    assert Path(fetched.value.path()).read_bytes() == PDF
    assert fetched.value.suggested_filename == "Guide.pdf"
    assert Grant.everyone.get().times == 1
    eyes.goto(f"{live_server.url}/materials/{tail}/open/nothing/")
    look(eyes, "ended", locale)

    # Whether the sending domain is ready
    staff.goto(f"{live_server.url}/console/operation/mail/")
    look(staff, "readiness", locale)
    staff.click("main form button")
    look(staff, "readiness-asked", locale)
