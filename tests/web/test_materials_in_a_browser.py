"""Materials in a real browser: offered by staff, asked for and fetched without JavaScript, in every language and at two widths.

Pictures are kept in the folder LOFTE_SCREENSHOTS names.
"""

from pathlib import Path

import pytest

from lofte.core import clock, mail
from lofte.core.mailing.names import Unanswered
from lofte.features.outreach.materials import shelf
from lofte.features.outreach.materials.models import Grant
from lofte.web.console import readiness

pytestmark = [pytest.mark.django_db(databases=["default", "keys"], transaction=True)]
EDITIONS = {"sv": "SE", "nb": "NO", "fi": "FI", "en-GB": "GB", "en-US": "US"}
UNSAID = r"\b(materials|readiness|forms)\.[a-z_]+\."
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


@pytest.mark.parametrize("locale", list(EDITIONS))
def test_a_material_is_offered_asked_for_and_fetched(
    chrome, eyes, live_server, settings, member, xledger, letterbox, log, no_limits, monkeypatch, tmp_path, locale
):
    settings.LOFTE_ORIGIN = live_server.url
    monkeypatch.setattr(readiness, "Dns", _Silent)
    tail = f"{EDITIONS[locale].lower()}/{locale}"
    made = shelf.draft(shelf.Plan("guide-2027", tuple(EDITIONS.values()), WORDS, "material", 2), "staff:1")
    lead = eyes(locale, "materials", UNSAID, client=member("anna", "lead"))
    staff = lead.page

    # Staff: what lacks, a file, offered
    staff.goto(f"{live_server.url}/console/materials/")
    staff.click(f'button[name="locale"][value="{locale}"]')
    lead.look("console-list")
    for address in ("new/", f"{made}/edit/", f"{made}/"):
        staff.goto(f"{live_server.url}/console/materials/{address}")
        lead.look(f"console-{address.strip('/').rpartition('/')[2][:8]}")
    file = tmp_path / "Guide.pdf"
    file.write_bytes(PDF)
    staff.set_input_files('input[type="file"]', file)
    staff.click('form[enctype="multipart/form-data"] button')
    staff.click('button[value="publish"]')
    lead.look("console-offered")

    # A visitor without JavaScript
    guest = chrome.new_context(java_script_enabled=False, accept_downloads=True).new_page()
    stranger = eyes(locale, "materials", UNSAID)
    for name, path in (("list", ""), ("page", "guide-2027/")):
        stranger.page.goto(f"{live_server.url}/materials/{tail}/{path}")
        stranger.look(name)
    guest.goto(f"{live_server.url}/materials/{tail}/guide-2027/")
    for field, value in (("name", "Astrid Ek"), ("company", "Ek AB"), ("email", "astrid@example.se")):
        guest.fill(f'main input[name="{field}"]', value)
    guest.wait_for_timeout(2100)  # longer than a program takes
    guest.click("main form button")
    assert "/thanks/" in guest.url
    mail.deliver(clock.now())
    link = f"{live_server.url}/materials/{tail}/open/{letterbox.link('open')}/"
    stranger.page.goto(link)
    stranger.look("open")
    guest.goto(link)
    with guest.expect_download() as fetched:
        guest.click("main form button")
    assert Path(fetched.value.path()).read_bytes() == PDF
    assert fetched.value.suggested_filename == "Guide.pdf"
    assert Grant.everyone.get().times == 1
    stranger.page.goto(f"{live_server.url}/materials/{tail}/open/nothing/")
    stranger.look("ended")

    # Whether the sending domain is ready
    staff.goto(f"{live_server.url}/console/operation/mail/")
    lead.look("readiness")
    staff.click("main form button")
    lead.look("readiness-asked")
