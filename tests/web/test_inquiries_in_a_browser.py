"""The inbox and a person's own thread in a real browser: every page at two widths, in every language, whole for everybody.

Pictures are kept in the folder LOFTE_SCREENSHOTS names.
"""

import os
from pathlib import Path

import pytest

from lofte.core import clock, mail
from lofte.core.mailing.inbound import Incoming
from lofte.features.outreach.forms import intake as forms
from lofte.features.outreach.forms import specs
from lofte.features.outreach.forms.files import Upload
from lofte.features.outreach.inquiries import intake, reads, verbs
from lofte.features.rights import verbs as rights

pytestmark = [pytest.mark.django_db(databases=["default", "keys"], transaction=True)]
EDITIONS = {"sv": "SE", "nb": "NO", "fi": "FI", "en-GB": "GB", "en-US": "US"}
UNSAID = r"\binquiries\.[a-z_]+"
ASKED = {
    "sv": "Hej!\n\nVad kostar det för tjugo användare, och ingår löner?",
    "nb": "Hei!\n\nHva koster det for tjue brukere, og er lønn med?",
    "fi": "Hei!\n\nMitä se maksaa kahdellekymmenelle käyttäjälle, ja sisältyykö palkanlaskenta?",
    "en-GB": "Hello,\n\nWhat does it cost for twenty users, and is payroll part of it?",
    "en-US": "Hi,\n\nWhat does it cost for twenty users, and is payroll included?",
}
PDF = Upload("underlag-till-offert-2026-och-2027.pdf", "application/pdf", b"%PDF-1.7")


def _send(market, locale, kind="inquiry", email="kari@example.com", files=()):
    spec = specs.find(market, locale, kind)
    values = {"name": "Kari Øståsen-Lindqvist", "email": email, "dialogue": ASKED[locale], "company": "Øståsen & døtre"}
    asked = {each.field for each in spec.fields}
    given = {field: value for field, value in values.items() if field in asked}
    taken = forms.take(market, locale, kind, given, wording=specs.words(spec, market, locale).wording, files=files)
    return reads.one(reads.find(taken.reference))


@pytest.mark.parametrize("locale", list(EDITIONS))
def test_an_inquiry_from_the_inbox_to_the_persons_own_page(
    eyes, live_server, settings, member, xledger, letterbox, log, no_limits, locale
):
    settings.LOFTE_ORIGIN, settings.LOFTE_MAIL_DOMAIN = live_server.url, "mail.example.com"
    market = EDITIONS[locale]
    staff = eyes(locale, "inquiries", UNSAID, client=member("anna", "lead"))

    # The inbox: empty, full, narrowed to nothing
    staff.page.goto(f"{live_server.url}/console/inquiries/")
    staff.page.click(f"button[name=locale][value={locale}]")
    staff.look("none")
    for number, kind in enumerate(("application", "supplier", "partner")):
        _send("SE", "sv", kind, f"other{number}@example.com")
    line = _send(market, locale, files=[PDF])
    staff.go("/console/inquiries/", "inbox")
    staff.go("/console/inquiries/?show=closed&kind=partner", "narrowed")

    # One: taken, previewed, answered; refused where something is missing
    staff.page.goto(f"{live_server.url}/console/inquiries/")
    staff.page.click(f"a[href*='{line.id}']")
    staff.look("new")
    staff.page.click("button[value=mine]")
    staff.page.click("form[action$='/reply/'] button:first-of-type")
    staff.look("refused")
    staff.page.fill("#id_reply_words", "Hej Kari!\n\n240 / 20 = 12.\n\nAnna")
    staff.page.click("button[value=preview]")
    staff.look("preview")
    staff.page.click("form[action$='/reply/'] button:first-of-type")
    staff.look("answered")
    assert reads.one(line.id).state == "answered"
    mail.deliver(clock.now())
    sent = next(each for each in letterbox.letters if each["Subject"].startswith("Re:"))
    if folder := os.environ.get("LOFTE_SCREENSHOTS"):
        letter = staff.page.context.new_page()
        letter.set_content(sent.get_body(("html",)).get_content())
        letter.screenshot(path=Path(folder) / f"{locale}-letter.png", full_page=True)
        letter.close()

    # They answer, from their own address and another; every act is open to look at; then it is handed over
    token = sent["Reply-To"].partition("+")[2].partition("@")[0]
    intake.answered(token, Incoming("kari@example.com", "Re", "Og for ti?", message_id="<1@example.com>"))
    intake.answered(token, Incoming("chef@example.com", "Re", "Ja?", message_id="<2@example.com>"))
    verbs.note(line.id, "Ring!", by="staff:1")
    staff.go(f"/console/inquiries/{line.id}/", "thread")
    for act in staff.page.locator("details").all():
        act.evaluate("each => each.removeAttribute('name')")
        act.evaluate("each => each.open = true")
    staff.look("acts")

    # The person's own pages
    rights.ask_for_link(market, locale, "kari@example.com")
    rights.answer_asks(clock.now())
    mail.deliver(clock.now())
    guest = eyes(locale, "inquiries", UNSAID)
    tail = f"{market.lower()}/{locale}"
    guest.page.goto(f"{live_server.url}/my/{tail}/open/{letterbox.link('open')}/")
    guest.page.click("main form button")
    guest.go(f"/my/{tail}/requests/", "own-matters")
    guest.page.click(f"a[href*='{line.id}']")
    guest.look("own-thread")
    guest.page.fill("textarea", "Takk!")
    guest.page.click("main form button")
    guest.look("own-written")
    assert len([each for each in reads.history(line) if each.kind == "received"]) == 4

    verbs.hand_over(line.id, "access", by="system")
    staff.go(f"/console/inquiries/{line.id}/", "closed")
