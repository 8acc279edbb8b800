"""Retention in the console (forecast, holds, brake, runs, why), and the page that asks a person whether to keep their data."""

from datetime import timedelta

import pytest

from lofte.core import clock, mail
from lofte.core.models import Person
from lofte.features.register import due, verbs
from lofte.features.register.models import Holding, Signal
from lofte.features.retention import brake, warnings
from lofte.features.retention import verbs as retention
from lofte.features.retention.models import Hold, Notice, Planned, Stop, Sweep
from lofte.rules.catalogue import LOCALES, say

pytestmark = pytest.mark.django_db(databases=["default", "keys"])
PAGES = ("", "holds/", "holds/new/", "brake/", "runs/")
EDITIONS = {"se": "sv", "no": "nb", "fi": "fi", "gb": "en-GB", "us": "en-US"}


@pytest.fixture
def quiet(xledger, log):
    """Somebody who was not heard of for so many days: ``quiet(700)``."""

    def make(days, market="SE", locale="sv", address="astrid@example.se"):
        person = verbs.welcome()
        verbs.begin_relation(person, "prospect", market=market, locale=locale)
        verbs.hold(
            person, {"email": address, "name": "Astrid Ek"}, "contact", source="import", market=market, locale=locale
        )
        Holding.objects.of(person).update(since=clock.now() - timedelta(days=days))
        due.refresh([person])
        return person

    return make


def page(client, path):
    answer = client.get(f"/console/retention/{path}")
    assert answer.status_code == 200, answer.content.decode()
    return answer.content.decode()


@pytest.mark.parametrize("locale", LOCALES)
def test_every_page_is_there_in_every_language(staff, quiet, locale):
    person = quiet(700)
    Sweep.objects.create(finished_at=clock.now(), people=3, erased=2, unwarned=1)
    Stop.objects.create(at=clock.now(), rules="other", reason="share", people=7, registered=9)
    staff.post("/console/locale/", {"locale": locale, "next": "/console/"})

    for path in (*PAGES, f"person/{person}/", f"person/{person}/hold/"):
        assert f'<html lang="{locale}"' in page(staff, path)


def test_the_forecast_tells_who_goes_by_a_supposed_day_and_changes_nothing(staff, quiet):
    quiet(725)
    before = list(Holding.everyone.values_list("id", "due_at", "clock"))
    until = (clock.now() + timedelta(days=40)).date().isoformat()

    assert "försvinner 1 av 1 personer" in page(staff, f"?until={until}") or "1 of 1 people" in page(
        staff, f"?until={until}"
    )
    assert list(Holding.everyone.values_list("id", "due_at", "clock")) == before


@pytest.mark.parametrize("until", ["yesterday", "2001-01-01", "9999-12-31"])
def test_a_day_that_cannot_be_looked_at_is_said(staff, xledger, until):
    answer = staff.get(f"/console/retention/?until={until}")

    assert answer.status_code == 422
    assert 'aria-invalid="true"' in answer.content.decode()


def test_a_hold_is_placed_seen_kept_and_released(staff, quiet):
    person = quiet(725)
    path = f"/console/retention/person/{person}/hold/"
    assert staff.post(path, {"statute": "claims", "citation": "", "reviewer": "lead"}).status_code == 422
    assert staff.post(path, {"statute": "claims", "citation": "GDPR 17(3)(e)", "reviewer": "lead"}).status_code == 422
    soon = (clock.now() + timedelta(days=60)).date().isoformat()
    said = {
        "statute": "claims",
        "citation": "GDPR 17(3)(e)",
        "reviewer": "lead",
        "fields_needed": ["email"],
        "review_at": soon,
    }

    answer = staff.post(path, said)

    assert answer.status_code == 302
    assert "GDPR 17(3)(e)" in page(staff, f"person/{person}/")
    assert "GDPR 17(3)(e)" in page(staff, "holds/")
    hold = Hold.objects.get()
    assert hold.fields == ["email"]
    one = f"/console/retention/holds/{hold.pk}/"
    later = (clock.now() + timedelta(days=90)).date().isoformat()
    assert staff.post(one, {"do": "review", "review_at": "2001-01-01"}).status_code == 422
    assert staff.post(one, {"do": "review", "review_at": later}).status_code == 302
    assert staff.post(one, {"do": "release"}).status_code == 302
    assert Hold.objects.get().released_at


def test_a_hold_on_everybody_names_its_purposes(staff, xledger):
    later = (clock.now() + timedelta(days=90)).date().isoformat()
    said = {"statute": "tax", "citation": "SFL 39:3", "reviewer": "lead", "market": "SE", "until": later}

    refused = staff.post("/console/retention/holds/new/", said)
    assert refused.status_code == 422
    assert staff.post("/console/retention/holds/new/", said | {"purposes": ["customer"]}).status_code == 302
    assert Hold.objects.get().person_id is None


def test_why_something_goes_shows_no_value_and_leaves_a_look(staff, quiet):
    person = quiet(700)

    shown = page(staff, f"person/{person}/")

    assert "astrid@example.se" not in shown
    assert "GDPR 5(1)(e)" in shown
    assert (
        "/console/retention/person/"
        in staff.post(
            "/console/people/", {"sought": "astrid@example.se", "purpose": "contact"}, follow=True
        ).content.decode()
    )


def test_a_stopped_plan_is_let_go_by_two_in_the_console(staff, member, quiet):
    people = [quiet(900, address=f"p{number}@example.se") for number in range(2)]
    stop = Stop.objects.create(
        at=clock.now(), rules=brake.rules_now(), reason="people", people=2, registered=2, state=Stop.State.WAITING
    )
    for person in people:
        Planned.objects.create(person_id=person, stop=stop.pk)
    assert 'role="alert"' in page(staff, "")

    assert staff.post("/console/retention/brake/", {"plan": str(stop.pk)}).status_code == 302
    asked = brake.one(stop.pk).approval
    other = member("bo", "lead")
    assert staff.post(f"/console/approvals/{asked}/", {"decision": "approve"}).status_code == 403
    assert "/console/retention/brake/" in other.get(f"/console/approvals/{asked}/").content.decode()
    assert other.post(f"/console/approvals/{asked}/", {"decision": "approve"}).status_code == 302
    assert brake.one(stop.pk).state == Stop.State.RELEASED


@pytest.mark.parametrize("path", ["holds/", "holds/new/"])
def test_who_may_not_hold_sees_no_holds(member, xledger, log, path):
    seller = member("siv", "register")

    assert seller.get(f"/console/retention/{path}").status_code == 403
    assert seller.post("/console/retention/brake/", {"plan": "x"}).status_code == 403


@pytest.mark.parametrize(("market", "locale"), EDITIONS.items())
def test_the_letter_leads_to_a_page_whose_button_keeps(visitor, quiet, letterbox, market, locale):
    person = quiet(720, market.upper(), locale)
    retention.sweep(clock.now())
    assert warnings.warn(clock.now()) == 1
    mail.deliver(clock.now())
    letter = letterbox.last()
    code = letterbox.link("keep")
    assert str(letter["Subject"]) == say(locale, "retention.letter.subject", organisation="Xledger")
    assert f"/my/{market}/{locale}/keep/{code}/" in letter.get_body(("plain",)).get_content()
    path = f"/my/{market}/{locale}/keep/{code}/"

    shown = visitor.get(path)
    assert say(locale, "retention.keep.button") in shown.content.decode()
    assert "astrid" not in shown.content.decode().lower()
    assert not Signal.objects.of(person).filter(kind="kept").exists()

    done = visitor.post(path)
    assert say(locale, "retention.keep.done") in done.content.decode()
    assert Signal.objects.of(person).filter(kind="kept").exists()
    assert Notice.objects.of(person).get().state == Notice.State.KEPT
    assert visitor.get(path).status_code == 410


def test_a_link_made_up_leads_nowhere(visitor, xledger):
    assert visitor.get(f"/my/se/sv/keep/{'x' * 43}/").status_code == 410


def test_only_a_part_that_goes_is_named(visitor, quiet, letterbox):
    person = quiet(720)
    verbs.begin_relation(person, "customer", market="SE", locale="sv")
    verbs.hold(person, {"email": "astrid@example.se"}, "customer", source="import", market="SE", locale="sv")
    retention.sweep(clock.now())
    warnings.warn(clock.now())
    mail.deliver(clock.now())

    assert "för: Kontakt." in letterbox.last().get_body(("plain",)).get_content()
    assert "för: Kontakt." in visitor.get(f"/my/se/sv/keep/{letterbox.link('keep')}/").content.decode()
    assert Person.objects.filter(pk=person).exists()
