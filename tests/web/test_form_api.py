"""Forms for programs: described in data, sent as JSON, refused with every fault by its field, and closed to pages of strangers."""

import json
import re
from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from lofte.core import clock
from lofte.features.outreach.forms import arrivals, intake
from lofte.features.outreach.forms.intake import Taken
from lofte.rules.catalogue import say

pytestmark = pytest.mark.django_db(databases=["default", "keys"])

EDITIONS = [("se", "sv"), ("no", "nb"), ("fi", "fi"), ("gb", "en-GB"), ("us", "en-US")]
ASTRID = {"name": "Astrid Lind", "email": "astrid@example.se", "dialogue": "Vad kostar det?"}
INQUIRY = "/api/forms/se/sv/inquiry/"


@pytest.fixture
def arrived(xledger, log, no_limits, monkeypatch):
    taken = []

    def handler(sent):
        arrivals.person_for(sent, "prospect")
        taken.append(sent)
        return Taken("forms.thanks", "A-17")

    monkeypatch.setitem(intake._handlers, "inquiry", handler)
    return taken


def post(body, path=INQUIRY, **more):
    return Client().post(path, json.dumps(body), content_type="application/json", **more)


def form(path=INQUIRY):
    answer = Client().get(path)
    assert answer.status_code == 200, answer.content
    return answer.json()


def body(**changed):
    return {"values": ASTRID, "wording": form()["wording"]} | changed


@pytest.mark.parametrize(("market", "locale"), EDITIONS)
def test_a_form_is_described_with_its_fields_boxes_purpose_ground_and_time(arrived, market, locale):
    shown = form(f"/api/forms/{market}/{locale}/inquiry/")
    assert [each["name"] for each in shown["fields"]] == ["name", "company", "email", "phone", "dialogue"]
    assert [(each["purpose"], each["ticked"]) for each in shown["boxes"]] == [("newsletter", False)]
    assert shown["purpose"]["basis"].lower() == say(locale, "common.bases.legitimate_interest").lower()
    assert shown["purpose"]["kept"]
    assert shown["wording"]
    assert shown["version"]


def test_a_form_that_is_sent_is_answered_in_the_language_of_its_address(arrived):
    answer = post(body(boxes=[{"purpose": "newsletter", "channel": "email"}], page="/se/kontakt/?q=1"))
    assert answer.status_code == 202
    assert answer.json() == {
        "title": say("sv", "forms.thanks_title"), "lead": say("sv", "forms.thanks_lead"), "reference": "A-17",
        "confirm": say("sv", "forms.thanks_box"),
    }  # fmt: skip
    assert arrived[0].page == "/se/kontakt/"
    assert arrived[0].boxes == {("newsletter", "email")}


def test_the_same_key_and_content_count_once(arrived):
    sent = body()
    answers = [post(sent, HTTP_IDEMPOTENCY_KEY="k-1") for _ in range(3)]
    assert [each.status_code for each in answers] == [202] * 3
    assert len(arrived) == 1


def test_every_fault_is_told_by_its_field_in_words_and_nothing_is_repeated(arrived):
    answer = post(body(values={"email": "astrid", "shoe-size": "42½", "name": " "}))
    assert (answer.status_code, answer["Content-Type"]) == (422, "application/problem+json")
    errors = {each["field"]: each for each in answer.json()["errors"]}
    assert errors["email"]["detail"] == say("sv", "forms.error.email")
    assert errors["shoe-size"]["code"] == "form.unknown-field"
    assert set(errors) == {"email", "shoe-size", "name", "dialogue"}
    assert "42½" not in json.dumps(answer.json(), ensure_ascii=False)
    assert not arrived


@pytest.mark.parametrize(
    ("sent", "status", "code"),
    [
        ("{", 400, "api.unreadable"),
        ("[]", 422, "api.unfit"),
        ('{"values": {}, "wording": "x", "more": 1}', 422, "api.unfit"),
        ('{"values": {"name": 7}, "wording": "x"}', 422, "api.unfit"),
        ('{"values": {}, "wording": "x"}', 409, "form.changed"),
        (json.dumps({"values": {"name": "x" * 70_000}, "wording": ""}), 413, "api.too-large"),
    ],
)
def test_what_is_no_form_is_refused_as_a_problem_document(arrived, sent, status, code):
    answer = Client().post(INQUIRY, sent, content_type="application/json")
    assert (answer.status_code, answer.json()["title"]) == (status, code)
    assert answer["Content-Type"] == "application/problem+json"


def test_other_kinds_of_content_and_other_methods_are_refused(arrived):
    assert Client().post(INQUIRY, "<xml/>", content_type="text/xml").status_code == 415
    assert Client().put(INQUIRY, "{}", content_type="application/json").status_code == 405
    assert Client().get("/api/forms/se/sv/nothing/").json()["title"] == "form.not-here"
    assert Client().get("/api/forms/SE/sv/").status_code == 404


# --- pages of other sites -------------------------------------------------------------------------------------------


def test_pages_of_the_markets_sites_may_read_and_send_and_no_others(arrived):
    ours, strange = {"HTTP_ORIGIN": "https://www.xledger.com"}, {"HTTP_ORIGIN": "https://evil.example"}
    assert Client().get(INQUIRY, **ours)["Access-Control-Allow-Origin"] == "https://www.xledger.com"
    assert "Access-Control-Allow-Origin" not in Client().get(INQUIRY, **strange)
    preflight = Client().options(INQUIRY, **ours)
    assert preflight.status_code == 204
    assert "Idempotency-Key" in preflight["Access-Control-Allow-Headers"]
    assert Client().options(INQUIRY, **strange).status_code == 403
    assert post(body(), **ours).status_code == 202
    refused = post(body(), **strange)
    assert (refused.status_code, refused.json()["title"]) == (403, "form.origin")
    assert "Access-Control-Allow-Credentials" not in preflight


def test_a_stamp_that_is_sent_must_be_old_enough(arrived):
    stamp = form()["stamp"]
    assert post(body(stamp=stamp)).json()["title"] == "form.too-soon"
    sent = body(stamp=stamp)
    with clock.at(clock.now() + timedelta(seconds=5)):
        assert post(sent).status_code == 202
    with clock.at(clock.now() + timedelta(hours=13)):
        assert post(sent).json()["title"] == "form.too-old"


def test_files_come_as_a_html_form_sends_them(arrived):
    cv = SimpleUploadedFile("cv.pdf", b"%PDF-1.7 hello", "application/pdf")
    answer = Client().post(INQUIRY, ASTRID | {"wording": form()["wording"], "files": cv, "box.newsletter-email": "on"})
    assert answer.status_code == 202
    assert [each.name for each in arrived[0].files] == ["cv.pdf"]
    assert arrived[0].boxes == {("newsletter", "email")}


# --- the document ---------------------------------------------------------------------------------------------------


def references(value):
    if isinstance(value, dict):
        yield from ([value["$ref"]] if "$ref" in value else [])
        for each in value.values():
            yield from references(each)
    elif isinstance(value, list):
        for each in value:
            yield from references(each)


def test_the_openapi_document_holds_every_form_of_every_edition(arrived):
    document = Client().get("/api/openapi.json").json()
    assert re.fullmatch(r"3\.1\.\d+", document["openapi"])
    for market, locale in EDITIONS:
        assert f"/api/forms/{market}/{locale}/inquiry/" in document["paths"]
    for reference in references(document):
        assert reference.removeprefix("#/components/schemas/") in document["components"]["schemas"]
    names = [each["operationId"] for path in document["paths"].values() for each in path.values()]
    assert len(names) == len(set(names))


def test_what_the_document_says_of_a_form_is_what_the_form_takes(arrived):
    document = Client().get("/api/openapi.json").json()
    said = document["paths"][INQUIRY]["post"]["requestBody"]["content"]["application/json"]["schema"]["properties"][
        "values"
    ]
    shown = form()
    assert set(said["properties"]) == {each["name"] for each in shown["fields"]}
    assert set(said["required"]) == {each["name"] for each in shown["fields"] if each["required"]}
    assert said["additionalProperties"] is False
    for each in shown["fields"]:
        assert said["properties"][each["name"]]["maxLength"] == each["max_length"]


def test_what_a_form_answers_is_what_the_document_says(arrived):
    schemas = Client().get("/api/openapi.json").json()["components"]["schemas"]
    assert set(form()) == set(schemas["Form"]["properties"])
    assert set(post(body(boxes=[{"purpose": "newsletter", "channel": "email"}])).json()) == set(
        schemas["Taken"]["properties"]
    )


def test_every_form_listed_can_be_fetched(arrived):
    found = Client().get("/api/forms/fi/fi/").json()["forms"]
    assert {"inquiry", "newsletter"} <= {each["id"] for each in found}
    for each in found:
        assert Client().get(each["url"]).status_code == 200
