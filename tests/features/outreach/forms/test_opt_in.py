"""A ticked box asks by mail, and counts only when the mail's button was pressed; with the exact words that stood beside it."""

from datetime import timedelta

import pytest

from lofte.core import clock, mail, ports
from lofte.features.consent import reads as consent
from lofte.features.outreach import verbs as outreach
from lofte.features.outreach.forms import arrivals, intake, specs
from lofte.features.outreach.forms.intake import Taken
from lofte.features.outreach.forms.models import Arrival

pytestmark = pytest.mark.django_db(databases=["default", "keys"])

ASTRID = {"email": "astrid@example.se", "name": "Astrid Lind"}


@pytest.fixture
def house(republish, no_limits, letterbox, monkeypatch):
    def declare(policy):
        policy["forms"]["newsletter"]["kind"] = "newsletter"
        policy["forms"]["question"] = {
            "kind": "inquiry", "purpose": "answers",
            "fields": [{"field": "name"}, {"field": "email"}, {"field": "dialogue"}],
            "boxes": [{"purpose": "newsletter", "channel": "email"}],
        }  # fmt: skip

    def handler(sent):
        arrivals.person_for(sent, "prospect")
        return Taken()

    monkeypatch.setitem(intake._handlers, "inquiry", handler)
    return republish(declare)


def send(form, values, *boxes, key="k"):
    said = specs.words(specs.find("SE", "sv", form), "SE", "sv")
    return intake.take("SE", "sv", form, values, wording=said.wording, boxes=boxes, key=key)


def confirm(letterbox):
    mail.deliver(clock.now())
    return outreach.confirm(letterbox.link("confirm")).person_id


def test_a_ticked_box_becomes_a_consent_with_its_own_words_once_confirmed(house, letterbox):
    send("question", ASTRID | {"dialogue": "x" * 2_000}, ("newsletter", "email"))
    person = ports.register().find("email", ASTRID["email"])
    assert not ports.consents().is_granted(person, "newsletter")
    assert confirm(letterbox) == person
    assert ports.consents().is_granted(person, "newsletter")
    (event,) = consent.events_of(person)
    assert event.shown == "box.question.newsletter-email"
    assert event.wording == house.wording("SE", "sv", "box.question.newsletter-email")
    assert ports.register().read(person, "newsletter", ("email", "name"), by="outreach") == ASTRID


def test_an_unticked_box_sends_no_letter_at_all(house, letterbox):
    send("question", ASTRID | {"dialogue": "Hej"})
    mail.deliver(clock.now())
    assert letterbox.letters == []


def test_a_box_that_is_never_confirmed_leaves_the_question_and_nothing_else(house, letterbox):
    send("question", ASTRID | {"dialogue": "Hej"}, ("newsletter", "email"))
    outreach.forget_unconfirmed(clock.now() + timedelta(hours=49))
    person = ports.register().find("email", ASTRID["email"])
    assert not ports.consents().standings(person)
    assert arrivals.of(person)[0].boxes[0]["ticked"]


def test_a_newsletter_form_belongs_to_nobody_known_until_it_is_confirmed(house, letterbox):
    assert send("newsletter", ASTRID, ("newsletter", "email")) == Taken("forms.thanks_confirm")
    assert ports.register().find("email", ASTRID["email"]) is None
    (row,) = Arrival.everyone.all()
    person = confirm(letterbox)
    assert row.person_id == person
    assert ports.register().find("email", ASTRID["email"]) == person


def test_what_somebody_known_sent_in_is_theirs_once_the_mail_proves_it(house, letterbox):
    send("question", ASTRID | {"dialogue": "Hej"})
    person = ports.register().find("email", ASTRID["email"])
    send("newsletter", ASTRID, ("newsletter", "email"))
    assert [row.form for row in arrivals.of(person)] == ["question"]
    assert confirm(letterbox) == person
    assert {row.form for row in arrivals.of(person)} == {"question", "newsletter"}


def test_who_did_not_confirm_a_newsletter_form_is_gone_with_everything(house, letterbox):
    send("newsletter", ASTRID, ("newsletter", "email"))
    outreach.forget_unconfirmed(clock.now() + timedelta(hours=49))
    assert not Arrival.everyone.exists()
