"""Events as people meet them: the pages of a market, the console from draft to door, and what the person sees of it."""

import re
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from lofte.core import clock, mail, ports
from lofte.features.outreach.events import attendance, planning
from lofte.features.outreach.events.models import Event, Registration
from lofte.features.outreach.forms import intake, specs
from lofte.features.register import reads as register
from lofte.rules.catalogue import LOCALES, say
from lofte.web.forms import stamps

pytestmark = [pytest.mark.django_db(databases=["default", "keys"])]
PARTS = {
    "title": "Bokslutsdagen",
    "lead": "En förmiddag om bokslut.",
    "place": "Solna",
    "text": "## Program\n\n- Kaffe",
}
WORDS = {"sv": PARTS, "en-GB": {**PARTS, "title": "The year-end morning"}}


def begins():
    return (clock.now() + timedelta(days=20)).replace(hour=8, minute=0, second=0, microsecond=0)


@pytest.fixture
def event(xledger):
    def make(**changed):
        at = changed.pop("at", None) or begins()
        plan = planning.Plan(
            **{
                "slug": "bokslut-2027", "markets": ("SE", "GB"), "contents": WORDS, "starts_at": at,
                "ends_at": at + timedelta(hours=3), "zone": "Europe/Stockholm", "capacity": 2, "form": "event", "keep": "P30D",
                "retention": {"phone": "P3D"},
            }
            | changed
        )  # fmt: skip
        made = planning.draft(plan, by="staff:1")
        planning.publish(made, by="staff:1")
        return made

    return make


@pytest.fixture
def come(xledger, no_limits, letterbox):
    def register_for(event_id, email="astrid@example.se", name="Astrid Ek", **more):
        spec = specs.find("SE", "sv", "event")
        values = {"name": name, "company": "Ek AB", "email": email} | more
        intake.take("SE", "sv", "event", values, wording=specs.words(spec, "SE", "sv").wording, about=event_id)
        person = ports.register().find("email", email)
        mail.deliver(clock.now())
        return Registration.objects.of(person).get(event_id=event_id)

    return register_for


def page(answer, status=200):
    assert answer.status_code == status, re.findall(r'class="error"[^>]*>([^<]*)', answer.content.decode())
    return answer.content.decode()


def draft(**changed):
    """The console's form, filled in."""
    local = "%Y-%m-%dT%H:%M"
    said = {
        "slug": "frukost-2027", "markets": ["SE"], "starts_at": begins().strftime(local),
        "ends_at": (begins() + timedelta(hours=2)).strftime(local), "zone": "Europe/Stockholm", "closes_at": "", "online": "",
        "capacity": "30", "has_waiting_list": "on", "is_listed": "on", "form": "event", "keep": "P30D", "retention-phone": "P3D",
        "reminders": ["P1D"],
    }  # fmt: skip
    return said | {f"{part}-sv": text for part, text in PARTS.items()} | changed


# --- the pages of a market ------------------------------------------------------------------------------------------


def test_the_event_is_shown_in_its_markets_and_nowhere_else(visitor, event):
    event()

    assert "Bokslutsdagen" in page(visitor.get("/events/se/sv/"))
    shown = page(visitor.get("/events/se/sv/bokslut-2027/"))
    assert "The year-end morning" in page(visitor.get("/events/gb/en-GB/bokslut-2027/"))
    assert "/events/gb/en-GB/bokslut-2027/" in shown
    assert "2 platser kvar" in shown
    assert "<h3>Program</h3>" in shown
    assert "Bokslutsdagen" not in page(visitor.get("/events/no/nb/"))
    assert visitor.get("/events/no/nb/bokslut-2027/").status_code == 404


def test_the_page_says_basis_and_how_long_each_answer_is_kept(visitor, event):
    event()

    shown = page(visitor.get("/events/se/sv/bokslut-2027/"))

    assert say("sv", "common.bases.contract")[1:] in shown
    assert "Högst 30 dagar efter evenemanget. Telefonnummer: högst 3 dagar efter evenemanget." in shown
    assert "24 månader" not in shown
    assert not re.search(r'type="checkbox"[^>]*checked', shown)


def test_one_that_is_not_listed_is_for_those_who_have_its_address(visitor, event):
    event(is_listed=False)

    assert "Bokslutsdagen" not in page(visitor.get("/events/se/sv/"))
    assert "Bokslutsdagen" in page(visitor.get("/events/se/sv/bokslut-2027/"))


def test_a_draft_is_nowhere(visitor, xledger, event):
    Event.objects.filter(pk=event()).update(state="draft")

    assert visitor.get("/events/se/sv/bokslut-2027/").status_code == 404
    assert "Bokslutsdagen" not in page(visitor.get("/events/se/sv/"))


def test_registering_through_the_page_of_the_event(visitor, event, letterbox, monkeypatch):
    made = event()
    shown = page(visitor.get("/events/se/sv/bokslut-2027/"))
    action = re.search(r'<form method="post" action="([^"]+)"', shown).group(1)
    hidden = dict(re.findall(r'<input type="hidden" name="([a-z]+)" value="([^"]*)"', shown))
    monkeypatch.setattr(stamps, "read", lambda *_: stamps.Read.GOOD)  # a person takes longer than this test

    answer = visitor.client.post(
        action,
        hidden | {"name": "Astrid Ek", "company": "Ek AB", "email": "astrid@example.se"},
        HTTP_ORIGIN="http://localhost:8000",
    )
    assert "Du har en plats" in page(visitor.client.get(answer["Location"]))
    mail.deliver(clock.now())

    assert Registration.everyone.get().event_id == made
    assert letterbox.last()["Subject"] == "Du har en plats: Bokslutsdagen"
    assert "1 platser kvar" not in page(visitor.get("/events/se/sv/bokslut-2027/"))
    assert "En plats kvar" in page(visitor.get("/events/se/sv/bokslut-2027/"))


def test_the_calendar_file_is_for_everybody(visitor, event):
    event()

    answer = visitor.get("/events/se/sv/bokslut-2027/calendar.ics")

    assert answer["Content-Type"] == "text/calendar; charset=utf-8; method=PUBLISH"
    assert b"SUMMARY;LANGUAGE=sv:Bokslutsdagen" in answer.content


def test_the_mailed_link_shows_a_button_and_only_pressing_it_gives_up_the_place(visitor, event, come, letterbox):
    row = come(event())
    mail.deliver(clock.now())
    address = f"/events/se/sv/leave/{letterbox.link('leave')}/"

    for _ in range(3):  # a scanner looks at every link, more than once
        shown = page(visitor.get(address))
    assert "Avboka min plats" in shown
    assert "astrid" not in shown.lower()
    assert Registration.objects.of(row.person_id).get().state == "registered"

    assert "inte längre anmäld" in page(visitor.post(address))
    assert Registration.objects.of(row.person_id).get().state == "left"
    assert "inte längre anmäld" in page(visitor.get(address))


def test_a_post_from_another_site_gives_up_nothing(visitor, event, come, letterbox):
    row = come(event())
    mail.deliver(clock.now())

    answer = visitor.client.post(f"/events/se/sv/leave/{letterbox.link('leave')}/", HTTP_SEC_FETCH_SITE="cross-site")

    assert answer.status_code == 403
    assert Registration.objects.of(row.person_id).get().state == "registered"


def test_an_event_that_is_called_off_says_so_and_takes_nobody(visitor, event):
    planning.call_off(event(), by="staff:1")

    shown = page(visitor.get("/events/se/sv/bokslut-2027/"))

    assert "Evenemanget är inställt" in shown
    assert "<form" not in shown


def test_what_staff_wrote_cannot_carry_script(visitor, event):
    event(
        contents={
            **WORDS,
            "sv": {**PARTS, "text": "<script>x()</script> [a](javascript:x()) ![b](https://t.example/p.png)"},
        }
    )

    shown = page(visitor.get("/events/se/sv/bokslut-2027/"))

    assert "<script>x" not in shown
    assert 'href="javascript:' not in shown
    assert "<img" not in shown


# --- the console ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("locale", LOCALES)
def test_every_page_is_whole_in_every_language(staff, event, come, locale):
    made = event(capacity=1)
    come(made)
    come(made, "bo@example.se", "Bo Ek")
    staff.post("/console/locale/", {"locale": locale, "next": "/console/"})
    staff.post(f"/console/events/{made}/people/")
    for path in ("", "?show=over", "?show=forgetting", "new/", f"{made}/", f"{made}/edit/", f"{made}/people/"):
        shown = page(staff.get(f"/console/events/{path}"))
        assert f'lang="{locale}"' in shown
        assert not re.search(r"\bevents\.[a-z_]+", re.sub(r'(href|action|src)="[^"]*"', "", shown)), path


def test_an_event_is_written_published_and_seen(staff, visitor):
    answer = staff.post("/console/events/new/", draft())
    assert answer.status_code == 302, re.findall(r'class="error"[^>]*>([^<]*)', answer.content.decode())
    made = Event.objects.get()

    assert visitor.get("/events/se/sv/frukost-2027/").status_code == 404
    assert staff.post(f"/console/events/{made.id}/", {"do": "publish"}).status_code == 302

    made.refresh_from_db()
    assert "Bokslutsdagen" in page(visitor.get("/events/se/sv/frukost-2027/"))
    assert made.retention == {"phone": "P3D"}
    assert made.starts_at.astimezone(UTC).hour in (6, 7), "eight o'clock in Stockholm"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("slug", "Frukost!"), ("slug", "leave"), ("markets", ["XX"]), ("ends_at", "2020-01-01T10:00"), ("starts_at", "soon"),
        ("capacity", "0"), ("online", "http://plain.example"), ("keep", "P10Y"), ("form", "newsletter"), ("zone", "Mars/Base"),
        ("closes_at", "2099-01-01T10:00"), ("retention-phone", "forever"), ("title-sv", "x" * 121),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_beside_its_field_and_what_was_typed_stays(staff, field, value):
    shown = page(staff.post("/console/events/new/", draft(**{field: value})), 422)

    assert not Event.objects.exists()
    assert f'href="#id_{field}"' in shown
    assert "En förmiddag om bokslut." in shown


def test_an_event_is_not_published_before_all_its_languages_have_words(staff):
    staff.post("/console/events/new/", draft(markets=["SE", "FI"]))
    made = Event.objects.get()

    shown = page(staff.post(f"/console/events/{made.id}/", {"do": "publish"}), 409)

    assert 'role="alert"' in shown
    assert Event.objects.get().state == "draft"


def test_the_list_wants_a_purpose_and_every_opening_leaves_a_look(staff, event, come):
    made = event()
    row = come(made)
    address = f"/console/events/{made}/people/"

    assert "Astrid Ek" not in page(staff.get(address))
    looks = len(register.looks_of(row.person_id))
    staff.post(address)
    assert "Astrid Ek" in page(staff.get(address))

    look = register.looks_of(row.person_id)[0]
    assert len(register.looks_of(row.person_id)) == looks + 1
    assert (look.purpose, look.by.partition(":")[0], look.allowed) == ("event", "staff", True)


@pytest.mark.parametrize("role", ["operator", "requests", "auditors"])
def test_a_role_that_does_not_receive_people_sees_no_list(member, xledger, log, event, come, role):
    made = event()
    come(made)

    answer = member("bo", role).get(f"/console/events/{made}/people/")

    assert answer.status_code == 403
    assert b"Astrid" not in answer.content


def test_at_the_door_people_are_ticked_off_by_reference_once(staff, event, come):
    made = event(at=clock.now() + timedelta(hours=2))
    row = come(made)
    staff.post(f"/console/events/{made}/people/")

    typed = row.reference.replace("-", "").lower()
    assert staff.post(f"/console/events/{made}/people/tick/", {"reference": typed}).status_code == 302
    shown = page(staff.get(f"/console/events/{made}/people/"))
    assert Registration.objects.of(row.person_id).get().checked_in_at is not None
    assert 'value="undo"' in shown
    assert 'value="here"' not in shown

    wrong = page(staff.post(f"/console/events/{made}/people/tick/", {"reference": "NONE-HERE"}), 422)
    assert 'id="errors"' in wrong


def test_nobody_is_ticked_off_weeks_before(staff, event, come):
    made = event()
    row = come(made)
    staff.post(f"/console/events/{made}/people/")

    page(staff.post(f"/console/events/{made}/people/tick/", {"reference": row.reference}), 422)

    assert Registration.objects.of(row.person_id).get().checked_in_at is None


def test_checking_in_is_a_sign_of_interest_and_registering_is_none(staff, event, come):
    from lofte.features.register.models import Signal

    made = event(at=clock.now() + timedelta(hours=2))
    row = come(made)
    assert not Signal.objects.of(row.person_id).exists()

    for _ in range(2):
        attendance.check_in(made, row.id, row.person_id, by="staff:1")

    assert [each.kind for each in Signal.objects.of(row.person_id)] == ["event"]


def test_the_file_for_the_door_has_reference_and_name_and_no_formula(staff, event, come):
    made = event()
    row = come(made, name="=HYPERLINK(1)")

    unsaid = staff.post(f"/console/events/{made}/people/file/")
    assert (unsaid.status_code, unsaid["Location"]) == (302, f"/console/events/{made}/people/")
    staff.post(f"/console/events/{made}/people/")
    answer = staff.post(f"/console/events/{made}/people/file/")

    lines = answer.content.decode().lstrip("\ufeff").splitlines()
    assert lines[1] == f"{row.reference},'=HYPERLINK(1)"
    assert "astrid@example.se" not in answer.content.decode()


def test_staff_take_somebody_off_who_called(staff, event, come, letterbox):
    made = event()
    row = come(made)
    told = {"person": str(row.person_id), "registration": str(row.id), "do": "take_off"}

    assert staff.post(f"/console/events/{made}/people/tick/", told).status_code == 302
    mail.deliver(clock.now())

    assert Registration.objects.of(row.person_id).get().state == "left"
    assert "Du är inte längre anmäld: Bokslutsdagen" in {each["Subject"] for each in letterbox.letters}


@pytest.mark.parametrize("number", ["nothing", str(UUID(int=7))])
def test_a_made_up_line_is_nobody(staff, event, number):
    made = event()
    told = {"person": number, "registration": number, "do": "here"}

    assert staff.post(f"/console/events/{made}/people/tick/", told).status_code == 404


def test_the_person_sees_what_they_registered_for(visitor, event, come, portal_code, letterbox):
    row = come(event())

    assert visitor.post(f"{visitor.my}open/{portal_code('astrid@example.se')}/").status_code == 302
    shown = page(visitor.get(f"{visitor.my}data/"))

    assert "Bokslutsdagen" in shown
    assert row.reference in shown
    assert "Ek AB" in shown


def test_the_person_gives_up_their_place_from_their_own_page(visitor, event, come, portal_code):
    row = come(event())
    visitor.post(f"{visitor.my}open/{portal_code('astrid@example.se')}/")
    assert 'action="events/leave/"' in page(visitor.get(f"{visitor.my}data/"))

    answer = visitor.client.post(f"{visitor.my}data/events/leave/", {"registration": str(row.id)})

    assert answer.status_code == 302
    assert Registration.objects.of(row.person_id).get().state == "left"
    assert 'action="events/leave/"' not in page(visitor.get(f"{visitor.my}data/"))


def test_nobody_gives_up_somebody_elses_place(visitor, event, come, portal_code):
    made = event()
    come(made)
    other = come(made, "bo@example.se", "Bo Ek")
    visitor.post(f"{visitor.my}open/{portal_code('astrid@example.se')}/")

    answer = visitor.client.post(f"{visitor.my}data/events/leave/", {"registration": str(other.id)})

    assert answer.status_code == 404
    assert Registration.objects.of(other.person_id).get().state == "registered"


def test_times_are_those_of_the_place_of_the_event(visitor, event):
    event(at=datetime(2027, 7, 1, 7, tzinfo=UTC))

    assert "1 juli 2027, 09:00–12:00 (CEST)" in page(visitor.get("/events/se/sv/bokslut-2027/"))
    assert "1 July 2027, 09:00–12:00 (CEST)" in page(visitor.get("/events/gb/en-GB/bokslut-2027/"))


@pytest.mark.parametrize("why", ["full", "closed"])
def test_a_form_that_comes_too_late_says_so_and_keeps_what_was_typed(visitor, event, come, monkeypatch, why):
    made = event(capacity=1, has_waiting_list=False)
    shown = page(visitor.get("/events/se/sv/bokslut-2027/"))
    action = re.search(r'<form method="post" action="([^"]+)"', shown).group(1)
    hidden = dict(re.findall(r'<input type="hidden" name="([a-z]+)" value="([^"]*)"', shown))
    monkeypatch.setattr(stamps, "read", lambda *_: stamps.Read.GOOD)
    if why == "full":
        come(made, "bo@example.se")
    else:
        Event.objects.filter(pk=made).update(closes_at=clock.now())

    values = {"name": "Astrid Ek", "company": "Ek AB", "email": "astrid@example.se"}
    answer = visitor.client.post(action, hidden | values, HTTP_ORIGIN="http://localhost:8000")

    assert "Du är inte anmäld" in page(answer, 409)
    assert 'value="astrid@example.se"' in answer.content.decode()
    assert ports.register().find("email", "astrid@example.se") is None


def test_the_purpose_is_stated_for_each_event_anew(staff, event, come):
    """What was said of one list opens no other, nor its file."""
    first, second = event(), event(slug="frukost-2027")
    come(second)
    staff.post(f"/console/events/{first}/people/")

    assert "Astrid Ek" not in page(staff.get(f"/console/events/{second}/people/"))
    assert staff.post(f"/console/events/{second}/people/file/").status_code == 302
