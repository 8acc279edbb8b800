"""Sharing in the console and in the portal: map, agreements, referrals, cases; and what the person sees of it."""

import json
import re
from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from lofte.core import clock, mail, outbox
from lofte.features.register import verbs as register
from lofte.features.sharing import cases, disclosures, facts, recalls
from lofte.features.sharing.models import Agreement, Case, Disclosure, Member, Recall
from lofte.rules.catalogue import LOCALES

pytestmark = [pytest.mark.django_db(databases=["default", "keys"])]
ASTRID = "astrid@example.se"


@pytest.fixture
def astrid(xledger):
    person = register.welcome()
    here = {"market": "SE", "locale": "sv"}
    register.begin_relation(person, "customer", **here)
    register.hold(
        person, {"email": ASTRID, "name": "Astrid Ek", "phone": "+46 8 123 45 67"}, "contact", source="import:x", **here
    )
    return person


@pytest.fixture
def catch_up(log, letterbox):
    for kind, handler in facts.SUBSCRIPTIONS.items():
        outbox.subscribe(kind, handler)

    def run():
        mail.deliver(clock.now())
        while outbox.drain():
            mail.deliver(clock.now())

    yield run
    outbox.unsubscribe_all()


def paper(name="avtal.pdf"):
    return SimpleUploadedFile(name, b"%PDF-1.7 signed", content_type="application/pdf")


def said(**otherwise):
    today = clock.now().date()
    return {
        "partner": "Redovisningsbyrån Björk AB", "recipient": "partners-se", "services": ["accounting", "payroll"],
        "purposes": ["contact", "answers"], "fields": ["name", "email", "phone"], "country": "SE",
        "signed": today - timedelta(days=3), "expires": today + timedelta(days=300), "review_at": today + timedelta(days=200),
        "reviewer": "lead", "contact": "dataskydd@bjork.example", "endpoint": "", "without_payment": "on",
        "document": paper(),
    } | otherwise  # fmt: skip


@pytest.fixture
def agreement(staff):
    answer = staff.post("/console/sharing/agreements/new/", said())
    assert answer.status_code == 302, re.findall(r'class="error"[^>]*>([^<]*)', answer.content.decode())
    return Agreement.objects.get().id


def page(answer, status=200):
    assert answer.status_code == status
    return answer.content.decode()


def state_purpose(client, purpose="contact"):
    session = client.session
    session["console_purpose"] = purpose
    session.save()


@pytest.mark.parametrize("locale", LOCALES)
def test_every_page_is_whole_in_every_language(staff, agreement, astrid, catch_up, locale):
    staff.post("/console/locale/", {"locale": locale, "next": "/console/"})
    state_purpose(staff)
    made = disclosures.refer(astrid, "partners-se", "contact", ["name", "email"], "staff:1", told="phone")
    recalls.confirm(_recalled(astrid, catch_up, made), by="staff:1")
    order = cases.begin(_order(), by="staff:1")
    sale = cases.begin(_sale(), by="staff:1")
    cases.add_person(order, astrid, by="staff:1")
    for path in (
        "", "agreements/", "agreements/new/", f"agreements/{agreement}/", "referrals/", "referrals/?show=gone",
        "referrals/?show=back", "referrals/?show=recalls", f"referrals/{astrid}/{made}/", "cases/", "cases/new/authority/",
        "cases/new/merger/", f"cases/{order}/", f"cases/{sale}/",
    ):  # fmt: skip
        shown = page(staff.get(f"/console/sharing/{path}"))
        assert f'lang="{locale}"' in shown
        assert "sharing." not in re.sub(r'(href|action|src)="[^"]*"', "", shown), path
        assert ASTRID not in shown
    assert "Björk" in page(staff.get(f"/console/people/{astrid}/refer/"))


def _order():
    return cases.Given(
        kind="authority", recipient="authorities-se", name="Skatteverket", market="SE", fields=["name", "email"],
        law="SFL 39 kap. 3 §", decision="2026-77", decided_on=clock.now().date(), document_name="beslut.pdf", document=b"%PDF",
    )  # fmt: skip


def _sale():
    return cases.Given(
        kind="merger", recipient="successor-se", name="Nya Ägaren AB", market="SE", fields=["name", "email"], law="GDPR 6(1)(f)",
        decided_on=clock.now().date(), document_name="avtal.pdf", document=b"%PDF", relations=["customer"], contact="d@nya.example",
    )  # fmt: skip


def _recalled(person, catch_up, disclosure):
    catch_up()
    disclosures.hand_over(person, disclosure, by="staff:1")
    recalls.recall(person, "staff")
    return Recall.objects.get().id


def test_an_agreement_is_put_on_file_and_its_document_comes_back(staff, agreement):
    shown = page(staff.get("/console/sharing/agreements/"))
    assert "Redovisningsbyrån Björk AB" in shown
    answer = staff.get(f"/console/sharing/agreements/{agreement}/document/")
    assert answer.content == b"%PDF-1.7 signed"
    assert "attachment" in answer["Content-Disposition"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("without_payment", ""),
        ("document", ""),
        ("fields", []),
        ("expires", "2020-01-01"),
        ("contact", "nobody"),
        ("endpoint", "ftp://x"),
    ],
)
def test_an_agreement_with_a_fault_says_where(staff, field, value):
    shown = page(staff.post("/console/sharing/agreements/new/", said(**{field: value})), 422)
    assert 'class="error"' in shown
    assert not Agreement.objects.exists()


def test_a_person_is_referred_told_logged_and_then_handed_over_once(staff, agreement, astrid, catch_up, letterbox):
    state_purpose(staff)
    path = f"/console/people/{astrid}/refer/"
    fields = {"partner": str(agreement), "fields": ["name", "phone"], "told": "letter"}
    assert "Redovisningsbyrån Björk AB" in page(staff.post(path, fields | {"do": "preview"}))
    assert not Disclosure.objects.of(astrid).exists()
    answer = staff.post(path, fields | {"do": "refer"})
    assert answer.status_code == 302
    too_early = staff.post(answer.url, {"do": "hand_over"})
    assert "nothing leaves before" in page(too_early, 409)
    catch_up()
    assert "tar kontakt med dig" in letterbox.last()["Subject"]
    handed = staff.post(answer.url, {"do": "hand_over"})
    assert json.loads(handed.content)["values"] == {"name": "Astrid Ek", "phone": "+46 8 123 45 67"}
    assert "attachment" in handed["Content-Disposition"]
    assert ASTRID not in page(staff.get("/console/sharing/referrals/?show=gone"))
    staff.post(answer.url, {"do": "recall"})
    assert Recall.objects.get().reason == "staff"


def test_nothing_is_offered_where_nothing_is_on_file(staff, astrid):
    state_purpose(staff)
    assert "No agreement on file allows it" in page(staff.get(f"/console/people/{astrid}/refer/"))


def test_a_decision_needs_two_people_and_gives_only_those_it_names(staff, member, astrid, catch_up):
    other = member("bo", "lead")
    answer = staff.post("/console/sharing/cases/new/authority/", {
        "name": "Skatteverket", "recipient": "authorities-se", "market": "SE", "decision": "2026-77", "law": "SFL 39 kap. 3 §",
        "decided_on": clock.now().date(), "fields": ["name", "email"], "document": paper("beslut.pdf"), "tells": "on",
    })  # fmt: skip
    assert answer.status_code == 302
    here = answer.url
    assert "Nobody in the register" in page(
        staff.post(f"{here}do/", {"do": "name", "sought": "nobody@example.se"}), 422
    )
    assert staff.post(f"{here}do/", {"do": "name", "sought": ASTRID}).status_code == 302
    assert staff.post(f"{here}do/", {"do": "release"}).status_code == 302
    approval = re.search(r"/console/approvals/[0-9a-f-]{36}/", page(staff.get(here)))[0]
    assert "Hand over data in a case" in page(other.get(approval))
    assert staff.post(approval, {"decision": "approve"}).status_code == 403
    assert other.post(approval, {"decision": "approve"}).status_code == 302
    cases.carry(clock.now())
    catch_up()
    cases.carry(clock.now())
    handed = staff.post(f"{here}do/", {"do": "hand_over"})
    lines = b"".join(handed.streaming_content).decode().splitlines()
    assert [json.loads(each)["values"]["name"] for each in lines] == ["Astrid Ek"]
    assert staff.post(f"{here}do/", {"do": "close"}).status_code == 302
    assert Case.objects.get().state == "closed"


@pytest.mark.parametrize(
    ("role", "path", "status"),
    [
        ("register", "", 200), ("register", "agreements/new/", 403), ("register", "cases/new/authority/", 403),
        ("requests", "", 403), ("operator", "referrals/", 403), ("auditors", "", 403),
    ],
)  # fmt: skip
def test_who_may_do_what(xledger, log, member, role, path, status):
    assert member("bo", role).get(f"/console/sharing/{path}").status_code == status


def test_the_map_shows_every_recipient_and_names_nobody(staff, agreement, astrid):
    shown = page(staff.get("/console/sharing/"))
    assert shown.count("<circle") >= len(re.findall(r"<th scope=\"row\">", shown))
    assert "Astrid" not in shown
    assert "No agreement" in shown


def test_the_person_sees_who_got_what_when_and_why(inside, staff, agreement, catch_up):
    visitor = inside(ASTRID)
    from lofte.features.register import reads

    person = reads.person_of("email", ASTRID)
    register.hold(person, {"name": "Astrid Ek", "email": ASTRID}, "contact", source="staff:1", market="SE", locale="sv")
    made = disclosures.refer(person, "partners-se", "contact", ["name"], "staff:1", told="phone")
    catch_up()
    shown = visitor.get(f"{visitor.my}data/")
    assert "Beslutat, inget har lämnats ut än" in shown.content.decode()
    disclosures.hand_over(person, made, by="staff:1")
    catch_up()
    shown = visitor.get(f"{visitor.my}data/").content.decode()
    for word in ("Redovisningsbyrån Björk AB", "avtal med mottagaren", "Utlämnat", "Sverige"):
        assert word in shown


def test_a_sale_is_told_on_the_persons_page_and_they_can_stay(inside, staff, catch_up):
    visitor = inside(ASTRID)
    from lofte.features.register import reads

    person = reads.person_of("email", ASTRID)
    register.begin_relation(person, "customer", market="SE", locale="sv")
    sale = cases.begin(_sale(), by="staff:1")
    cases.announce(sale, by="staff:1")
    cases.carry(clock.now())
    catch_up()
    shown = visitor.get(f"{visitor.my}data/").content.decode()
    assert "Nya Ägaren AB tar över verksamhet" in shown
    assert 'value="restructuring"' in shown
    assert Member.objects.of(person).get().state == "noticed"


def test_what_ends_soon_is_said_on_the_first_page(staff):
    today = clock.now().date()
    given = said(expires=today + timedelta(days=20), review_at=today + timedelta(days=10))
    assert staff.post("/console/sharing/agreements/new/", given).status_code == 302
    assert "One agreement ends within 60 days." in page(staff.get("/console/sharing/"))
