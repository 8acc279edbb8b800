"""Working with people in the console: search, notes with files, places, relations, corrections, duplicates, lists in and out."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from lofte.core import approvals, clock, tasks
from lofte.features.register import attachments, duplicates, merging, reads, search
from lofte.features.register import verbs as register
from lofte.features.register.models import (
    Attachment,
    Dialogue,
    Holding,
    Likeness,
    ListInHand,
    Look,
    Placement,
    Relation,
)

pytestmark = [pytest.mark.django_db(databases=["default", "keys"])]
LOCALES = ["sv", "nb", "fi", "en-GB", "en-US"]
HERE = {"source": "import:x", "market": "SE", "locale": "sv"}
NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)


def known(name="Astrid Ek", email="astrid@example.se", company="Fjord AB", title="Ekonomichef"):
    return register.meet(
        {"name": name, "email": email, "company": company, "title": title}, "customer", relation="customer", **HERE
    )


@pytest.fixture
def astrid(xledger):
    return known()


@pytest.fixture
def seeing(staff):
    """Staff who have stated that they look for customers."""
    session = staff.session
    session["console_purpose"] = "customer"
    session.save()
    return staff


def text(answer):
    return answer.content.decode()


def sought(client, words, purpose="customer"):
    return client.post("/console/people/", {"sought": words, "purpose": purpose}, HTTP_ACCEPT_LANGUAGE="en-GB")


@pytest.mark.parametrize("words", ["astrid ek", "ASTRID@example.se", "+46 70 123 45 67", "070-123 45 67"])
def test_somebody_who_is_found_alone_is_shown_at_once_by_one_look(staff, astrid, words):
    register.hold(astrid, {"phone": "070-123 45 67"}, "customer", **HERE)

    answer = sought(staff, words)

    assert answer["Location"] == f"/console/people/{astrid}/"
    assert "Astrid Ek" in text(staff.get(answer["Location"]))
    assert Look.objects.of(astrid).count() == 1


def test_several_are_listed_with_what_tells_them_apart(staff, astrid):
    known("Astrid Lind", "lind@example.se", "Fjäll AB", "VD")

    page = text(sought(staff, "Astrid"))

    assert all(word in page for word in ("Astrid Ek", "Astrid Lind", "Fjäll AB", "VD", "2 people found"))
    assert "sought" not in re.sub(r'name="sought"|id_sought\w*', "", page)


def test_an_organisation_is_found_by_its_name_and_shows_who_is_there(staff, astrid):
    known("Bo Ek", "bo@example.se", "FJORD ab", "VD")

    page = text(sought(staff, "fjord ab"))
    address = re.search(r"/console/organisations/[0-9a-f-]{36}/", page)[0]
    there = text(staff.get(address, HTTP_ACCEPT_LANGUAGE="en-GB"))

    assert "<h1>Fjord AB</h1>" in there
    assert there.index("Astrid Ek") < there.index("Bo Ek")
    assert "Ekonomichef" in there
    assert Look.objects.of(astrid).filter(by__startswith="staff:").exists()


def test_a_file_goes_out_in_a_copy_when_whoever_opened_it_says_so(seeing, astrid):
    said = register.note(
        astrid, "Se bilagan", "customer", medium="mail", direction="in", at=NOW, by="staff:1", market="SE", locale="sv"
    )
    file = attachments.attach(astrid, said, "avtal.txt", b"x", by="staff:1")
    attachments.want(astrid)
    queue = text(seeing.get("/console/people/files/", HTTP_ACCEPT_LANGUAGE="en-GB"))
    judge, opened = f"/console/people/{astrid}/file/{file}/judge/", f"/console/people/{astrid}/file/{file}/"

    assert f"/console/people/{astrid}/" in queue
    assert "avtal" not in queue
    seeing.post(judge, {"gives": "yes"})
    assert "not looked at yet" in text(seeing.get(f"/console/people/{astrid}/", HTTP_ACCEPT_LANGUAGE="en-GB"))
    seeing.get(opened)
    seeing.post(judge, {"gives": "yes"})
    assert "goes out in the copy" in text(seeing.get(f"/console/people/{astrid}/", HTTP_ACCEPT_LANGUAGE="en-GB"))


def test_nobody_is_found_by_a_piece_of_a_word(staff, astrid):
    assert "Nobody was found" in text(sought(staff, "Astr"))


def test_a_purpose_of_another_role_is_not_offered(member, xledger, log):
    client = member("bo", "register")

    page = text(client.get("/console/people/"))
    assert 'value="customer"' in page
    assert 'value="legal-hold"' not in page
    assert sought(client, "Astrid", "legal-hold").status_code == 422


def note(client, person, **changed):
    said = {"medium": "phone", "direction": "in", "at": "2026-11-20T10:30", "text": "Frågade om fakturan"} | changed
    return client.post(f"/console/people/{person}/note/", {f"note-{name}": value for name, value in said.items()})


def test_what_was_said_is_noted_at_the_hour_of_the_wall_with_its_file(seeing, astrid):
    seeing.post("/console/locale/", {"locale": "sv", "next": "/console/"})
    with clock.at(NOW + timedelta(days=1)):
        answer = note(seeing, astrid, file=SimpleUploadedFile("../Avtal å.pdf", b"%PDF-1.7 hemligt"))

    assert answer.status_code == 302
    entry = Dialogue.objects.of(astrid).get()
    assert entry.at == NOW
    assert entry.by.startswith("staff:")
    file = attachments.of(astrid, [entry.id])[0]
    assert (file.name, file.kind) == ("Avtal å.pdf", "application/pdf")
    page = text(seeing.get(f"/console/people/{astrid}/"))
    assert "Frågade om fakturan" in page
    assert "anna" in page
    got = seeing.get(f"/console/people/{astrid}/file/{file.id}/")
    assert got.content == b"%PDF-1.7 hemligt"
    assert got["Content-Disposition"].startswith("attachment;")
    assert "sandbox" in got["Content-Security-Policy"]


def test_a_note_that_is_refused_is_shown_again_with_what_is_wrong(seeing, astrid):
    answer = note(seeing, astrid, text="", at="2999-01-01T00:00")

    assert answer.status_code == 422
    assert "<details" in text(answer)
    assert "open" in text(answer)
    assert not Dialogue.everyone.exists()
    later = note(seeing, astrid, at="2999-01-01T00:00")
    assert later.status_code == 422
    assert not Holding.everyone.filter(field="dialogue").exists()


def test_a_file_that_is_too_large_leaves_no_note_behind(seeing, astrid):
    answer = note(seeing, astrid, file=SimpleUploadedFile("a.txt", b"x" * (attachments.LARGEST + 1)))

    assert answer.status_code == 422
    assert not Dialogue.everyone.exists()
    assert not Attachment.everyone.exists()


def test_a_file_from_somebody_who_is_not_signed_in_is_not_read(visitor):
    answer = visitor.client.post(
        "/my/se/sv/", {"address": "a@example.se", "file": SimpleUploadedFile("a.txt", b"x" * 100)}
    )

    assert not answer.wsgi_request.FILES


def test_dialogue_is_shown_by_medium(seeing, astrid):
    note(seeing, astrid, text="Ringde")
    note(seeing, astrid, text="Skrev", medium="mail")

    only = text(seeing.get(f"/console/people/{astrid}/?medium=mail"))
    assert "Skrev" in only
    assert "Ringde" not in only


def test_places_and_relations_are_added_and_ended(seeing, astrid):
    seeing.post(f"/console/people/{astrid}/place/", {"place-company": "Fjäll AB", "place-title": "VD"})
    place = Placement.objects.of(astrid).get(organisation=search.organisations.id_of("fjäll ab"))
    seeing.post(f"/console/people/{astrid}/place/{place.id}/")
    seeing.post(f"/console/people/{astrid}/relation/", {"relation-relation": "partner", "relation-market": "NO/nb"})
    partner = Relation.objects.of(astrid).get(relation="partner")
    seeing.post(f"/console/people/{astrid}/relation/{partner.id}/")

    assert Placement.objects.of(astrid).get(id=place.id).ended_at
    assert (partner.market, Relation.objects.of(astrid).get(id=partner.id).ended_at is not None) == ("NO", True)


def test_a_value_is_put_right_and_an_entry_that_should_not_be_there_is_removed(seeing, astrid):
    name = Holding.objects.of(astrid).get(field="name")
    seeing.post(f"/console/people/{astrid}/correct/{name.id}/", {"value": "Astrid Ekström"})
    note(seeing, astrid)
    entry = Dialogue.objects.of(astrid).get()
    shown = text(seeing.get(f"/console/people/{astrid}/correct/{entry.id}/", HTTP_ACCEPT_LANGUAGE="en-GB"))
    assert 'name="value"' not in shown
    seeing.post(f"/console/people/{astrid}/correct/{entry.id}/", {"remove": "yes"})

    assert search.candidates("Ekström", "name") == [astrid]
    assert not Dialogue.everyone.exists()


def test_what_a_statute_keeps_is_not_removed_by_hand(staff, astrid):
    register.hold(astrid, {"name": "Astrid Ek"}, "legal-hold", **HERE)
    session = staff.session
    session["console_purpose"] = "legal-hold"
    session.save()
    kept = Holding.objects.of(astrid).get(purpose="legal-hold")

    assert 'name="remove"' not in text(staff.get(f"/console/people/{astrid}/correct/{kept.id}/"))
    staff.post(f"/console/people/{astrid}/correct/{kept.id}/", {"remove": "yes"})
    assert Holding.objects.of(astrid).filter(id=kept.id).exists()


def test_an_address_that_is_no_address_or_somebody_elses_is_said_beside_the_field(seeing, astrid):
    known("Bo Ek", "bo@example.se")
    email = Holding.objects.of(astrid).get(field="email")
    for value, word in (("nonsense", "not valid"), ("bo@example.se", "already belongs")):
        answer = seeing.post(
            f"/console/people/{astrid}/correct/{email.id}/", {"value": value}, HTTP_ACCEPT_LANGUAGE="en-GB"
        )
        assert answer.status_code == 422
        assert word in text(answer)


def test_nothing_is_written_for_a_purpose_the_person_objected_to(staff, astrid, log):
    from lofte.features.consent import verbs as consent

    consent.object_to(astrid, "contact", method="portal")
    session = staff.session
    session["console_purpose"] = "contact"
    session.save()

    answer = staff.post(f"/console/people/{astrid}/place/", {"place-company": "Fjäll AB"}, HTTP_ACCEPT_LANGUAGE="en-GB")
    assert answer.status_code == 403
    assert "has objected" in text(answer)
    assert Placement.objects.of(astrid).count() == 1


def test_somebody_new_is_met_once_and_never_on_a_consent(seeing, xledger):
    said = {
        "name": "Eva Berg",
        "email": "eva@example.se",
        "purpose": "contact",
        "relation": "prospect",
        "market": "SE/sv",
    }
    assert seeing.post("/console/people/new/", said).status_code == 302
    assert seeing.post("/console/people/new/", said).status_code == 422
    assert seeing.post("/console/people/new/", said | {"email": "", "phone": ""}).status_code == 422
    assert (
        seeing.post("/console/people/new/", said | {"email": "x@example.se", "purpose": "newsletter"}).status_code
        == 422
    )

    person = reads.person_of("email", "eva@example.se")
    assert {each.source.partition(":")[0] for each in reads.open_all(person, "security", by="probe").values()} == {
        "staff"
    }


def test_who_may_read_but_not_write_sees_no_forms_and_is_refused(member, astrid, log):
    client = member("carl", "requests")
    session = client.session
    session["console_purpose"] = "rights"
    session.save()

    page = text(client.get(f"/console/people/{astrid}/"))
    assert "Astrid Ek" in page
    assert "/note/" not in page
    assert note(client, astrid).status_code == 403
    assert client.get("/console/people/import/").status_code == 403


def test_two_who_may_be_one_are_compared_settled_or_made_one_by_two_people(seeing, member, astrid):
    twin = known("ASTRID EK", "a.ek@example.se")
    page = text(seeing.get(f"/console/people/{astrid}/"))
    assert f"/console/people/{astrid}/same/{twin}/" in page
    seen = text(seeing.get(f"/console/people/{astrid}/same/{twin}/"))
    assert "a.ek@example.se" in seen

    seeing.post(f"/console/people/{astrid}/same/{twin}/", {"keep": str(astrid)})
    asked = approvals.waiting()[0]
    assert (asked.about, asked.also) == (astrid, twin)
    member("berit", "lead").post(f"/console/approvals/{asked.id}/", {"decision": "approve"})

    assert merging.now(twin) == astrid
    assert seeing.get(f"/console/people/{twin}/")["Location"] == f"/console/people/{astrid}/"


def test_a_pair_that_is_two_people_is_settled_and_not_proposed_again(seeing, astrid):
    twin = known("Astrid Ek", "a.ek@example.se")
    duplicates.find(clock.now())
    assert "a.ek@example.se" in text(seeing.get("/console/people/alike/"))

    seeing.post(f"/console/people/{astrid}/same/{twin}/", {"keep": ""})

    assert Likeness.everyone.get().settled_by.startswith("staff:")
    assert f"/same/{twin}/" not in text(seeing.get(f"/console/people/{astrid}/"))


# --- lists ------------------------------------------------------------------------------------------------------------

LIST = "E-post,Namn,phone,Skonummer\neva@example.se,Eva Berg,070-1,43\nbo@example.se,=Bo Ek,,42\nnonsense,Nils,,41\n"


def give(client, content=LIST, name="mässa.csv", **changed):
    said = {
        "purpose": "contact",
        "market": "SE/sv",
        "relation": "prospect",
        "source": "massa-2026",
        "encoding": "",
    } | changed
    return client.post(
        "/console/people/import/",
        said | {"file": SimpleUploadedFile(name, content.encode())},
        HTTP_ACCEPT_LANGUAGE="en-GB",
    )


def columns(client, address, **chosen):
    return client.post(address, {"do": "columns"} | chosen)


def test_a_list_is_judged_row_by_row_before_anything_is_written_and_then_taken_in(seeing, xledger):
    address = give(seeing)["Location"]
    page = text(seeing.get(address, HTTP_ACCEPT_LANGUAGE="en-GB"))

    assert "not an e-mail address" in page
    assert "a formula is taken as text" in page
    assert "Skonummer" in page
    assert "eva@example.se" not in page
    assert not Holding.everyone.exists()
    refused = seeing.post(address, {"do": "apply"}, HTTP_ACCEPT_LANGUAGE="en-GB")
    assert refused.status_code == 422
    assert not Holding.everyone.exists()
    seeing.post(address, {"do": "apply", "leave_out": "yes"})

    assert "The list has been taken in" in text(seeing.get(address, HTTP_ACCEPT_LANGUAGE="en-GB"))
    assert reads.person_of("email", "bo@example.se")
    row = ListInHand.objects.get()
    assert bytes(row.sealed) == b""


def test_columns_are_named_in_the_page_and_the_list_judged_again(seeing, xledger):
    content = "Brev,Vem\neva@example.se,Eva Berg\n"
    assert give(seeing, content).status_code == 422
    address = give(seeing, content.replace("Brev", "email"))["Location"]
    columns(seeing, address, c0="email", c1="name")
    seeing.post(address, {"do": "apply"})

    person = reads.person_of("email", "eva@example.se")
    assert "Eva Berg" in {each.value for each in reads.open_all(person, "security", by="probe").values()}


def test_a_list_that_is_cancelled_or_forgotten_leaves_nothing(seeing, xledger):
    from lofte.core.keys.models import OwnerKey

    content = "email\neva@example.se\n"
    first, second = (give(seeing, content, source=source)["Location"] for source in ("a", "b"))
    seeing.post(first, {"do": "cancel"})
    tasks.run_now("register.forget_lists", clock.now() + timedelta(hours=2))

    assert not ListInHand.objects.exists()
    assert not OwnerKey.objects.exists()
    assert seeing.get(second).status_code == 404


def test_a_list_in_hand_is_its_givers_alone_and_sealed(seeing, member, xledger):
    address = give(seeing, "email\neva@example.se\n")["Location"]

    assert member("berit", "lead").get(address).status_code == 404
    assert b"eva" not in bytes(ListInHand.objects.get().sealed)


def test_a_long_list_goes_on_by_the_duty_where_the_page_left_it(seeing, xledger, monkeypatch):
    from lofte.features.register import lists

    rows = "".join(f"p{number}@example.se\n" for number in range(250))
    address = give(seeing, f"email\n{rows}")["Location"]
    monkeypatch.setattr(lists, "_AT_ONCE_S", -1)
    seeing.post(address, {"do": "apply"})
    page = text(seeing.get(address, HTTP_ACCEPT_LANGUAGE="en-GB"))
    assert "100 of 250 rows" in page

    tasks.run_now("register.take_in_lists")
    assert "The list has been taken in" in text(seeing.get(address, HTTP_ACCEPT_LANGUAGE="en-GB"))
    assert reads.people_count() == 250


def test_a_very_long_list_is_judged_in_stretches_goes_on_when_killed_and_is_shown_page_by_page(
    seeing, xledger, monkeypatch
):
    from lofte.features.register import imports, lists

    monkeypatch.setattr(imports, "STRETCH", 100)
    monkeypatch.setattr(lists, "_AT_ONCE_S", -1)
    rows = "".join(f"p{number}@example.se\n" for number in range(448))
    address = give(seeing, f"email\n{rows}nonsense\nP0@example.se\n")["Location"]
    page = text(seeing.get(address, HTTP_ACCEPT_LANGUAGE="en-GB"))
    assert "The list is being judged" in page
    assert "100 of 450 rows" in page
    assert (
        seeing.post(address, {"do": "apply"}, HTTP_ACCEPT_LANGUAGE="en-GB").status_code == 422
    )  # not before it is judged

    monkeypatch.setattr(lists, "_A_STRETCH_S", -1)
    tasks.run_now("register.take_in_lists")
    assert "200 of 450 rows" in text(seeing.get(address, HTTP_ACCEPT_LANGUAGE="en-GB"))
    judge, calls = imports._judge, []

    def killed(*given):
        calls.append(1)
        if len(calls) == 150:
            raise KeyboardInterrupt
        return judge(*given)

    monkeypatch.setattr(lists, "_A_STRETCH_S", 100)
    monkeypatch.setattr(imports, "_judge", killed)
    with pytest.raises(KeyboardInterrupt):
        lists.take_in(clock.now())
    tasks.run_now("register.take_in_lists")
    page = text(seeing.get(address, HTTP_ACCEPT_LANGUAGE="en-GB"))

    assert page.index("not an e-mail address") < page.index("the same person as row 2") < page.index("Page 1 of 3")
    assert re.search(r"448</strong>.*?1</strong>.*?1</strong>", page, re.DOTALL)
    last = text(seeing.get(f"{address}?page=3", HTTP_ACCEPT_LANGUAGE="en-GB"))
    assert "Page 3 of 3" in last
    assert last.count('<th scope="row"') == 50


def test_a_column_may_be_left_out_although_it_is_called_as_a_field(seeing, xledger):
    address = give(seeing, "email,name\neva@example.se,Eva Berg\n")["Location"]
    columns(seeing, address, c0="email", c1="")
    seeing.post(address, {"do": "apply"})

    person = reads.person_of("email", "eva@example.se")
    assert set(Holding.objects.of(person).values_list("field", flat=True)) == {"email"}


@pytest.mark.parametrize(
    ("changed", "word"),
    [
        ({"content": "email\n\xff"}, None),
        ({"source": "Fair 2026!"}, "Lower-case letters"),
        ({"content": "a,b\n1,2\n"}, "No column"),
        ({"content": "x", "name": "x.vcf"}, "not a vCard"),
        ({"purpose": "newsletter"}, "Fill in"),
    ],
)
def test_a_list_that_is_none_is_refused_in_words(seeing, xledger, changed, word):
    answer = give(seeing, **changed)

    if word:
        assert answer.status_code == 422
        assert word in text(answer)
    assert not Holding.everyone.exists()


def test_a_list_goes_out_once_and_only_when_somebody_else_agreed(seeing, member, astrid):
    seeing.post("/console/people/export/", {"purpose": "customer", "form": "csv"})
    asked = approvals.waiting()[0]
    assert seeing.post(f"/console/people/export/{asked.id}/").status_code == 403
    member("berit", "lead").post(f"/console/approvals/{asked.id}/", {"decision": "approve"})
    assert "Take out" in text(seeing.get("/console/people/export/", HTTP_ACCEPT_LANGUAGE="en-GB"))

    answer = seeing.post(f"/console/people/export/{asked.id}/")
    content = b"".join(answer.streaming_content).decode()

    assert "astrid@example.se" in content
    assert answer["Content-Disposition"].startswith('attachment; filename="customer-')
    assert Look.objects.of(astrid).filter(purpose="customer").exists()
    assert seeing.post(f"/console/people/export/{asked.id}/").status_code == 403


@pytest.mark.parametrize("locale", LOCALES)
def test_every_page_speaks_every_language(seeing, astrid, locale):
    twin = known("Astrid Ek", "a.ek@example.se")
    duplicates.find(clock.now())
    note(seeing, astrid)
    list_page = give(seeing, "email,Namn\nnonsense,Eva\n")["Location"]
    seeing.post("/console/locale/", {"locale": locale, "next": "/console/"})
    name = Holding.objects.of(astrid).get(field="name")
    house = search.organisations.id_of("Fjord AB")
    for address in (
        "/console/people/", "/console/people/new/", "/console/people/alike/", "/console/people/import/", list_page,
        "/console/people/export/", f"/console/people/{astrid}/", f"/console/people/{astrid}/same/{twin}/",
        f"/console/people/{astrid}/correct/{name.id}/", f"/console/organisations/{house}/",
    ):  # fmt: skip
        answer = seeing.get(address)
        assert answer.status_code == 200, address
        page = text(answer)
        assert f'<html lang="{locale}">' in page
        assert not re.search(
            r"people\.[a-z]+|\{[a-z]+\}|None|&lt;time", re.sub(r'href="[^"]*"|action="[^"]*"', "", page)
        ), address


def test_the_key_that_leads_to_the_search_can_be_turned_off_and_no_other_script_may_run(seeing, astrid):
    page = seeing.get("/console/people/")
    assert "console.js" in text(page)
    nonce = re.search(r'nonce="([^"]+)"', text(page))[1]
    assert f"script-src 'nonce-{nonce}'" in page["Content-Security-Policy"]

    seeing.post("/console/people/keys/", {"slash": "off"})
    page = seeing.get("/console/people/")
    assert "console.js" not in text(page)
    assert "script-src" not in page["Content-Security-Policy"]
