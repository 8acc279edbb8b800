"""That a form was sent in is forgotten with what it brought, and never before it has served."""

from datetime import timedelta

import pytest

from lofte.core import clock, ports
from lofte.features.outreach.forms import arrivals, forgetting, intake, specs
from lofte.features.outreach.forms.intake import Taken
from lofte.features.register import verbs as register

pytestmark = pytest.mark.django_db(databases=["default", "keys"])

ASTRID = {"email": "astrid@example.se", "name": "Astrid Lind"}


@pytest.fixture
def person(republish, no_limits, monkeypatch):
    def declare(policy):
        policy["forms"]["question"] = {
            "kind": "inquiry", "purpose": "answers", "fields": [{"field": "name"}, {"field": "email"}],
        }  # fmt: skip

    def handler(sent):
        arrivals.person_for(sent, "prospect")
        return Taken()

    republish(declare)
    monkeypatch.setitem(intake._handlers, "inquiry", handler)
    said = specs.words(specs.find("SE", "sv", "question"), "SE", "sv")
    intake.take("SE", "sv", "question", ASTRID, wording=said.wording)
    found = ports.register().find("email", ASTRID["email"])
    register.hold(found, {"email": ASTRID["email"]}, "customer", source="staff:1", market="SE", locale="sv")
    return found


def drop(person, purpose):
    register.drop(person, [each.id for each in ports.register().held(person) if each.purpose == purpose])


def test_it_stays_while_anything_is_held_for_its_purpose(person):
    later = clock.now() + timedelta(days=3 * 366)
    assert forgetting.forget_arrivals(later) == 0
    assert len(arrivals.of(person)) == 1
    drop(person, "answers")
    assert forgetting.forget_arrivals(later) == 0  # looked at a moment ago
    assert forgetting.forget_arrivals(later + timedelta(days=8)) == 1
    assert arrivals.of(person) == []


def test_it_is_not_looked_at_before_the_period_of_its_purpose_has_passed(person):
    drop(person, "answers")
    assert forgetting.forget_arrivals(clock.now() + timedelta(days=700)) == 0
    assert forgetting.forget_arrivals(clock.now() + timedelta(days=733)) == 1


def test_what_rests_on_consent_goes_within_days_of_the_last_of_it(person):
    at = clock.now()
    assert forgetting.first_look("newsletter", at) == at + timedelta(days=3)
    assert forgetting.first_look("no-longer-declared", at) == at + timedelta(days=3)
