"""The portal, act by act: proving oneself anew, copies in every form, restriction, questions and requests with their progress."""

import csv
import io
import json
import re
import zipfile
from datetime import timedelta

import pytest
from django.test import Client

from lofte.core import clock, mail, obligations, outbox, systems
from lofte.core.models import Mail
from lofte.features.register import attachments
from lofte.features.register import reads as register
from lofte.features.register import verbs as keep
from lofte.features.register.models import Attachment
from lofte.features.rights import cases, package, requests, restriction
from lofte.features.rights import verbs as rights
from lofte.features.rights.models import Request
from lofte.kernel.problems import Problem
from lofte.probes.instruments import schema

pytestmark = [pytest.mark.django_db(databases=["default", "keys"])]
LATER = timedelta(minutes=11)
EDITIONS = [("se", "sv"), ("no", "nb"), ("fi", "fi"), ("gb", "en-GB"), ("us", "en-US")]


@pytest.fixture
def person(inside):
    """Astrid, inside her portal, with a place, what was said and a file."""
    visitor = inside(name="Astrid Ek")
    found = register.person_of("email", "astrid@example.se")
    more = {"source": "staff:1", "market": "SE", "locale": "sv"}
    keep.begin_relation(found, "customer", market="SE", locale="sv")
    keep.place(found, {"company": "Norrsken AB", "title": "Ekonomichef"}, "customer", **more)
    said = keep.note(
        found, "Ring Olle på 070-765 43 21 eller olle@example.se", "customer", medium="phone", direction="in", at=clock.now(),
        by="staff:1", market="SE", locale="sv",
    )  # fmt: skip
    file = attachments.attach(found, said, "underlag.txt", b"siffror", by="staff:1")
    Attachment.objects.of(found).filter(id=file).update(state="given")
    return found, visitor


def code_of(letterbox) -> str:
    mail.deliver(clock.now())
    body = letterbox.last().get_body(("plain",)).get_content()
    return re.search(r"^\s*(\d{3} \d{3})\s*$", body, re.MULTILINE).group(1)


def whole(answer) -> bytes:
    return b"".join(answer.streaming_content) if answer.streaming else answer.content


def in_page(answer) -> str:
    return re.sub(r"<[^>]+>", "", answer.content.decode())


# --- proving oneself anew -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["data/download.json", "data/download.html", "data/erase/"])
def test_an_older_visit_is_asked_for_a_code_first(inside, path):
    visitor = inside()
    with clock.at(clock.now() + LATER):
        answer = visitor.get(visitor.my + path)

        assert (answer.status_code, answer["Location"]) == (302, f"{visitor.my}code/")
        assert visitor.get(f"{visitor.my}data/").status_code == 200


def test_with_the_code_from_the_mailbox_the_visit_goes_on_where_it_was(inside, letterbox):
    visitor = inside()
    with clock.at(clock.now() + LATER):
        visitor.get(f"{visitor.my}data/erase/")
        visitor.client.post(f"{visitor.my}code/", {"send": "1"})
        answer = visitor.client.post(f"{visitor.my}code/", {"code": code_of(letterbox)})

        assert answer["Location"] == f"{visitor.my}data/erase/"
        assert visitor.get(f"{visitor.my}data/erase/").status_code == 200


def test_a_wrong_code_is_told_kindly_and_opens_nothing(inside):
    visitor = inside()
    with clock.at(clock.now() + LATER):
        visitor.client.post(f"{visitor.my}code/", {"send": "1"})
        answer = visitor.client.post(f"{visitor.my}code/", {"code": "12"})

        assert answer.status_code == 422
        assert "Koden stämmer inte" in in_page(answer)
        assert visitor.get(f"{visitor.my}data/erase/").status_code == 302


def test_an_erasure_ordered_on_an_old_page_waits_for_the_code(inside):
    visitor = inside()
    with clock.at(clock.now() + LATER):
        assert visitor.client.post(f"{visitor.my}data/erase/")["Location"] == f"{visitor.my}code/"
    assert register.person_of("email", "astrid@example.se") is not None


# --- copies ---------------------------------------------------------------------------------------------------------


def test_the_page_to_read_needs_nothing_else(person):
    _, visitor = person
    answer = visitor.get(f"{visitor.my}data/download.html")
    shown = answer.content.decode()

    assert "attachment" in answer["Content-Disposition"]
    assert re.findall(r"<(?:script|link|img|iframe|object)|@import|url\(", shown) == []
    for words in (
        "Allt vi har om dig",
        "Astrid Ek",
        "Norrsken AB, Ekonomichef",
        "Du ringde",
        "underlag.txt",
        "Ditt samtycke",
    ):
        assert words in shown


def test_the_page_to_read_has_the_words_of_the_consent_and_nothing_of_others(person):
    _, visitor = person
    shown = visitor.get(f"{visitor.my}data/download.html").content.decode()

    assert "Ja, Xledger får skicka nyheter" in shown
    assert "[någon annans telefonnummer]" in shown
    assert "[någon annans e-postadress]" in shown
    assert "olle@example.se" not in shown


@pytest.mark.parametrize(("market", "locale"), EDITIONS)
def test_the_page_to_read_is_whole_in_every_language(person, market, locale):
    _, visitor = person
    shown = visitor.get(f"/my/{market}/{locale}/data/download.html").content.decode()

    assert f'<html lang="{locale}">' in shown
    assert "Astrid Ek" in shown
    numbers = re.findall(r'<section aria-labelledby="(\w+)"', shown)
    assert numbers == re.findall(r'<li><a href="#(\w+)"', shown)


def test_the_data_file_fits_the_schema_that_is_published_beside_it(person):
    _, visitor = person
    published = visitor.get(f"{visitor.my}copy.schema.json").json()
    found = visitor.get(f"{visitor.my}data/download.json").json()

    assert published == package.schema()
    assert schema.errors(found, published) == []
    assert found["format"] == "lofte/access/3"


def test_the_archive_holds_every_form_and_every_file(person):
    _, visitor = person
    answer = visitor.get(f"{visitor.my}data/download.zip")
    archive = zipfile.ZipFile(io.BytesIO(whole(answer)))
    names = archive.namelist()

    assert {name.rpartition(".")[2] for name in names} == {"html", "json", "csv", "vcf", "txt"}
    (file,) = [name for name in names if name.endswith("underlag.txt")]
    assert archive.read(file) == b"siffror"
    rows = list(csv.DictReader(io.StringIO(archive.read("mina-uppgifter.csv").decode())))
    assert {row["medium"] for row in rows if row["field"] == "dialogue"} == {"phone"}
    assert b"FN:Astrid Ek" in archive.read("mina-uppgifter.vcf")


def test_a_file_nobody_has_looked_at_is_told_of_and_not_in_the_archive(person):
    found, visitor = person
    said = keep.note(
        found,
        "Se brevet",
        "customer",
        medium="post",
        direction="in",
        at=clock.now(),
        by="staff:1",
        market="SE",
        locale="sv",
    )
    attachments.attach(found, said, "brev från Olle.txt", b"hemligt", by="staff:1")
    archive = zipfile.ZipFile(io.BytesIO(whole(visitor.get(f"{visitor.my}data/download.zip"))))

    assert sum(name.endswith(".txt") for name in archive.namelist()) == 1
    assert "Vi tittar på filen" in in_page(visitor.get(f"{visitor.my}data/"))
    assert {each.state for each in cases.of(found)} == {"waiting"}
    assert "att någon hos oss har tittat på filerna" in in_page(visitor.get(f"{visitor.my}requests/"))


def test_a_copy_leaves_one_request_a_day_that_is_done(person):
    found, visitor = person
    for form in ("html", "zip", "json", "csv"):
        assert whole(visitor.get(f"{visitor.my}data/download.{form}"))

    assert sorted((each.right, each.state) for each in cases.of(found)) == [("access", "done"), ("portability", "done")]


def test_there_is_no_copy_in_a_form_nobody_offers(person):
    _, visitor = person
    assert visitor.get(f"{visitor.my}data/download.exe").status_code == 404


def test_a_long_row_of_looks_is_cut_on_the_page_and_whole_in_the_copy(person):
    found, visitor = person
    for _ in range(53):
        register.holdings_of(found, "customer", by="outreach")

    assert "3 äldre tittar till" in in_page(visitor.get(f"{visitor.my}data/"))
    assert visitor.get(f"{visitor.my}data/download.html").content.decode().count("Utskicket av nyhetsbrev") >= 53


# --- restriction, correction ----------------------------------------------------------------------------------------


def test_a_person_restricts_the_use_and_lifts_it_again(person):
    found, visitor = person
    assert "Begränsa nu" in in_page(visitor.get(f"{visitor.my}data/restrict/"))

    visitor.client.post(f"{visitor.my}data/restrict/")
    assert restriction.is_restricted(found)
    assert "Användningen är begränsad sedan" in in_page(visitor.get(f"{visitor.my}data/"))

    visitor.client.post(f"{visitor.my}data/restrict/", {"decision": "lift"})
    assert not restriction.is_restricted(found)


def test_a_restriction_takes_no_right_away(person):
    _, visitor = person
    visitor.client.post(f"{visitor.my}data/restrict/")
    first = re.findall(r'href="([^"]*/correct/[^"]*)"', visitor.get(f"{visitor.my}data/").content.decode())[0]

    assert visitor.client.post(first, {"value": "Astrid Ekh"}).status_code == 302
    assert "Astrid Ekh" in visitor.get(f"{visitor.my}data/download.html").content.decode()
    visitor.client.post(f"{visitor.my}data/withdraw/", {"purpose": "newsletter"})
    assert visitor.client.post(f"{visitor.my}data/erase/").status_code == 302
    assert register.person_of("email", "astrid@example.se") is None


def test_the_page_of_a_correction_says_what_it_holds_for(person):
    _, visitor = person
    first = re.findall(r'href="([^"]*/correct/[^"]*)"', visitor.get(f"{visitor.my}data/").content.decode())[0]

    assert "Nyheter" in in_page(visitor.get(first))


def test_what_was_said_is_no_value_to_overwrite(person):
    found, visitor = person
    said = next(each for each in register.holdings_of(found, "portal", by="person") if each.field == "dialogue")

    assert visitor.get(f"{visitor.my}data/correct/{said.id}/").status_code == 404


# --- questions, complaints, requests --------------------------------------------------------------------------------


def test_a_question_is_kept_confirmed_and_seen_with_its_last_day(person, letterbox):
    found, visitor = person
    answer = visitor.client.post(
        f"{visitor.my}requests/ask/", {"about": "question", "words": "Varför har ni mitt nummer?"}
    )
    shown = in_page(visitor.get(answer["Location"]))

    assert "Varför har ni mitt nummer?" in shown
    assert "Klart senast" in shown
    mail.deliver(clock.now())
    assert cases.of(found)[0].reference in letterbox.last()["Subject"]
    assert "Fråga" in in_page(visitor.get(f"{visitor.my}requests/"))


def test_the_page_for_complaints_names_the_authority(person):
    _, visitor = person
    for path in ("requests/ask/", "write/"):
        shown = visitor.get(visitor.my + path).content.decode()
        assert "Integritetsskyddsmyndigheten" in shown
        assert "https://www.imy.se" in shown


def test_when_it_is_the_persons_turn_the_page_says_so_and_takes_the_answer(person):
    found, visitor = person
    visitor.client.post(f"{visitor.my}requests/ask/", {"about": "complaint", "words": "Fel språk"})
    (case,) = cases.of(found)
    requests.ask_clarification(case.id, "Vilket brev menar du?", "staff:1")
    page = f"{visitor.my}requests/{case.id}/"
    assert "Nu är det din tur" in in_page(visitor.get(page))

    visitor.client.post(page, {"words": "Det i måndags"})

    shown = in_page(visitor.get(page))
    assert "Nu är det din tur" not in shown
    assert "Det i måndags" in shown
    assert cases.one(case.id).waiting_for == ()


def test_nobody_sees_or_answers_the_request_of_another(person, subscriber):
    subscriber("other@example.se")
    other = register.person_of("email", "other@example.se")
    asked = requests.receive(
        other, "question", by="person", channel="portal", market="SE", locale="sv", at=clock.now(), words="Hemligt"
    )
    _, visitor = person
    page = f"{visitor.my}requests/{asked}/"

    assert visitor.get(page).status_code == 404
    assert visitor.client.post(page, {"words": "Jag är det"}).status_code == 404
    assert not cases.one(asked).has("noted")


def test_anybody_may_write_and_gets_the_same_answer(visitor, subscriber):
    subscriber("known@example.se")
    fields = {"about": "question", "words": "Hur länge sparar ni besök?"}
    answers = [
        visitor.post(f"{visitor.my}write/", {**fields, "address": address})
        for address in ("known@example.se", "nobody@example.se")
    ]

    first, second = [
        (answer.status_code, answer["Location"], answer.content, sorted(answer.headers)) for answer in answers
    ]
    assert first == second
    assert Request.objects.filter(right="question").count() == 2


def test_a_stranger_fills_nobodys_mailbox_with_confirmations(xledger, log, visitor, monkeypatch):
    monkeypatch.undo()
    fields = {"about": "question", "words": "Hej", "address": "victim@example.se"}
    for _ in range(6):
        assert visitor.post(f"{visitor.my}write/", fields).status_code == 302

    assert Mail.everyone.filter(letter="request").count() == rights.PER_ADDRESS[0]


# --- erasure --------------------------------------------------------------------------------------------------------


def test_the_page_of_an_erasure_shows_every_step(person):
    _, visitor = person
    done = visitor.client.post(f"{visitor.my}data/erase/")
    outbox.drain()
    shown = Client().get(done["Location"]).content.decode()

    assert re.findall(r'<ol class="progress">(.*?)</ol>', shown, re.DOTALL)[0].count('class="done"') == 6
    assert "Astrid" not in shown


class Elsewhere:
    """A connected system with one row of everybody, that does what it is asked."""

    def check(self, policy=None):
        return []

    def takes(self, what, purpose):
        return True

    def find(self, who):
        return systems.Found({"contacts": 1})

    def export(self, act):
        return [systems.Record("contacts", (systems.Value("FullName", "name", "customer", "Astrid Ek"),))]

    def erase(self, act, found):
        pass

    correct = mark = erase

    def verify(self, act, found, exported):
        return []

    def search(self, who, found):
        return []


@pytest.fixture
def creatio():
    """Connects the system `creatio` as given; nothing is connected afterwards."""
    yield lambda connector: systems.connect("creatio", connector)
    systems.disconnect_all()


def test_the_page_of_an_erasure_names_the_system_it_waits_for_until_it_has_come(person, creatio):
    _, visitor = person
    creatio(Problem("source.unreachable", "the system does not answer", status=503))
    assert "Creatio" in in_page(visitor.get(f"{visitor.my}data/erase/"))
    done = visitor.client.post(f"{visitor.my}data/erase/")["Location"]
    waiting = in_page(Client().get(done))
    assert "Raderingen pågår" in waiting
    assert "Vi väntar på Creatio." in waiting

    creatio(Elsewhere())
    with clock.at(clock.now() + timedelta(hours=2)):
        rights.resume(clock.now())
        assert "Dina uppgifter är raderade" in in_page(Client().get(done))


def test_a_correction_says_where_it_goes_and_when_it_has_come(person, creatio):
    _, visitor = person
    creatio(Elsewhere())
    first = re.findall(r'href="([^"]*/correct/[^"]*)"', visitor.get(f"{visitor.my}data/").content.decode())[0]
    assert "Förs vidare till" in in_page(visitor.get(first))

    visitor.client.post(first, {"value": "Astrid Ekh"})
    assert "väntar på svar sedan" in in_page(visitor.get(f"{visitor.my}data/"))
    obligations.carry_out()

    assert "bekräftat" in in_page(visitor.get(f"{visitor.my}data/"))


def test_the_copy_shows_what_a_connected_system_gave_and_which_did_not_answer(person, creatio):
    _, visitor = person
    creatio(Elsewhere())
    assert "FullName" in in_page(visitor.get(f"{visitor.my}data/download.html"))
    creatio(Problem("source.unreachable", "the system does not answer", status=503))
    assert "Systemet kunde inte svara" in in_page(visitor.get(f"{visitor.my}data/download.html"))


# --- every page -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("market", "locale"), EDITIONS)
def test_every_page_speaks_every_language_without_script(person, market, locale):
    found, visitor = person
    asked = requests.receive(
        found, "question", by="person", channel="portal", market="SE", locale="sv", at=clock.now(), words="?"
    )
    my = f"/my/{market}/{locale}/"
    for path in ("", "write/", "written/", "code/", "data/", "data/copy/", "data/restrict/", "data/erase/", "requests/",
                 "requests/ask/", f"requests/{asked}/"):  # fmt: skip
        answer = visitor.get(my + path)
        shown = answer.content.decode()
        assert answer.status_code == 200, path
        assert f'<html lang="{locale}">' in shown
        assert "<script" not in shown
        assert json.dumps(str(found)) not in shown
