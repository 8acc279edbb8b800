"""What a person wrote to us, in their own pages: what we answered, by when, and their next word."""

import json

import pytest
from django.contrib.auth.models import User

from lofte.core import clock, mail, outbox
from lofte.features.outreach.forms import intake, specs
from lofte.features.outreach.inquiries import reads, verbs
from lofte.features.rights import reads as rights
from lofte.web.pages import edition
from lofte.web.portal.copies import readable

pytestmark = [pytest.mark.django_db(databases=["default", "keys"])]
WORDS = "Vad kostar det för tjugo personer?"


@pytest.fixture
def asked(visitor, letterbox):
    """A visitor who asked something by the form and opened their own pages by the mailed link."""
    wording = specs.words(specs.find("SE", "sv", "inquiry"), "SE", "sv").wording
    values = {"name": "Astrid Lind", "email": "astrid@example.se", "dialogue": WORDS}
    line = reads.one(reads.find(intake.take("SE", "sv", "inquiry", values, wording=wording).reference))
    mail.deliver(clock.now())
    return line


@pytest.fixture
def anna(staff):
    """Whoever answers, as actors are named."""
    return f"staff:{User.objects.get(username='anna').pk}"


@pytest.fixture
def inside_own(visitor, asked, portal_code):
    assert visitor.post(f"{visitor.my}open/{portal_code('astrid@example.se')}/").status_code == 302
    return visitor


def test_the_page_of_matters_lists_what_was_written(inside_own, asked):
    shown = inside_own.get(f"{inside_own.my}requests/").content.decode()

    assert asked.reference in shown
    assert "Väntar på vårt svar" in shown


def test_the_person_reads_the_thread_without_our_notes_and_goes_on_in_it(inside_own, asked, anna):
    verbs.reply(asked.id, "Det kostar hundra.\n\nAnna Berg", by=anna)
    verbs.note(asked.id, "Ring på måndag.", by=anna)
    page = f"{inside_own.my}inquiries/{asked.id}/"
    shown = inside_own.get(page).content.decode()
    assert WORDS in shown
    assert "Det kostar hundra." in shown
    assert "Anna Berg" in shown  # they were sent it: nothing is taken out
    assert "Ring på måndag." not in shown
    answer = inside_own.post(page, {"words": "Och för trettio?"})

    assert answer.status_code == 302
    assert reads.one(asked.id).state == "open"
    assert "Och för trettio?" in inside_own.get(page).content.decode()


def test_an_empty_word_is_asked_for_again(inside_own, asked):
    answer = inside_own.post(f"{inside_own.my}inquiries/{asked.id}/", {"words": " "})

    assert answer.status_code == 422
    assert "Skriv något först." in answer.content.decode()


def test_nobody_reads_what_somebody_else_wrote(inside, asked):
    other = inside("ulla@example.se")

    assert other.get(f"{other.my}inquiries/{asked.id}/").status_code == 404
    assert other.post(f"{other.my}inquiries/{asked.id}/", {"words": "Hej"}).status_code == 404


def test_the_copy_has_the_whole_history_with_our_notes(asked, anna):
    verbs.reply(asked.id, "Det kostar hundra.", by=anna)
    verbs.note(asked.id, "Ring på måndag.", by=anna)
    found = rights.access_package(asked.person_id)

    (shown,) = found["inquiries"]
    assert (shown["reference"], shown["kind"], shown["state"]) == (asked.reference, "inquiry", "answered")
    assert [each["kind"] for each in shown["history"]] == ["received", "acknowledged", "replied", "noted"]
    assert [each["words"] for each in shown["history"] if each["words"]] == [
        WORDS,
        "Det kostar hundra.",
        "Ring på måndag.",
    ]
    assert {each["part"] for each in found["tables"] if each["table"].startswith("inquiries_")} == {"inquiries"}
    assert "reply+" not in json.dumps(found)


def test_the_copy_to_read_has_it_too(inside_own, asked, anna):
    verbs.reply(asked.id, "Det kostar hundra.", by=anna)
    verbs.note(asked.id, "Ring på måndag.", by=anna)
    outbox.drain()
    shown = readable(edition("se", "sv"), rights.copy_of(asked.person_id))

    assert all(words in shown for words in (WORDS, "Det kostar hundra.", "Ring på måndag.", asked.reference))
    assert "Ett meddelande besvarades" in shown


def test_somebody_elses_address_in_a_note_is_taken_out_of_the_copy(asked, anna):
    verbs.note(asked.id, "Hennes chef är erik.strand@example.se.", by=anna)
    found = rights.access_package(asked.person_id)

    assert "erik.strand" not in json.dumps(found)


def test_the_page_speaks_the_language_of_its_edition(visitor, letterbox, portal_code):
    for market, locale in (("no", "nb"), ("fi", "fi"), ("gb", "en-GB"), ("us", "en-US")):
        wording = specs.words(specs.find(market.upper(), locale, "inquiry"), market.upper(), locale).wording
        address = f"kari@example.{market}"
        values = {"name": "Kari", "email": address, "dialogue": "?"}
        line = reads.one(reads.find(intake.take(market.upper(), locale, "inquiry", values, wording=wording).reference))
        visitor.market, visitor.locale = market, locale
        mail.deliver(clock.now())
        assert visitor.post(f"{visitor.my}open/{portal_code(address)}/").status_code == 302
        shown = visitor.get(f"{visitor.my}inquiries/{line.id}/")
        assert f'<html lang="{locale}"' in shown.content.decode()
