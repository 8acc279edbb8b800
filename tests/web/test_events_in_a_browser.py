"""An event from plan to proof in a real browser, without JavaScript for visitors: every page at two widths, in every language.

Pictures are kept in the folder LOFTE_SCREENSHOTS names.
"""

import os
from datetime import timedelta
from pathlib import Path

import pytest

from lofte.core import clock, mail, ports
from lofte.features.outreach.events import forgetting, planning
from lofte.features.outreach.events.models import Event, Registration
from lofte.features.outreach.forms import intake, specs

pytestmark = [pytest.mark.django_db(databases=["default", "keys"], transaction=True)]
EDITIONS = {"sv": "SE", "nb": "NO", "fi": "FI", "en-GB": "GB", "en-US": "US"}
UNSAID = r"\b(events|forms)\.[a-z_]+\."
SAID = {
    "sv": ("Bokslut utan sista veckan", "En förmiddag om hur bokslutet blir klart i tid.", "Solna, Gårdsvägen 6"),
    "nb": (
        "Årsoppgjør uten den siste uken",
        "En formiddag om hvordan årsoppgjøret blir ferdig i tide.",
        "Oslo, Østensjøveien 32",
    ),
    "fi": (
        "Tilinpäätös ilman viimeistä viikkoa",
        "Aamupäivä siitä, miten tilinpäätös valmistuu ajoissa.",
        "Helsinki, Mannerheimintie 4",
    ),
    "en-GB": ("Year end without the last week", "A morning on closing the year in time.", "Bristol, Queen Square 12"),
    "en-US": (
        "Year-end without the last week",
        "A morning on closing the year on time.",
        "Colorado Springs, 102 S Tejon St",
    ),
}
WORDS = {
    locale: {
        "title": title,
        "lead": lead,
        "place": place,
        "text": "## 1\n\n- 09:00\n- 10:30\n\n[Xledger](https://xledger.com/)",
    }
    for locale, (title, lead, place) in SAID.items()
}


@pytest.mark.parametrize("locale", list(EDITIONS))
def test_an_event_from_plan_to_proof(
    chrome, eyes, live_server, settings, member, xledger, letterbox, log, no_limits, locale
):
    settings.LOFTE_ORIGIN = live_server.url
    market = EDITIONS[locale]
    tail = f"{market.lower()}/{locale}"
    staff = eyes(locale, "events", UNSAID, client=member("anna", "lead"))
    guest = eyes(locale, "events", UNSAID)

    # Planned
    staff.page.goto(f"{live_server.url}/console/events/")
    staff.page.click(f"button[name=locale][value={locale}]")
    staff.look("none")
    staff.go("/console/events/new/", "new")
    staff.page.click("main form button.button")
    staff.look("new-refused")
    assert staff.page.locator("#errors a").count() >= 4
    at = clock.now() + timedelta(days=40)
    plan = planning.Plan(
        slug="year-end", markets=tuple(EDITIONS.values()), contents=WORDS, starts_at=at, ends_at=at + timedelta(hours=3),
        zone="Europe/Stockholm", capacity=3, form="event", keep="P30D", retention={"phone": "P3D"}, reminders=("P1D", "P7D"),
    )  # fmt: skip
    made = planning.draft(plan, by="staff:1")
    staff.go(f"/console/events/{made}/", "draft")
    staff.go(f"/console/events/{made}/edit/", "edit")
    planning.publish(made, by="staff:1")

    # Registered, without a line of script
    guest.go(f"/events/{tail}/", "list")
    guest.page.click("main h2 a")
    guest.look("event")
    plain = chrome.new_context(java_script_enabled=False).new_page()
    plain.goto(f"{live_server.url}/events/{tail}/year-end/")
    assert plain.locator("main input[type=checkbox]:checked").count() == 0
    for name, value in {"name": "Siân Öberg", "company": "Öbergs Åkeri AB", "email": "sian@example.com"}.items():
        plain.fill(f"#id_{name}", value)
    plain.wait_for_timeout(3500)  # who is quicker than a person is asked again
    plain.click("main form button.button")
    plain.wait_for_load_state("load")
    assert Registration.everyone.count() == 1, plain.inner_text("main")
    guest.page.goto(plain.url)
    guest.look("thanks")
    mail.deliver(clock.now())
    leave = letterbox.link("leave")
    if folder := os.environ.get("LOFTE_SCREENSHOTS"):
        body = letterbox.last().get_body(("html",)).get_content()
        letter = guest.page.context.new_page()
        letter.set_content(body)
        letter.screenshot(path=Path(folder) / f"{locale}-letter.png", full_page=True)
        letter.close()

    # Seen by whoever receives them
    for n in range(4):
        _come(market, locale, made, f"guest{n}@example.com", f"Guest {n}")
    Event.objects.filter(pk=made).update(
        starts_at=clock.now() + timedelta(hours=2), ends_at=clock.now() + timedelta(hours=5)
    )
    guest.go(f"/events/{tail}/year-end/", "event-full")
    staff.go(f"/console/events/{made}/people/", "people-closed")
    staff.page.click("main form button.button")
    staff.look("people")
    row = Registration.everyone.order_by("made_at").first()
    staff.page.fill("#id_reference", row.reference)
    staff.page.locator("main form.form button").first.click()
    staff.look("ticked")
    assert Registration.objects.of(row.person_id).get().checked_in_at is not None
    staff.go("/console/events/", "events")

    # Given up
    guest.go(f"/events/{tail}/leave/{leave}/", "leave")
    guest.page.click("main form button")
    guest.look("left")
    assert Registration.objects.of(row.person_id).get().state == "left"

    # Forgotten
    event = Event.objects.get(pk=made)
    Event.objects.filter(pk=made).update(
        starts_at=clock.now() - timedelta(days=6), ends_at=clock.now() - timedelta(days=5)
    )
    event.refresh_from_db()
    planning.move_deadlines(event)
    staff.go("/console/events/?show=forgetting", "half-gone")
    forgetting.forget(clock.now())
    staff.go("/console/events/?show=forgetting", "forgetting")
    staff.go(f"/console/events/{made}/", "over")
    staff.go("/console/events/?show=over", "past")


def _come(market, locale, event, email, name):
    spec = specs.find(market, locale, "event")
    values = {"name": name, "company": "Small & Sons Ltd", "email": email, "phone": "+46 70 111 22 33"}
    intake.take(market, locale, "event", values, wording=specs.words(spec, market, locale).wording, about=event)
    assert ports.register().find("email", email)
