"""An inquiry by telephone, in person or by post: noted with the same purpose, notice, last day and proof as by the form."""

import json
from datetime import timedelta

import pytest

from lofte.core import clock, mail, ports
from lofte.core.models import Mail, Outbox
from lofte.features.outreach.inquiries import reads
from lofte.features.outreach.inquiries.models import Inquiry
from lofte.features.register import reads as register

pytestmark = [pytest.mark.django_db(databases=["default", "keys"])]
NEW = "/console/inquiries/new/"
HERE = f"{NEW}?kind=application&edition=SE/sv"


@pytest.fixture
def seller(xledger, log, letterbox, no_limits, settings, member):
    settings.LOFTE_MAIL_DOMAIN = "mail.example.se"
    return member("siv", "register")


def note(client, at=HERE, **changed):
    said = {
        "medium": "phone", "received": clock.now().date().isoformat(), "name": "Astrid Lind", "email": "astrid@example.se",
        "phone": "", "words": "Söker arbete som säljare.", "to": "", "told": "on",
    }  # fmt: skip
    return client.post(at, said | changed)


def test_a_call_becomes_an_inquiry_of_somebody_new_with_all_a_form_gives(seller):
    assert "Jobbansökan" in seller.get(HERE).content.decode()  # what to tell, in the person's language
    answer = note(seller)
    (row,) = Inquiry.everyone.all()

    assert answer["Location"].endswith(f"/{row.id}/")
    assert (row.kind, row.purpose, row.market, row.state) == ("application", "application", "SE", "open")
    assert [each.relation for each in register.relations_of(row.person_id)] == ["applicant"]
    held = {each.field: each for each in register.holdings_of(row.person_id, "application", by="staff:1")}
    assert {name: held[name].value for name in ("name", "email", "dialogue")} == {
        "name": "Astrid Lind", "email": "astrid@example.se", "dialogue": "Söker arbete som säljare.",
    }  # fmt: skip
    assert {each.clock for each in held.values()} == {"applicant"}
    fact = Outbox.objects.get(kind="inquiry.received").fact
    assert (fact["medium"], fact["purpose"], fact["told"], bool(fact["wording"])) == (
        "phone",
        "application",
        True,
        True,
    )
    assert "astrid" not in json.dumps(fact).lower()
    mail.deliver(clock.now())
    assert Mail.everyone.get(letter="inquiry").state == "sent"
    assert "Söker arbete" in seller.get(answer["Location"]).content.decode()


def test_whose_number_it_is_gets_it_and_nothing_held_about_them_changes(seller):
    note(seller, email="", phone="08-123 45 67")
    (first,) = Inquiry.everyone.all()
    note(seller, f"{NEW}?kind=inquiry&edition=SE/sv", email="", phone="+46 8 123 45 67", name="Somebody Else")

    assert set(Inquiry.everyone.values_list("person_id", flat=True)) == {first.person_id}
    names = {each.value for each in register.holdings_of(first.person_id, "application", by="staff:1", fields=["name"])}
    assert names == {"Astrid Lind"}
    assert not Mail.everyone.exists()
    page = seller.post(f"/console/inquiries/{first.id}/reply/", {"words": "Hej!", "turn": reads.one(first.id).turn})
    assert (page.status_code, Mail.everyone.count()) == (422, 0)
    assert "e-postadress" in page.content.decode() or "email address" in page.content.decode()


@pytest.mark.parametrize(
    "wrong",
    [
        {"told": ""}, {"email": "", "phone": ""}, {"words": " "}, {"name": ""}, {"email": "astrid"}, {"medium": "pigeon"},
        {"received": (clock.now() + timedelta(days=3)).date().isoformat()}, {"to": "staff:99999"},
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_beside_the_field_and_nobody_is_taken_in(seller, wrong):
    page = note(seller, **wrong)

    assert page.status_code == 422
    assert 'class="error"' in page.content.decode()
    assert "Söker arbete" in page.content.decode() or "words" in wrong
    assert not Inquiry.everyone.exists()
    assert ports.register().find("email", "astrid@example.se") is None


def test_who_may_not_work_with_inquiries_notes_none(seller, member):
    assert member("rut", "auditors").get(NEW).status_code == 403
