"""The pages of forms: a form says why it asks, comes back filled in, and works from any site without script or cookie."""

import re
from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from lofte.core import clock, ports
from lofte.features.outreach.forms import arrivals, intake, specs
from lofte.features.outreach.forms.intake import Taken
from lofte.features.outreach.forms.models import Arrival
from lofte.kernel.problems import Problem
from lofte.rules.catalogue import say

pytestmark = pytest.mark.django_db(databases=["default", "keys"])

EDITIONS = [("se", "sv"), ("no", "nb"), ("fi", "fi"), ("gb", "en-GB"), ("us", "en-US")]
ASTRID = {"name": "Astrid Lind", "email": "astrid@example.se", "dialogue": "Vad kostar det?"}
OUR_SITE = {"HTTP_ORIGIN": "https://www.xledger.com"}


@pytest.fixture
def arrived(visitor, monkeypatch):
    """A room that takes in inquiries and says what came."""
    taken = []

    def handler(sent):
        arrivals.person_for(sent, "prospect")
        taken.append(sent)
        return Taken("forms.thanks", "A-17")

    monkeypatch.setitem(intake._handlers, "inquiry", handler)
    return taken


def hidden(page):
    return dict(re.findall(r'<input type="hidden" name="([a-z]+)" value="([^"]*)"', page))


def send(fields, path="/forms/se/sv/inquiry/", after=timedelta(seconds=30), client=None, **more):
    """Open the form, read it for a while, and send it."""
    client = client or Client()
    shown = client.get(path)
    assert shown.status_code == 200, shown.content
    with clock.at(clock.now() + after):
        return client.post(path, hidden(shown.content.decode()) | fields, **more)


@pytest.mark.parametrize(("market", "locale"), EDITIONS)
def test_every_form_says_beside_its_fields_why_it_asks_on_what_ground_and_how_long_it_keeps(visitor, market, locale):
    for form in ("newsletter", "inquiry", "application", "supplier", "partner"):
        page = visitor.get(f"/forms/{market}/{locale}/{form}/").content.decode()
        spec = specs.find(market.upper(), locale, form)
        inside = page[page.index("<form") : page.index("</form>")]
        for key in ("purpose", "basis", "kept", "responsible"):
            assert say(locale, f"common.{key}") in inside
        for each in spec.fields:
            assert f'name="{each.field}"' in inside
        assert " checked" not in inside
        assert "Set-Cookie" not in visitor.get(f"/forms/{market}/{locale}/{form}/").headers


def test_a_form_that_is_sent_is_thanked_for_with_its_number(visitor, arrived):
    answer = send(ASTRID | {"box.newsletter-email": "on"})
    assert answer.status_code == 302, answer.content.decode()
    thanks = Client().get(answer["Location"]).content.decode()
    assert "A-17" in thanks
    assert say("sv", "forms.thanks_box") in thanks
    assert "astrid" not in answer["Location"].lower()
    assert arrived[0].boxes == {("newsletter", "email")}
    assert arrived[0].page == "/forms/se/sv/inquiry/"


def test_a_form_with_faults_comes_back_filled_in_with_each_error_beside_its_field(visitor, arrived):
    page = send({"name": "", "email": "astrid", "dialogue": "Hej & <b>hopp</b>", "box.newsletter-email": "on"})
    assert page.status_code == 422
    text = page.content.decode()
    assert 'href="#id_name"' in text
    assert 'href="#id_email"' in text
    assert say("sv", "forms.error.email") in text
    assert 'value="astrid"' in text
    assert "Hej &amp; &lt;b&gt;hopp&lt;/b&gt;" in text
    assert re.search(r'name="email"[^>]*aria-invalid="true" aria-describedby="id_email_error"', text)
    assert re.search(r'name="box.newsletter-email"[^>]* checked', text)  # theirs, not ours
    assert not arrived


def test_the_faults_are_told_in_the_visitors_language(visitor, arrived):
    text = send({"email": "kari"}, "/forms/fi/fi/inquiry/").content.decode()
    assert say("fi", "forms.error.email") in text
    assert say("fi", "common.form_errors", n=3) in text


def test_who_sends_within_a_second_is_asked_to_look_again_and_then_taken(visitor, arrived):
    client = Client()
    first = send(ASTRID, after=timedelta(seconds=0), client=client)
    assert first.status_code == 422
    assert say("sv", "forms.too_soon") in first.content.decode()
    assert not arrived
    again = hidden(first.content.decode())
    with clock.at(clock.now() + timedelta(seconds=5)):
        assert client.post("/forms/se/sv/inquiry/", again | ASTRID).status_code == 302
    assert len(arrived) == 1


def test_a_form_left_open_over_night_is_shown_again_with_what_was_written(visitor, arrived):
    answer = send(ASTRID, after=timedelta(hours=13))
    assert answer.status_code == 422
    assert "Vad kostar det?" in answer.content.decode()
    assert not arrived


def test_a_program_that_fills_in_the_hidden_field_is_thanked_and_forgotten(visitor, arrived):
    answer = send(ASTRID | {"website": "https://spam.example"})
    assert answer.status_code == 302
    assert not arrived
    assert not Arrival.everyone.exists()


def test_a_form_sent_twice_by_an_impatient_finger_counts_once(visitor, arrived):
    client = Client()
    fields = hidden(client.get("/forms/se/sv/inquiry/").content.decode()) | ASTRID
    with clock.at(clock.now() + timedelta(seconds=9)):
        answers = [client.post("/forms/se/sv/inquiry/", fields) for _ in range(3)]
    assert [each.status_code for each in answers] == [302] * 3
    assert len(arrived) == 1


def test_a_field_nobody_declared_is_refused_and_nothing_is_kept(visitor, arrived):
    answer = send(ASTRID | {"personnummer": "19121212-1212"})
    assert answer.status_code == 422
    assert say("sv", "forms.stray") in answer.content.decode()
    assert "19121212" not in answer.content.decode()
    assert not arrived


# --- from other sites -----------------------------------------------------------------------------------------------


def embedded(market="se", locale="sv", form="inquiry"):
    answer = Client().get(f"/forms/{market}/{locale}/{form}/embed.html")
    assert answer.status_code == 200
    return answer.content.decode()


@pytest.mark.parametrize(("market", "locale"), EDITIONS)
def test_the_piece_for_other_sites_is_plain_html_that_fetches_nothing(visitor, market, locale):
    piece = embedded(market, locale)
    assert f'action="http://localhost:8000/forms/{market}/{locale}/inquiry/"' in piece
    for word in ("<script", "<img", "<link", "<iframe", "src=", " checked", "onclick"):
        assert word not in piece
    for each in specs.find(market.upper(), locale, "inquiry").fields:
        assert f'name="{each.field}"' in piece


def test_a_form_on_the_markets_own_site_is_taken_at_once_and_answered_in_its_language(visitor, arrived):
    answer = Client().post("/forms/fi/fi/inquiry/", hidden(embedded("fi", "fi")) | ASTRID, **OUR_SITE)
    assert answer.status_code == 302
    assert '<html lang="fi"' in Client().get(answer["Location"]).content.decode()
    assert (arrived[0].market, arrived[0].locale) == ("FI", "fi")


def test_a_form_on_any_other_site_is_looked_over_here_first(visitor, arrived):
    client = Client()
    answer = client.post("/forms/se/sv/inquiry/", hidden(embedded()) | ASTRID, HTTP_ORIGIN="https://partner.example")
    text = answer.content.decode()
    assert say("sv", "forms.look_over") in text
    assert 'value="Astrid Lind"' in text
    assert not arrived
    with clock.at(clock.now() + timedelta(seconds=4)):
        assert client.post("/forms/se/sv/inquiry/", hidden(text) | ASTRID).status_code == 302
    assert len(arrived) == 1
    assert not client.cookies


def test_a_piece_with_words_of_yesterday_is_read_anew_before_it_counts(visitor, arrived):
    answer = Client().post("/forms/se/sv/inquiry/", {"wording": "0" * 64} | ASTRID, **OUR_SITE)
    assert answer.status_code == 409
    assert say("sv", "forms.changed") in answer.content.decode()
    assert not arrived


def test_the_page_it_came_from_is_kept_without_what_stands_behind_the_question_mark(visitor, arrived):
    fields = hidden(embedded()) | ASTRID | {"page": "https://www.xledger.com/se/kontakt/?email=a@b.se#x"}
    Client().post("/forms/se/sv/inquiry/", fields, **OUR_SITE)
    assert arrived[0].page == "/se/kontakt/"


# --- files ----------------------------------------------------------------------------------------------------------


def test_files_come_along_and_a_program_in_disguise_does_not(visitor, arrived):
    cv = SimpleUploadedFile("cv.pdf", b"%PDF-1.7 hello", "application/pdf")
    assert send(ASTRID | {"files": cv}).status_code == 302
    assert [(each.name, each.media_type) for each in arrived[0].files] == [("cv.pdf", "application/pdf")]
    bad = SimpleUploadedFile("cv.pdf", b"MZ\x90\x00", "application/pdf")
    answer = send(ASTRID | {"files": bad})
    assert answer.status_code == 422
    assert say("sv", "forms.error.bad_file") in answer.content.decode()


def test_a_file_that_is_far_too_large_is_said_to_be_and_the_rest_stays_written(visitor, arrived):
    large = SimpleUploadedFile("cv.pdf", b"%PDF-" + b"0" * 22_000_000, "application/pdf")
    answer = send(ASTRID | {"files": large})
    assert answer.status_code == 422
    text = answer.content.decode()
    assert say("sv", "forms.error.file_too_large") in text
    assert 'value="Astrid Lind"' in text


def test_a_form_without_files_takes_none(visitor):
    answer = send({"email": "a@example.se", "files": SimpleUploadedFile("a.pdf", b"%PDF-")}, "/forms/se/sv/newsletter/")
    assert answer.status_code in (400, 422)


# --- refusals -------------------------------------------------------------------------------------------------------


def test_an_unknown_form_and_an_old_thank_you_are_not_found(visitor):
    for path in ("/forms/se/sv/nothing/", "/forms/se/fi/inquiry/", "/forms/se/sv/inquiry/thanks/forged/"):
        assert visitor.get(path).status_code == 404


@pytest.mark.parametrize("kind, rest", [("event", "events"), ("material", "materials")])
def test_a_form_about_nothing_in_particular_leads_to_all_there_is_to_choose_from(visitor, kind, rest):
    for about in ("", "?about=nothing"):
        answer = visitor.get(f"/forms/se/sv/{kind}/{about}")
        assert (answer.status_code, answer["Location"]) == (302, f"/{rest}/se/sv/")
    assert visitor.get(answer["Location"]).status_code == 200


def test_too_many_forms_are_told_so_and_nothing_is_lost(visitor, arrived, monkeypatch):
    def full(*_):
        raise Problem("form.too-many", "too many", status=429)

    monkeypatch.setattr(intake, "_demand_room", full)
    answer = send(ASTRID)
    assert answer.status_code == 429
    assert "Vad kostar det?" in answer.content.decode()


def test_somebody_known_and_somebody_unknown_see_the_same(visitor, arrived):
    answers = [send(ASTRID), send(ASTRID | {"dialogue": "Igen"}), send(ASTRID | {"email": "new@example.se"})]
    assert [each.status_code for each in answers] == [302] * 3
    pages = [Client().get(each["Location"]).content for each in answers]
    assert pages[0] == pages[1] == pages[2]
    assert ports.register().find("email", "new@example.se") is not None


def test_people_see_on_their_own_page_which_forms_came_with_their_address(inside, arrived):
    visitor = inside("astrid@example.se")
    send(ASTRID | {"box.newsletter-email": "on"})
    page = visitor.get(f"{visitor.my}data/").content.decode()
    assert say("sv", "forms.own.title") in page
    assert "/forms/se/sv/inquiry/" in page
    assert say("sv", "forms.own.ticked", purpose="Nyheter") in page
