"""What is sent in is taken once, checked against its form, and kept with the words it was asked with."""

import threading
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lofte.core import clock, holdings, ports
from lofte.features.outreach.forms import arrivals, intake, specs
from lofte.features.outreach.forms.files import KINDS, LARGEST, Upload
from lofte.features.outreach.forms.intake import Submission, Taken
from lofte.features.outreach.forms.models import Arrival, Once
from lofte.kernel.problems import Problem

pytestmark = pytest.mark.django_db(databases=["default", "keys"])

ASTRID = {"email": "astrid@example.se", "name": "Astrid Lind", "dialogue": "What does it cost?"}
PDF = Upload("cv.pdf", "application/octet-stream", b"%PDF-1.7 and more")


@pytest.fixture
def inquiry(published, republish, no_limits, monkeypatch):
    """A form of the policy with a message, files and a box, and a room that takes it in."""

    def declare(policy):
        policy["forms"]["question"] = {
            "kind": "inquiry", "purpose": "answers", "files": 2,
            "fields": [{"field": "name"}, {"field": "email"}, {"field": "dialogue"}, {"field": "phone", "required": False}],
            "boxes": [{"purpose": "newsletter", "channel": "email"}],
        }  # fmt: skip

    republish(declare)
    taken: list[Submission] = []

    def handler(sent: Submission) -> Taken:
        arrivals.person_for(sent, "prospect")
        taken.append(sent)
        return Taken("inquiries.thanks", "Q-1")

    monkeypatch.setitem(intake._handlers, "inquiry", handler)
    return taken


def wording(locale="sv"):
    return specs.words(specs.find("SE", locale, "question"), "SE", locale).wording


def send(values=None, **more):
    return intake.take(
        "SE", "sv", "question", values if values is not None else ASTRID, wording=wording(), **{"key": "k1"} | more
    )


def test_a_form_becomes_a_person_with_what_was_asked_and_a_note_of_how(inquiry):
    page = "https://www.example.se/se/contact/?utm_source=mail&email=astrid@example.se"
    assert send(page=page) == Taken("inquiries.thanks", "Q-1")
    person = ports.register().find("email", "astrid@example.se")
    held = ports.register().read(person, "answers", ("email", "name"), by="outreach")
    assert held == {"email": "astrid@example.se", "name": "Astrid Lind"}
    (row,) = arrivals.of(person)
    assert (row.form, row.kind, row.purpose, row.page) == ("question", "inquiry", "answers", "/se/contact/")
    assert row.wording == wording()
    assert row.version == specs.find("SE", "sv", "question").version
    assert row.boxes[0] | {"wording": ""} == {
        "purpose": "newsletter", "channel": "email", "shown": "box.question.newsletter-email", "wording": "", "ticked": False,
    }  # fmt: skip
    assert (person, "answers") == (inquiry[0].person, inquiry[0].form.purpose)


def test_what_is_written_in_own_words_is_left_to_whoever_takes_it_in(inquiry):
    send()
    person = inquiry[0].person
    assert inquiry[0].values["dialogue"] == "What does it cost?"
    assert "dialogue" not in ports.register().fields_held(person, "answers")


def test_an_address_somebody_else_typed_changes_nothing_that_is_held(inquiry):
    send()
    person = inquiry[0].person
    before = [(each.field, each.since) for each in ports.register().held(person)]
    with clock.at(clock.now() + timedelta(days=30)):
        send({**ASTRID, "name": "A stranger", "phone": "+46 70 123 45 67"}, key="k2")
    assert inquiry[1].person == person
    assert [(each.field, each.since) for each in ports.register().held(person)] == before
    assert not ports.register().kinds_held(person) & {("answers", "phone")}


def test_a_form_posted_twice_counts_once_and_is_answered_the_same(inquiry):
    assert send() == send()
    assert len(inquiry) == 1
    assert Arrival.everyone.count() == 1


def test_other_content_under_the_same_number_is_another_form(inquiry):
    send()
    send({**ASTRID, "dialogue": "And when?"})
    assert [each.values["dialogue"] for each in inquiry] == ["What does it cost?", "And when?"]


def test_double_posts_are_forgotten_after_a_day_and_hold_nothing_readable(inquiry):
    send()
    row = Once.objects.get()
    assert "astrid" not in f"{row.hash}{row.say}{row.reference}".lower()
    assert intake.forget_double_posts(clock.now()) == 0
    assert intake.forget_double_posts(clock.now() + timedelta(hours=25)) == 1


def test_a_room_that_fails_leaves_nothing_behind_and_the_next_try_counts(inquiry, monkeypatch):
    def fails(sent):
        arrivals.person_for(sent, "prospect")
        raise Problem("inquiries.closed", "no")

    good = intake._handlers["inquiry"]
    monkeypatch.setitem(intake._handlers, "inquiry", fails)
    with pytest.raises(Problem, match=r"inquiries\.closed"):
        send()
    assert not Once.objects.exists()
    assert ports.register().find("email", "astrid@example.se") is None
    monkeypatch.setitem(intake._handlers, "inquiry", good)
    assert send().reference == "Q-1"


@pytest.mark.parametrize(
    ("values", "code", "key"),
    [
        ({**ASTRID, "personnummer": "19121212-1212"}, "form.unknown-field", "personnummer"),
        ({**ASTRID, "name": "  "}, "form.missing-field", "name"),
        ({**ASTRID, "email": "astrid"}, "form.bad-value", "email"),
        ({**ASTRID, "phone": "call me"}, "form.bad-value", "phone"),
        ({**ASTRID, "name": "a" * 201}, "form.too-long", "name"),
        ({**ASTRID, "name": "Astrid\nBcc: all@example.se"}, "form.bad-value", "name"),
        ({**ASTRID, "dialogue": "x" * 8001}, "form.too-long", "dialogue"),
    ],
)
def test_what_the_form_does_not_ask_or_cannot_use_is_refused_by_name(inquiry, values, code, key):
    with pytest.raises(Problem) as refused:
        send(values)
    assert (refused.value.code, refused.value.place.key, refused.value.status) == (code, key, 422)
    assert not inquiry
    assert not Arrival.everyone.exists()
    assert not any(value in str(refused.value) for value in values.values() if value.strip() and value != "x")


def test_everything_wrong_is_said_at_once(inquiry):
    spec = specs.find("SE", "sv", "question")
    said = specs.words(spec, "SE", "sv")
    found = intake.faults(spec, said, {"email": "x", "shoe-size": "42"}, frozenset({("customer", "email")}), [])
    assert [(each.code, each.place.key) for each in found] == [
        ("form.unknown-field", "shoe-size"), ("form.missing-field", "name"), ("form.bad-value", "email"),
        ("form.missing-field", "dialogue"), ("form.unknown-box", ""),
    ]  # fmt: skip


def test_words_that_were_changed_meanwhile_are_not_consented_to(inquiry):
    with pytest.raises(Problem) as refused:
        intake.take("SE", "sv", "question", ASTRID, wording="0" * 64)
    assert (refused.value.code, refused.value.status) == ("form.changed", 409)


def test_a_form_of_another_market_or_language_is_not_here(inquiry):
    for market, locale, form in (("SE", "fi", "question"), ("XX", "sv", "question"), ("SE", "sv", "nothing")):
        with pytest.raises(Problem) as refused:
            specs.find(market, locale, form)
        assert (refused.value.code, refused.value.status) == ("form.not-here", 404)


def test_a_form_nobody_takes_in_is_closed(inquiry, monkeypatch):
    monkeypatch.delitem(intake._handlers, "inquiry")
    with pytest.raises(Problem, match=r"form\.not-here"):
        send()


# --- files ----------------------------------------------------------------------------------------------------------


def test_a_file_is_what_its_content_says_and_not_what_it_is_called(inquiry):
    send(files=[PDF])
    assert inquiry[0].files == (Upload("cv.pdf", "application/pdf", PDF.data),)


@pytest.mark.parametrize(
    ("files", "code"),
    [
        ([PDF, PDF, PDF], "form.too-many-files"),
        ([Upload("cv.pdf", "application/pdf", b"MZ\x90 a program")], "form.bad-file"),
        ([Upload("cv.exe", "application/pdf", b"%PDF-")], "form.bad-file"),
        ([Upload("cv.docx", "", b"PK\x03\x04 word/ vbaProject.bin")], "form.bad-file"),
        ([Upload("notes.txt", "text/plain", b"#!/bin/sh")], "form.bad-file"),
        ([Upload("cv.pdf", "", b"%PDF-" + b" " * LARGEST)], "form.file-too-large"),
        ([Upload("cv.pdf", "", b"")], "form.bad-file"),
    ],
)
def test_files_that_are_too_many_too_large_or_something_else_are_refused(inquiry, files, code):
    with pytest.raises(Problem) as refused:
        send(files=files)
    assert (refused.value.code, refused.value.place.key) == (code, "files")


@given(st.binary(max_size=64), st.sampled_from(sorted(KINDS)))
@settings(max_examples=200)
def test_no_bytes_make_the_judging_of_files_fall_over(data, ending):
    assert KINDS[ending][1](data) in (True, False)


# --- boxes ----------------------------------------------------------------------------------------------------------


def test_a_ticked_box_is_kept_as_shown_and_counts_for_nothing_before_the_mail_is_confirmed(inquiry):
    send(boxes=[("newsletter", "email")])
    person = inquiry[0].person
    assert arrivals.of(person)[0].boxes[0]["ticked"] is True
    assert not ports.consents().is_granted(person, "newsletter")


def test_the_newsletter_needs_its_box(inquiry):
    spec = specs.find("SE", "sv", "newsletter") if "newsletter" in {each.id for each in specs.every()} else None
    assert spec is None  # the small policy gives it no kind: nothing takes it in


def test_a_box_the_form_does_not_have_is_refused(inquiry):
    with pytest.raises(Problem, match=r"form\.unknown-box"):
        send(boxes=[("newsletter", "sms")])


# --- the person's own -----------------------------------------------------------------------------------------------


def test_the_copy_shows_what_was_sent_and_an_erasure_leaves_nothing(inquiry):
    send(boxes=[("newsletter", "email")])
    person = inquiry[0].person
    (sent,) = holdings.export_person(person)["forms"]["sent"]
    assert sent["form"] == "question"
    assert sent["boxes"][0]["ticked"]
    holdings.erase_rows(person)
    assert not Arrival.everyone.filter(person_id=person).exists()


def test_two_persons_who_are_one_keep_both_forms(inquiry):
    send()
    send({**ASTRID, "email": "astrid.lind@example.se"}, key="k2")
    one, other = inquiry[0].person, inquiry[1].person
    assert arrivals.follow(one, other) == {"forms_arrival": 1}
    assert len(arrivals.of(one)) == 2
    assert not arrivals.of(other)


# --- limits ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def limited(inquiry, monkeypatch):
    from lofte.core import limits

    counted: dict[tuple[str, str], int] = {}

    def allow(name, who, at_most, every):
        counted[name, who] = counted.get((name, who), 0) + 1
        return counted[name, who] <= at_most

    monkeypatch.setattr(limits, "allow", allow)
    return inquiry


def test_one_network_cannot_fill_the_inbox(limited):
    for number in range(intake.PER_NETWORK[0]):
        send({**ASTRID, "email": f"a{number}@example.se"}, key=str(number), remote="192.0.2.1")
    with pytest.raises(Problem) as refused:
        send({**ASTRID, "email": "one.more@example.se"}, key="more", remote="192.0.2.1")
    assert (refused.value.code, refused.value.status) == ("form.too-many", 429)


def test_one_address_cannot_be_used_again_and_again_however_it_is_spelt(limited):
    for number in range(intake.PER_ADDRESS[0]):
        send({**ASTRID, "email": "Astrid@Example.se" if number % 2 else "astrid@example.se"}, key=str(number))
    with pytest.raises(Problem, match=r"form\.too-many"):
        send(key="more")


# --- two at once ----------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True, databases=["default", "keys"])
def test_two_of_the_same_at_once_are_one(inquiry):
    answers: list[object] = []

    def post():
        try:
            answers.append(send())
        except BaseException as error:
            answers.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=post) for _ in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert answers == [Taken("inquiries.thanks", "Q-1")] * 4
    assert Arrival.everyone.count() == 1


@given(st.dictionaries(st.text(max_size=12), st.text(max_size=40), max_size=6))
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_nothing_that_is_typed_makes_the_check_fall_over(inquiry, values):
    spec = specs.find("SE", "sv", "question")
    said = specs.words(spec, "SE", "sv")
    for problem in intake.faults(spec, said, values, frozenset(), []):
        assert problem.status == 422


def test_what_a_form_is_about_goes_to_the_room(inquiry):
    about = uuid4()
    send(about=about)
    assert inquiry[0].about == about
    assert arrivals.of(inquiry[0].person)[0].about == about
