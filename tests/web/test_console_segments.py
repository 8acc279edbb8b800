"""Segments in the console, and on the page of the person they hold."""

import re

import pytest

from lofte.core import tasks
from lofte.features.consent import verbs as consent
from lofte.features.outreach.segments import reads, verbs
from lofte.features.outreach.segments.matching import Condition
from lofte.features.outreach.segments.models import Segment
from lofte.features.register import verbs as register
from lofte.features.register.models import Look
from lofte.rules.catalogue import LOCALES

pytestmark = [pytest.mark.django_db(databases=["default", "keys"])]
BYRA = Condition("field", ("byrå",), field="company", how="contains")


def page(answer, status=200):
    assert answer.status_code == status, answer.content.decode()
    return answer.content.decode()


def said(**otherwise):
    """The form as a browser sends it."""
    return {
        "purpose": "newsletter", "name": "Svenska byråer", "do": "save", "market": ["SE"], "market_mode": "any",
        "relation_mode": "any", "topic_mode": "any", "interest_mode": "any", "days": "365", "field_1": "company",
        "how_1": "contains", "words_1": "byrå, revisor", "field_2": "", "how_2": "is", "words_2": "",
    } | otherwise  # fmt: skip


@pytest.fixture
def reader(xledger):
    def make(email, company):
        person = register.welcome()
        here = {"market": "SE", "locale": "sv"}
        register.begin_relation(person, "prospect", **here)
        register.hold(person, {"email": email, "company": company}, "newsletter", source="form:newsletter", **here)
        consent.grant(person, "newsletter", shown="form.newsletter", method="double_opt_in", **here)
        return person

    return make


@pytest.fixture
def segment(staff):
    return verbs.describe("Byråer", "newsletter", [BYRA, Condition("interest", ("download",), days=90)], by="staff:1")


@pytest.mark.parametrize("locale", LOCALES)
def test_every_page_is_whole_in_every_language(staff, segment, locale):
    staff.post("/console/locale/", {"locale": locale, "next": "/console/"})

    for address in ("", "new/", f"{segment}/", f"{segment}/change/"):
        shown = page(staff.get(f"/console/segments/{address}"))
        assert f'lang="{locale}"' in shown
        assert "{" not in re.sub(r"<(style|script)[^>]*>.*?</\1>", "", shown, flags=re.S)


def test_a_segment_is_described_without_script_and_counted(staff, reader):
    for number in range(5):
        reader(f"a{number}@a.example", "Ekbyrån")
    for number in range(6):
        reader(f"b{number}@a.example", "Snickaren")

    answer = staff.post("/console/segments/new/", said())

    row = Segment.objects.get()
    assert answer.headers["Location"] == f"/console/segments/{row.id}/"
    assert row.by.startswith("staff:")
    shown = page(staff.get(f"/console/segments/{row.id}/", headers={"Accept-Language": "sv"}))
    assert "Marknaden är Sverige." in shown
    assert "Företag innehåller byrå eller revisor." in shown
    tasks.run_now(verbs.COUNT)
    assert "5 personer" in page(staff.get(f"/console/segments/{row.id}/", headers={"Accept-Language": "sv"}))


def test_few_people_are_not_counted_on_any_page(staff, reader):
    reader("a@a.example", "Ekbyrån")
    for number in range(6):
        reader(f"b{number}@a.example", "Snickaren")
    staff.post("/console/segments/new/", said())
    tasks.run_now(verbs.COUNT)

    for address in ("", f"{Segment.objects.get().id}/"):
        assert "Färre än 5 personer" in page(
            staff.get(f"/console/segments/{address}", headers={"Accept-Language": "sv"})
        )


def test_one_more_line_keeps_what_was_typed_and_saves_nothing(staff):
    shown = page(staff.post("/console/segments/new/", said(do="more", name="")))

    assert 'name="field_3"' in shown
    assert "byrå, revisor" in shown
    assert 'role="alert"' not in shown
    assert not Segment.objects.exists()


@pytest.mark.parametrize(
    "otherwise, told",
    [
        ({"name": ""}, "Namn saknas."),
        ({"market": [], "field_1": ""}, "Ange minst ett villkor"),
        ({"words_1": " , "}, "Skriv minst ett ord"),
        ({"market": ["XX"]}, "Något i villkoret finns inte"),
        ({"field_1": "phone"}, "Något i villkoret finns inte"),
        ({"field_1": "email", "how_1": "is"}, "kan inte frågas efter på det sättet"),
        ({"interest": ["download"], "days": "0"}, "Ange antalet dagar"),
        ({"interest": ["download"], "days": "många"}, "Ange antalet dagar"),
    ],
)
def test_a_refusal_stands_in_the_form_with_what_was_typed(staff, otherwise, told):
    answer = staff.post("/console/segments/new/", said(**otherwise), headers={"Accept-Language": "sv"})

    shown = page(answer, 422)
    assert told in shown
    assert not Segment.objects.exists()


def test_the_form_offers_only_what_the_policy_lets_the_purpose_use(staff):
    shown = page(staff.get("/console/segments/new/"))

    fields = re.findall(r'<option value="([a-z-]+)"', shown.partition('name="field_1"')[2].partition("</select>")[0])
    assert set(fields) == {"name", "company", "email"}
    assert 'name="event"' not in shown  # the newsletter has no registrations


def test_a_change_begins_with_what_was_saved(staff, segment):
    shown = page(staff.get(f"/console/segments/{segment}/change/"))

    assert 'value="byrå"' in shown
    assert re.search(r'name="interest" value="download"[^>]*checked', shown)
    assert 'value="90"' in shown

    staff.post(f"/console/segments/{segment}/change/", said(name="Andra"))

    row = reads.segment(segment)
    assert row.name == "Andra"
    assert {each.of for each in row.conditions} == {"market", "field"}


def test_a_segment_is_put_away_and_taken_out_again(staff, segment):
    staff.post(f"/console/segments/{segment}/", {"do": "put_away"})
    assert Segment.objects.get().put_away_at is not None
    assert "Undanlagt" in page(staff.get("/console/segments/", headers={"Accept-Language": "sv"}))

    staff.post(f"/console/segments/{segment}/", {"do": "take_out"})
    assert Segment.objects.get().put_away_at is None
    assert staff.post(f"/console/segments/{segment}/", {"do": "else"}).status_code == 404


def test_the_person_sees_the_groups_they_are_in_and_why(inside):
    visitor = inside("astrid@example.se", company="Ekbyrån")
    verbs.describe("Svenska byråer", "newsletter", [Condition("market", ("SE",)), BYRA], by="staff:1")
    verbs.describe("Norska byråer", "newsletter", [Condition("market", ("NO",)), BYRA], by="staff:1")

    shown = page(visitor.get(f"{visitor.my}data/"))

    groups = shown.partition('aria-labelledby="groups"')[2].partition("</section>")[0]
    assert "Svenska byråer" in groups
    assert "Marknaden är Sverige." in groups
    assert "Företag innehåller byrå." in groups
    assert "Norska" not in shown


def test_who_may_only_read_changes_nothing(segment, member):
    client = member("eva", "operator")
    assert client.get("/console/segments/").status_code == 403
    client = member("bo", "register")
    assert client.get(f"/console/segments/{segment}/").status_code == 200


def test_opening_the_pages_reads_nobody(staff, segment, reader):
    reader("a@a.example", "Ekbyrån")

    for address in ("", "new/", f"{segment}/", f"{segment}/change/"):
        page(staff.get(f"/console/segments/{address}"))

    assert not Look.everyone.exists()
