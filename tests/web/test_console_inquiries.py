"""The inbox of inquiries: who sees it, what stands on it, and each act from the page to the letter."""

import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from lofte.core import clock, mail
from lofte.features.outreach.forms import intake, specs
from lofte.features.outreach.forms.files import Upload
from lofte.features.outreach.inquiries import reads, verbs
from lofte.features.register import attachments

pytestmark = [pytest.mark.django_db(databases=["default", "keys"])]
INBOX = "/console/inquiries/"
ASTRID = {"name": "Astrid Lind", "email": "astrid@example.se", "dialogue": "Vad kostar det för tjugo personer?"}


@pytest.fixture
def seller(xledger, log, member):
    return member("siv", "register")


@pytest.fixture
def ask(xledger, log, letterbox, no_limits, settings):
    """Somebody sends in a form of the policy; the inquiry it became."""
    settings.LOFTE_MAIL_DOMAIN = "mail.example.se"

    def send(kind="inquiry", market="SE", locale="sv", files=(), **values):
        wording = specs.words(specs.find(market, locale, kind), market, locale).wording
        company = {"company": "Lind AB"} if kind in ("supplier", "partner") else {}
        taken = intake.take(market, locale, kind, ASTRID | company | values, wording=wording, files=files)
        return reads.one(reads.find(taken.reference))

    return send


def address(line, act=""):
    return f"{INBOX}{line.id}/{f'{act}/' if act else ''}"


def do(client, line, act, button="", **said):
    shown = client.get(address(line)).content.decode()
    turn = re.search(r'name="turn" value="(\d+)"', shown).group(1)
    return client.post(address(line, act), {"turn": turn, "do": button, **said})


def test_the_inbox_names_nobody(ask, seller):
    line = ask()
    shown = seller.get(INBOX).content.decode()

    assert line.reference in shown
    assert "Astrid" not in shown
    assert "astrid@" not in shown


def test_the_inbox_is_narrowed_by_its_address_and_paged(ask, seller):
    here, there = ask(), ask("supplier", "NO", "nb", email="ola@example.no")

    narrowed = seller.get(f"{INBOX}?market=NO&kind=supplier").content.decode()
    assert there.reference in narrowed
    assert here.reference not in narrowed
    assert seller.get(f"{INBOX}?show=nonsense&page=x&market=XX").status_code == 200
    assert seller.get(f"{INBOX}?find={here.reference.lower()}").headers["Location"] == address(here)
    assert "AAAA-AAAA" in seller.get(f"{INBOX}?find=AAAA-AAAA").content.decode()


def test_one_inquiry_shows_what_was_written_and_leaves_one_look(ask, seller):
    from lofte.features.register.models import Look

    line = ask(files=[Upload("underlag.pdf", "application/pdf", b"%PDF-1.7")])
    before = Look.objects.of(line.person_id).count()
    shown = seller.get(address(line)).content.decode()

    assert "Vad kostar det för tjugo personer?" in shown
    assert "astrid@example.se" in shown
    assert "underlag.pdf" in shown
    looks = Look.objects.of(line.person_id).order_by("-at")
    assert looks.count() == before + 1
    assert set(looks[0].fields) == {"name", "email", "dialogue"}


def test_a_file_is_a_download_and_never_a_page(ask, seller):
    line = ask(files=[Upload("underlag.pdf", "application/pdf", b"%PDF-1.7")])
    (kept,) = attachments.of_person(line.person_id)
    answer = seller.get(f"{address(line)}file/{kept.id}/")

    assert answer.content == b"%PDF-1.7"
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert "sandbox" in answer.headers["Content-Security-Policy"]


def test_an_answer_is_previewed_and_then_sent_with_its_file(ask, seller, letterbox):
    line = ask()
    mail.deliver(clock.now())
    preview = do(seller, line, "reply", "preview", words="Hej Astrid!\n\nDet kostar hundra.")
    assert "Det kostar hundra." in preview.content.decode()
    assert reads.one(line.id).state == "open"
    pdf = SimpleUploadedFile("pris.pdf", b"%PDF-1.7 pris", "application/pdf")
    answer = do(seller, line, "reply", "close", words="Hej Astrid!\n\nDet kostar hundra.", files=pdf)

    assert answer.status_code == 302
    assert reads.one(line.id).state == "closed"
    mail.deliver(clock.now())
    letter = letterbox.last()
    assert letter["To"] == "astrid@example.se"
    assert [each.get_filename() for each in letter.iter_attachments()] == ["pris.pdf"]


def test_what_is_wrong_stands_beside_its_field_and_nothing_is_lost(ask, seller):
    line = ask()
    empty = do(seller, line, "reply", words="")
    runs = SimpleUploadedFile("pris.exe", b"MZ", "application/pdf")
    refused = do(seller, line, "reply", words="Se filen.", files=runs)

    assert (empty.status_code, refused.status_code) == (422, 422)
    assert "Write something first." in empty.content.decode()
    assert "This kind of file cannot be sent" in refused.content.decode()
    assert "Se filen." in refused.content.decode()


def test_who_acts_on_an_old_page_is_told_to_look_again(ask, seller):
    line = ask()
    verbs.note(line.id, "Jag tar den.", by="staff:99")
    answer = seller.post(address(line, "reply"), {"turn": str(line.turn), "words": "Hundra."})

    assert answer.status_code == 422
    assert "Somebody else has done something" in answer.content.decode()
    assert reads.one(line.id).state == "open"


@pytest.mark.parametrize(
    ("act", "said", "expected"),
    [
        ("told", {"medium": "phone", "answer": "Berättade priset."}, {"state": "answered"}),
        ("heard", {"medium": "phone", "heard": "Ville ha rabatt."}, {"state": "open"}),
        ("note", {"note": "Ring på måndag."}, {"state": "open"}),
        ("assign", {"to": "role:register"}, {"assignee": "role:register"}),
        ("move", {"kind": "partner", "market": "FI"}, {"kind": "partner", "market": "FI", "locale": "fi"}),
        ("close", {"outcome": "not_meant_for_us"}, {"state": "closed"}),
        ("hand_over", {"right": "access"}, {"state": "closed", "outcome": "handed_over"}),
    ],
)
def test_each_act_is_done_from_the_page(ask, staff, act, said, expected):
    line = ask()
    answer = do(staff, line, act, **said)

    assert answer.status_code == 302, answer.content.decode()
    found = reads.one(line.id)
    assert {name: getattr(found, name) for name in expected} == expected
    assert staff.get(address(line)).status_code == 200


def test_one_takes_an_inquiry_with_one_button(ask, staff):
    line = ask()
    assert do(staff, line, "assign", "mine").status_code == 302

    assert reads.one(line.id).assignee.startswith("staff:")
    assert line.reference in staff.get(f"{INBOX}?desk=mine").content.decode()


def test_what_is_closed_can_be_opened_again(ask, seller):
    line = ask()
    verbs.close(line.id, "nothing_asked", by="staff:1")
    assert do(seller, line, "reopen").status_code == 302

    assert reads.one(line.id).state == "open"


def test_the_text_is_not_shown_against_the_persons_word(ask, seller):
    from lofte.features.consent import verbs as consents

    line = ask()
    consents.object_to(line.person_id, "answers", method="portal")
    shown = seller.get(address(line)).content.decode()

    assert "tjugo personer" not in shown
    assert "astrid@" not in shown
    assert "The text cannot be shown now" in shown


def test_only_those_who_may_work_with_inquiries_see_them(ask, member, client):
    line = ask()
    operator = member("olle", "operator")

    assert client.get(INBOX).status_code == 302
    for path in (INBOX, address(line)):
        assert operator.get(path).status_code == 403
    assert operator.post(address(line, "reply"), {"words": "Hej"}).status_code == 403


def test_the_pages_speak_every_language(ask, staff):
    line = ask()
    for locale in ("sv", "nb", "fi", "en-GB", "en-US"):
        staff.post("/console/locale/", {"locale": locale, "next": INBOX})
        for path in (INBOX, address(line)):
            answer = staff.get(path)
            assert answer.status_code == 200
            assert f'lang="{locale}"' in answer.content.decode()
