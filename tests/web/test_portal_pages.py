"""The portal: the same answer for everybody, one person a session, and every right within reach."""

import csv
import io
import re

import pytest
from django.test import Client

from lofte.core import clock, mail, outbox
from lofte.evidence.verify import verify_receipt
from lofte.features.consent import reads as consents
from lofte.features.outreach import reads as outreach
from lofte.features.register import reads as register
from lofte.features.rights import verbs as rights

pytestmark = [pytest.mark.django_db(databases=["default", "keys"])]


def test_known_and_unknown_addresses_get_the_same_answer(visitor, subscriber):
    subscriber("known@example.se")

    answers = [visitor.post(visitor.my, {"address": address}) for address in ("known@example.se", "unknown@example.se")]

    first, second = [
        (answer.status_code, answer["Location"], answer.content, sorted(answer.headers)) for answer in answers
    ]
    assert first == second


def test_opening_the_link_opens_no_session_until_the_button_is_pressed(visitor, subscriber, portal_code):
    code = portal_code(subscriber())

    for _ in range(3):
        assert visitor.get(f"{visitor.my}open/{code}/").status_code == 200
    assert visitor.get(f"{visitor.my}data/").status_code == 302

    visitor.post(f"{visitor.my}open/{code}/")
    assert visitor.get(f"{visitor.my}data/").status_code == 200


def test_the_link_works_once(visitor, subscriber, portal_code):
    code = portal_code(subscriber())
    visitor.post(f"{visitor.my}open/{code}/")

    assert visitor.get(f"{visitor.my}open/{code}/").status_code == 410


def test_the_overview_shows_each_value_with_purpose_basis_source_clock_and_countdown(inside):
    visitor = inside(name="Astrid Ek")
    shown = visitor.get(f"{visitor.my}data/").content.decode()

    for words in (
        "Astrid Ek",
        "astrid@example.se",
        "Nyheter",
        "Ditt samtycke",
        "Formulär du fyllde i",
        "24 månader utan",
        "kvar",
    ):
        assert words in shown
    assert "Samtycke gavs och bekräftades" in shown
    assert "Vem som har tittat" in shown


def test_no_address_of_the_portal_names_the_person(inside):
    visitor = inside()
    shown = visitor.get(f"{visitor.my}data/").content.decode()

    person = str(register.person_of("email", "astrid@example.se"))
    for address in re.findall(r'(?:href|action)="([^"]*)"', shown):
        assert "astrid" not in address
        assert person not in address


def test_the_copies_hold_what_the_page_shows(inside):
    visitor = inside(name="Astrid Ek")

    package = visitor.get(f"{visitor.my}data/download.json")
    rows = list(csv.DictReader(io.StringIO(visitor.get(f"{visitor.my}data/download.csv").content.decode())))

    assert "attachment" in package["Content-Disposition"]
    assert {item["value"] for item in package.json()["holdings"]} >= {"Astrid Ek", "astrid@example.se"}
    assert {row["value"] for row in rows} >= {"Astrid Ek", "astrid@example.se"}


def test_a_name_is_corrected(inside):
    visitor = inside(name="Astird Ek")
    path = _corrections(visitor)[0]

    assert visitor.post(path, {"value": "Astrid Ek"}).status_code == 302
    assert "Astrid Ek" in visitor.get(f"{visitor.my}data/").content.decode()


def test_a_new_address_counts_only_when_its_owner_presses_the_button(inside, letterbox):
    visitor = inside(name="Astrid Ek")
    path = _corrections(visitor)[1]
    visitor.post(path, {"value": "astrid@new.example.se"})
    mail.deliver(clock.now())
    code = letterbox.link("address")

    visitor.get(f"{visitor.my}address/{code}/")
    assert register.person_of("email", "astrid@new.example.se") is None

    visitor.post(f"{visitor.my}address/{code}/")
    assert register.person_of("email", "astrid@new.example.se") is not None


def test_a_consent_is_withdrawn_with_one_press(inside):
    visitor = inside()
    person = register.person_of("email", "astrid@example.se")

    visitor.client.post(f"{visitor.my}data/withdraw/", {"purpose": "newsletter"})

    assert not consents.is_granted(person, "newsletter")
    assert outreach.subscriber_count() == 0


def test_what_does_not_rest_on_consent_cannot_be_withdrawn_but_says_so_kindly(inside):
    visitor = inside()

    answer = visitor.client.post(f"{visitor.my}data/withdraw/", {"purpose": "customer"})

    assert answer.status_code == 422
    assert "Vi förstod inte begäran" in answer.content.decode()


def test_topics_are_chosen_in_the_portal(inside):
    visitor = inside()
    person = register.person_of("email", "astrid@example.se")
    wanted = outreach.topics()[0]

    page = f"{visitor.my}data/topics/"
    assert page in visitor.get(f"{visitor.my}data/").content.decode()

    answer = visitor.post(page, {"wanted": [wanted, "made-up"]})

    assert outreach.topics_of(person) == (wanted,)
    receipt = re.findall(r'href="([^"]+/data/receipt/\d+\.json)"', answer.content.decode())[0]
    assert b"topics_chosen" in visitor.get(receipt).content
    visitor.client.post(page, {"everything": "on"})
    assert outreach.subscriber_count() == 0


def test_the_receipts_of_a_person_verify_and_those_of_others_are_not_found(inside, subscriber):
    subscriber("other@example.se")
    visitor = inside("astrid@example.se")
    shown = visitor.get(f"{visitor.my}data/").content.decode()

    (own,) = {int(found) for found in re.findall(r"/data/receipt/(\d+)\.json", shown)}
    verify_receipt(visitor.get(f"{visitor.my}data/receipt/{own}.json").content)
    assert b"<!DOCTYPE html>" in visitor.get(f"{visitor.my}data/receipt/{own}.html").content
    for index in set(range(8)) - {own}:
        assert visitor.get(f"{visitor.my}data/receipt/{index}.json").status_code == 404


def test_nobody_corrects_the_value_of_another_person(inside, subscriber, visitor):
    subscriber("other@example.se", name="Olle")
    other = register.person_of("email", "other@example.se")
    held = register.holdings_of(other, "rights", by="person")
    mine = inside("astrid@example.se")

    for holding in held:
        path = f"{mine.my}data/correct/{holding.id}/"
        assert mine.get(path).status_code == 404
        assert mine.client.post(path, {"value": "Mallory"}).status_code == 404


def test_without_a_session_every_page_leads_to_the_front_door(visitor):
    for path in ("", "download.json", "download.csv", "receipt/1.json", "erase/"):
        answer = visitor.get(f"{visitor.my}data/{path}")
        assert (answer.status_code, answer["Location"]) == (302, visitor.my)


def test_a_session_that_was_closed_is_worth_nothing(inside):
    visitor = inside()
    kept = Client()
    kept.cookies = visitor.client.cookies.copy()

    visitor.client.post(f"{visitor.my}close/")

    assert kept.get(f"{visitor.my}data/").status_code == 302


def test_the_plan_erases_nothing_and_erasure_leaves_nobody_but_a_receipt(inside):
    visitor = inside(name="Astrid Ek")
    plan = visitor.get(f"{visitor.my}data/erase/").content.decode()
    assert "Uppgifter om dig" in plan
    assert register.person_of("email", "astrid@example.se") is not None

    done = visitor.client.post(f"{visitor.my}data/erase/")
    outbox.drain()

    assert register.person_of("email", "astrid@example.se") is None
    stranger = Client()
    page = stranger.get(done["Location"]).content.decode()
    assert "Dina uppgifter är raderade" in page
    address = re.findall(r'href="([^"]*receipt\.json)"', page)[0]
    receipt = stranger.get(address)
    verify_receipt(receipt.content)
    assert b"astrid" not in receipt.content.lower()
    assert visitor.get(f"{visitor.my}data/").status_code == 302


def test_the_page_of_an_erasure_cannot_be_made_up(visitor):
    assert visitor.get(f"{visitor.my}erased/eyJpIjoxfQ:1x:forged/").status_code == 404


def test_the_portal_link_expires(visitor, subscriber, portal_code):
    code = portal_code(subscriber())

    with clock.at(clock.now() + rights.LINK_LASTS * 2):
        assert visitor.get(f"{visitor.my}open/{code}/").status_code == 410


def _corrections(visitor):
    """Addresses of the pages that correct a value, in the order shown: name, then address."""
    return re.findall(r'href="([^"]*/correct/[^"]*)"', visitor.get(f"{visitor.my}data/").content.decode())
