"""Campaigns in the console: written in each language, looked at, tried, sent, held, reckoned up."""

import re
from datetime import UTC, datetime, timedelta

import pytest

from lofte.core import clock, mail, tasks
from lofte.features.consent import verbs as consent
from lofte.features.outreach import campaigns
from lofte.features.outreach.campaigns import Content
from lofte.features.outreach.clicks import counting
from lofte.features.outreach.models import Campaign, Delivery
from lofte.features.outreach.segments import verbs as segments
from lofte.features.outreach.segments.matching import Condition
from lofte.features.register import verbs as register
from lofte.features.register.models import Look
from lofte.rules.catalogue import LOCALES
from lofte.web.console import campaigns_forms as forms

pytestmark = [pytest.mark.django_db(databases=["default", "keys"])]
TAGS = ("sv", "nb", "fi", "en-GB", "en-US")
SV = {"Accept-Language": "sv"}


def page(answer, status=200):
    assert answer.status_code == status, re.findall(r'class="error"[^>]*>([^<]*)', answer.content.decode())
    return answer.content.decode()


def content(tag="sv", text="Hej."):
    return Content(f"Nytt {tag}", text, f"<p>{text}</p>", "Förhand", text, "markdown")


def said(**otherwise):
    return {"name": "Höstbrev", "topic": "product", "markets": ["SE"], "segment": ""} | otherwise


def written(**otherwise):
    letter = {
        "subject": "Nytt i höst",
        "preheader": "",
        "kind": "markdown",
        "source": "# Hej\n\nLäs **mer**.",
        "do": "save",
    }
    return letter | otherwise


def save(staff, address, fields, **more):
    """As a browser does: the page is opened, and its hidden mark goes along."""
    mark = re.findall(r'name="mark" value="([^"]*)"', staff.get(address).content.decode())[0]
    return staff.post(address, {"mark": mark} | fields, **more)


@pytest.fixture
def readers(xledger, log, letterbox):
    def make(count, company="Ekbyrån", market="SE", locale="sv"):
        people = []
        for number in range(count):
            person = register.welcome()
            here = {"market": market, "locale": locale}
            register.begin_relation(person, "prospect", **here)
            values = {"email": f"{len(company)}-{number}@example.se", "company": company}
            register.hold(person, values, "newsletter", source="form:newsletter", **here)
            consent.grant(person, "newsletter", shown="form.newsletter", method="double_opt_in", **here)
            people.append(person)
        return people

    return make


@pytest.fixture
def draft(staff):
    return campaigns.draft("Höstbrev", "product", "staff:1", contents={"sv": content()}, markets=["SE"])


def send_all(at=None):
    for _ in range(20):
        tasks.run_now(campaigns.DUTY, at or clock.now())
        mail.deliver(clock.now())


# --- by two at once -------------------------------------------------------------------------------------------------


def mark_of(shown):
    return re.findall(r'name="mark" value="([^"]*)"', shown)[0]


def test_of_two_who_write_the_same_letter_neither_loses_their_text(staff, draft):
    address = f"/console/campaigns/{draft}/letter/sv/"
    opened = mark_of(page(staff.get(address)))
    save(staff, address, written(source="Den förstas text."))

    told = page(staff.post(address, written(source="Den andras text.") | {"mark": opened}, headers=SV), 409)

    assert "Någon annan har ändrat det här" in told
    assert "Den förstas text." in told
    assert "Den andras text." in told
    assert "Den förstas" in campaigns.campaign(draft).contents["sv"].text
    again = staff.post(address, written(source="Bådas text.") | {"mark": mark_of(told)})
    assert again.status_code == 302
    assert "Bådas" in campaigns.campaign(draft).contents["sv"].text
    assert "har ändrat det här" in page(staff.post(address, {"do": "remove", "mark": opened}, headers=SV), 409)
    assert "sv" in campaigns.campaign(draft).contents


def test_two_who_write_different_languages_do_not_meet(staff, draft):
    marks = {tag: mark_of(page(staff.get(f"/console/campaigns/{draft}/letter/{tag}/"))) for tag in ("sv", "nb")}

    for tag, mark in marks.items():
        answer = staff.post(f"/console/campaigns/{draft}/letter/{tag}/", written(subject=tag) | {"mark": mark})
        assert answer.status_code == 302

    assert {tag: each.subject for tag, each in campaigns.campaign(draft).contents.items()} == {"sv": "sv", "nb": "nb"}


def test_of_two_who_change_whom_it_is_for_the_second_is_shown_what_the_first_chose(staff, draft):
    address = f"/console/campaigns/{draft}/change/"
    opened = mark_of(page(staff.get(address)))
    assert staff.post(address, said(name="Vinterbrev", patience="14") | {"mark": opened}).status_code == 302

    told = page(staff.post(address, said(name="Vårbrev") | {"mark": opened}, headers=SV), 409)

    assert "Vinterbrev" in told
    assert "Vårbrev" in told
    assert "14 dagar" in told
    seen = campaigns.campaign(draft)
    assert (seen.name, seen.patience) == ("Vinterbrev", 14)


# --- written --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("locale", LOCALES)
def test_every_page_is_whole_in_every_language(staff, draft, locale):
    staff.post("/console/locale/", {"locale": locale, "next": "/console/"})

    for address in (
        "",
        "new/",
        f"{draft}/",
        f"{draft}/change/",
        f"{draft}/letter/fi/",
        f"{draft}/preview/",
        f"{draft}/preview/?form=text",
    ):
        shown = page(staff.get(f"/console/campaigns/{address}"))
        assert f'<html lang="{locale}"' in shown
        assert not re.search(r"\{[a-z]+\}", shown)


def test_a_campaign_is_written_language_by_language_and_its_plain_text_made(staff):
    answer = staff.post("/console/campaigns/new/", said())
    row = Campaign.objects.get()
    assert answer.headers["Location"] == f"/console/campaigns/{row.id}/"

    assert save(staff, f"/console/campaigns/{row.id}/letter/sv/", written()).status_code == 302

    row.refresh_from_db()
    kept = campaigns.contents_of(row)["sv"]
    assert (kept.subject, kept.form, kept.source) == ("Nytt i höst", "markdown", "# Hej\n\nLäs **mer**.")
    assert kept.html == "<h2>Hej</h2>\n<p>Läs <strong>mer</strong>.</p>"
    assert kept.text == "Hej\n===\n\nLäs mer."
    shown = page(staff.get(f"/console/campaigns/{row.id}/letter/sv/"))
    assert "Läs **mer**." in shown


def test_what_a_letter_may_not_have_is_left_out_and_said_so(staff, draft):
    source = '<p>Hej</p><img src="https://tracker.example/a.gif"><script>x()</script><video></video>'

    shown = page(save(staff, f"/console/campaigns/{draft}/letter/sv/", written(kind="html", source=source), headers=SV))

    assert "Bilder från andra adresser" in shown
    assert "Skript" in shown
    assert "&lt;video&gt;" in shown
    kept = campaigns.contents_of(Campaign.objects.get())["sv"]
    assert kept.html == "<p>Hej</p>"


@pytest.mark.parametrize(
    "otherwise, told",
    [
        ({"subject": ""}, "Ärenderad saknas."),
        ({"source": "  "}, "Brev saknas."),
        ({"source": "<script>x</script>", "kind": "html"}, "Inget blir kvar"),
        ({"kind": "word"}, "Välj ett av värdena"),
    ],
)
def test_a_letter_that_says_nothing_is_refused_in_the_form(staff, draft, otherwise, told):
    assert told in page(save(staff, f"/console/campaigns/{draft}/letter/sv/", written(**otherwise), headers=SV), 422)


def test_a_language_is_removed_again(staff, draft):
    save(staff, f"/console/campaigns/{draft}/letter/sv/", {"do": "remove"})

    assert campaigns.contents_of(Campaign.objects.get()) == {}


def test_a_language_nobody_reads_has_no_page(staff, draft):
    assert staff.get(f"/console/campaigns/{draft}/letter/de/").status_code == 404
    assert staff.get(f"/console/campaigns/{draft}/preview/nb/").status_code == 404


def test_only_a_segment_for_the_same_purpose_narrows_a_campaign(staff):
    mine = segments.describe("Svenska", "newsletter", [Condition("market", ("SE",))], by="staff:1")
    away = segments.describe("Undan", "newsletter", [Condition("market", ("SE",))], by="staff:1")
    segments.put_away(away, by="staff:1")

    shown = page(staff.get(f"/console/campaigns/new/?segment={mine}"))
    assert re.search(rf'value="{mine}" selected', shown)
    assert str(away) not in shown
    page(staff.post("/console/campaigns/new/", said(segment=str(away))), 422)

    staff.post("/console/campaigns/new/", said(segment=str(mine)))
    row = Campaign.objects.get()
    assert row.segment == mine
    assert "ingår i segmentet Svenska" in page(staff.get(f"/console/campaigns/{row.id}/", headers=SV))


# --- looked at ------------------------------------------------------------------------------------------------------


def test_the_preview_shows_all_languages_side_by_side_in_frames_that_can_do_nothing(staff):
    made = campaigns.draft("Alla", "product", "staff:1", contents={tag: content(tag) for tag in TAGS})

    answer = staff.get(f"/console/campaigns/{made}/preview/")

    shown = page(answer)
    assert re.findall(r'<iframe class="letter-frame" sandbox src="([^"]*)"', shown) == [
        f"/console/campaigns/{made}/preview/{tag}/" for tag in TAGS
    ]
    assert "frame-src 'self'" in answer["Content-Security-Policy"]
    framed = staff.get(f"/console/campaigns/{made}/preview/fi/")
    assert "Nytt" in framed.content.decode() or "Hej." in framed.content.decode()
    assert "sandbox" in framed["Content-Security-Policy"]
    assert "script-src" not in framed["Content-Security-Policy"]
    assert framed["X-Frame-Options"] == "SAMEORIGIN"


def test_the_plain_text_is_looked_at_as_it_leaves(staff, draft):
    shown = page(staff.get(f"/console/campaigns/{draft}/preview/?form=text"))

    assert "<pre" in shown
    assert "<iframe" not in shown


def test_a_test_goes_to_the_writer_alone(staff, draft, readers, letterbox):
    readers(2)
    me = staff.get("/console/").wsgi_request.user
    me.email = "anna@xledger.example"
    me.save()

    answer = staff.post(f"/console/campaigns/{draft}/", {"do": "test", "locale": "sv"}, follow=True, headers=SV)

    assert "anna@xledger.example" in page(answer)
    assert len(letterbox.letters) == 1
    assert "anna@xledger.example" in letterbox.recipients[0]
    assert not Delivery.everyone.exists()


def test_without_an_address_no_test_is_offered(staff, draft):
    assert "ingen e-postadress" in page(staff.get(f"/console/campaigns/{draft}/", headers=SV))


# --- sent -----------------------------------------------------------------------------------------------------------


def test_an_unfinished_campaign_cannot_begin(staff):
    made = campaigns.draft("Två", "product", "staff:1", contents={"sv": content()}, markets=["SE", "FI"])

    assert "Skriv först brevet på suomi" in page(staff.get(f"/console/campaigns/{made}/", headers=SV))
    told = page(staff.post(f"/console/campaigns/{made}/", {"do": "start"}, headers=SV), 409)
    assert "Skriv först brevet på alla språk" in told
    assert Campaign.objects.get().state == "draft"


def test_a_campaign_goes_to_those_who_subscribe_and_its_numbers_are_told(staff, draft, readers, letterbox):
    readers(6)

    staff.post(f"/console/campaigns/{draft}/", {"do": "start"})
    send_all()

    assert len(letterbox.letters) == 6
    shown = page(staff.get(f"/console/campaigns/{draft}/", headers=SV))
    assert re.search(r"<dt>Skickade brev</dt><dd[^>]*>6</dd>", shown)
    assert "Vem som öppnar ett brev räknas aldrig." in shown


def test_a_campaign_to_a_segment_reaches_nobody_else(staff, readers, letterbox):
    readers(3)
    readers(4, company="Snickarna")
    only = segments.describe(
        "Byråer", "newsletter", [Condition("field", ("byrå",), field="company", how="contains")], by="staff:1"
    )
    made = campaigns.draft("Byråbrev", "product", "staff:1", contents={"sv": content()}, markets=["SE"], segment=only)

    staff.post(f"/console/campaigns/{made}/", {"do": "start"})
    send_all()

    assert sorted(each["To"] for each in letterbox.letters) == [f"7-{number}@example.se" for number in range(3)]


def test_numbers_about_few_people_are_not_told(staff, draft, readers):
    people = readers(8)
    for person in people[:2]:
        consent.withdraw(person, "newsletter", method="portal")

    staff.post(f"/console/campaigns/{draft}/", {"do": "start"})
    send_all()

    shown = page(staff.get(f"/console/campaigns/{draft}/", headers=SV))
    assert re.search(r"<dt>Inget samtycke[^<]*</dt><dd[^>]*>färre än 5</dd>", shown)
    assert "<dt>Alla</dt>" not in shown


def test_a_campaign_is_paused_and_goes_on_and_is_stopped(staff, draft, readers):
    readers(2)
    address = f"/console/campaigns/{draft}/"
    staff.post(address, {"do": "start"})

    for do, state in (("pause", "paused"), ("resume", "sending"), ("stop", "stopped")):
        assert staff.post(address, {"do": do}).status_code == 302
        assert Campaign.objects.get().state == state
    assert "har kommit vidare" in page(staff.post(address, {"do": "resume"}, headers=SV), 409)


def test_a_campaign_begins_by_itself_at_the_time_of_the_market(staff, draft, readers, letterbox):
    readers(1)
    tomorrow = (clock.now() + timedelta(days=1)).date()
    address = f"/console/campaigns/{draft}/"

    assert (
        staff.post(address, {"do": "schedule", "day": str(tomorrow), "time": "09:00", "zone": "SE"}).status_code == 302
    )

    row = Campaign.objects.get()
    assert row.state == "scheduled"
    assert row.due_at == forms.moment(tomorrow, datetime.min.time().replace(hour=9), "SE")
    staff.post(address, {"do": "unschedule"})
    assert Campaign.objects.get().state == "draft"


@pytest.mark.parametrize(
    "when, told",
    [
        ({"day": "2001-01-01", "time": "09:00", "zone": "SE"}, "inte har varit"),
        ({"day": "", "time": "09:00", "zone": "SE"}, "Dag saknas."),
        ({"day": "imorgon", "time": "09:00", "zone": "SE"}, "Ange dag och tid."),
    ],
)
def test_a_time_that_cannot_be_is_refused_in_the_form(staff, draft, when, told):
    assert told in page(staff.post(f"/console/campaigns/{draft}/", {"do": "schedule"} | when, headers=SV), 422)


@pytest.mark.parametrize(
    "market, day, expected",
    [
        ("SE", (2026, 1, 15), 8),
        ("SE", (2026, 7, 15), 7),
        ("FI", (2026, 1, 15), 7),
        ("GB", (2026, 7, 15), 8),
        ("US", (2026, 1, 15), 16),
    ],
)
def test_nine_in_the_morning_is_by_the_clock_of_the_market(xledger, market, day, expected):
    at = forms.moment(datetime(*day, tzinfo=UTC).date(), datetime.min.time().replace(hour=9), market)

    assert (at.hour, at.minute) == (expected, 0)


def test_the_page_follows_a_sending_only_for_whoever_asks(staff, draft, readers):
    readers(1)
    staff.post(f"/console/campaigns/{draft}/", {"do": "start"})

    assert "Refresh" not in staff.get(f"/console/campaigns/{draft}/").headers
    assert staff.get(f"/console/campaigns/{draft}/?follow=1").headers["Refresh"] == "5"


def test_a_draft_is_copied_and_thrown_away(staff, draft):
    staff.post(f"/console/campaigns/{draft}/", {"do": "copy"})
    assert Campaign.objects.count() == 2

    staff.post(f"/console/campaigns/{draft}/", {"do": "discard"})
    assert not Campaign.objects.filter(pk=draft).exists()


# --- who may --------------------------------------------------------------------------------------------------------


def test_who_may_not_send_is_refused(draft, member, home):
    (home / "roles.yaml").write_text(
        """format: "1"
roles:
  lead: {permissions: "*", purposes: "*", second_factor: true, name: {sv: a, nb: a, fi: a, en-GB: a, en-US: a}}
  writer: {permissions: [campaigns.read, campaigns.write], second_factor: true, name: {sv: a, nb: a, fi: a, en-GB: a, en-US: a}}
  reader: {permissions: [campaigns.read], second_factor: false, name: {sv: a, nb: a, fi: a, en-GB: a, en-US: a}}
"""
    )
    writer, reader = member("bo", "writer"), member("eva", "reader", factor=False)

    assert writer.post(f"/console/campaigns/{draft}/", {"do": "start"}).status_code == 403
    assert writer.get(f"/console/campaigns/{draft}/letter/sv/").status_code == 200
    assert reader.get(f"/console/campaigns/{draft}/").status_code == 200
    assert reader.get(f"/console/campaigns/{draft}/letter/sv/").status_code == 403
    assert reader.post(f"/console/campaigns/{draft}/", {"do": "copy"}).status_code == 403
    assert Campaign.objects.get().state == "draft"


def test_opening_the_pages_reads_nobody(staff, draft, readers):
    readers(2)

    for address in ("", f"{draft}/", f"{draft}/preview/"):
        page(staff.get(f"/console/campaigns/{address}"))

    assert not Look.everyone.exists()


def test_a_sent_letter_has_our_own_picture_and_no_other(staff, readers, letterbox, settings):
    readers(1)
    made = campaigns.draft("Bild", "product", "staff:1", markets=["SE"])
    source = "![Vår](http://localhost:8000/static/a.png) ![Andras](https://tracker.example/b.png)"
    save(staff, f"/console/campaigns/{made}/letter/sv/", written(source=source))
    staff.post(f"/console/campaigns/{made}/", {"do": "start"})
    send_all()

    html = letterbox.last().get_body(("html",)).get_content()
    assert re.findall(r'<img[^>]* src="([^"]*)"', html) == ["http://localhost:8000/static/a.png"]


def test_a_click_is_counted_only_where_the_policy_says_so_and_shown_only_when_many(
    staff, draft, readers, letterbox, monkeypatch
):
    readers(1)
    source = "[Läs](https://xledger.com/se/nyheter)"
    save(staff, f"/console/campaigns/{draft}/letter/sv/", written(source=source))
    shown = page(staff.get(f"/console/campaigns/{draft}/preview/sv/"))
    assert "https://xledger.com/se/nyheter" in shown
    monkeypatch.setattr(counting, "is_on", lambda: True)
    staff.post(f"/console/campaigns/{draft}/", {"do": "start"})
    send_all()

    html = letterbox.last().get_body(("html",)).get_content()
    (to,) = re.findall(r'href="http://localhost:8000(/news/go/[^"]*)"', html)
    for _ in range(4):
        assert staff.get(to)["Location"] == "https://xledger.com/se/nyheter"
    assert "färre än 5" in page(staff.get(f"/console/campaigns/{draft}/", headers=SV))
    staff.get(to)
    assert re.search(r"nyheter</span></th><td[^>]*>5</td>", page(staff.get(f"/console/campaigns/{draft}/", headers=SV)))


def test_where_clicks_are_not_counted_the_page_says_so(staff, draft, readers, letterbox):
    readers(1)
    save(staff, f"/console/campaigns/{draft}/letter/sv/", written(source="[Läs](https://xledger.com/se/nyheter)"))
    staff.post(f"/console/campaigns/{draft}/", {"do": "start"})
    send_all()

    assert "/news/go/" not in letterbox.last().get_body(("html",)).get_content()
    assert "Policyn säger inte att klick räknas" in page(staff.get(f"/console/campaigns/{draft}/", headers=SV))
