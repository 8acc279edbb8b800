"""Records, transfer tools and tokens in the console: drawn, recorded, ended, revoked, in five languages."""

import csv
import io
import json
import re

import pytest

from lofte.core import clock
from lofte.core.gates import tokens, tools
from lofte.core.gates.models import Token, Tool
from lofte.core.models import Action
from lofte.rules.catalogue import LOCALES, say

pytestmark = [pytest.mark.django_db(databases=["default", "keys"])]
PAGES = {
    "/console/records/": "records.title",
    "/console/transfers/": "gates.transfers.title",
    "/console/tokens/": "gates.tokens.title",
}
EN = {"HTTP_ACCEPT_LANGUAGE": "en-GB"}


def listing(**change):
    today = clock.now().date()
    return {
        "kind": "listing", "recipient": "google", "country": "US", "reference": "Google LLC",
        "proof": "https://www.dataprivacyframework.gov/list", "since": today.isoformat(),
        "until": today.replace(year=today.year + 1, day=1).isoformat(),
    } | change  # fmt: skip


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("path", PAGES)
def test_every_page_speaks_the_language_that_was_chosen(staff, path, locale):
    staff.post("/console/transfers/record/", listing(), **EN)
    staff.post("/console/locale/", {"locale": locale, "next": "/console/"})
    shown = staff.get(path).content.decode()

    assert f'<html lang="{locale}">' in shown
    assert say(locale, PAGES[path]) in shown


@pytest.mark.parametrize(
    "role, seen", [("lead", [200, 200, 200]), ("operator", [200, 200, 403]), ("register", [403, 403, 403])]
)
def test_each_page_asks_for_its_permission(xledger, log, member, role, seen):
    client = member("cia", role)

    assert [client.get(path).status_code for path in PAGES] == seen
    assert ('href="/console/records/"' in client.get("/console/").content.decode()) == (seen[0] == 200)


def test_who_only_reads_records_nothing_and_ends_nothing(xledger, log, member):
    client = member("cia", "operator")
    shown = client.get("/console/transfers/").content.decode()

    assert client.post("/console/transfers/record/", listing()).status_code == 403
    assert "/console/transfers/record/" not in shown
    assert Tool.objects.count() == 0


def test_the_records_name_every_activity_with_its_recipients_and_safeguards(staff):
    shown = staff.get("/console/records/?market=SE", **EN).content.decode()

    for said in (
        "Xledger AB",
        "Contact",
        "Customer relationship",
        "GDPR 6(1)(a)",
        "Creatio (processor)",
        "AES-256-GCM",
    ):
        assert said in shown
    assert "Google Ireland Limited, United States: Listing" in shown
    assert staff.get("/console/records/?market=XX").status_code == 404


def test_what_is_on_file_takes_the_place_of_what_the_policy_says(staff):
    staff.post("/console/transfers/record/", listing(reference="Certificate 17"), **EN)

    assert "Listing (Certificate 17), until" in staff.get("/console/records/?market=SE", **EN).content.decode()


def test_the_records_are_taken_out_as_a_table(staff):
    answer = staff.get("/console/records/file/csv/", **EN)
    rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))

    assert answer["Content-Disposition"] == 'attachment; filename="records-of-processing-2023-01.csv"'
    assert rows[0][:4] == ["Market", "Controller", "Contact", "Purpose"]
    assert {row[0] for row in rows[1:]} == {"Sweden", "Norway", "Finland", "United Kingdom", "United States"}
    assert len({tuple(row) for row in rows}) == len(rows)
    assert not [cell for row in rows for cell in row if cell[:1] in "=+-@" and cell]
    assert Action.objects.filter(action="records.taken-out").count() == 1


def test_the_records_are_taken_out_for_machines(staff):
    answer = staff.get("/console/records/file/jsonld/", **EN)
    found = json.loads(answer.content)

    assert answer["Content-Type"] == "application/ld+json"
    assert [each["dct:title"] for each in found["@graph"]] == [
        f"Xledger, {market}" for market in ("SE", "NO", "FI", "GB", "US")
    ]
    assert staff.get("/console/records/file/exe/").status_code == 404


def test_a_tool_is_recorded_shown_and_ended(staff):
    before = staff.get("/console/transfers/", **EN).content.decode()
    gap = "Google Ireland Limited, United States: There is no proof that the recipient is on the list. Transfers from Sweden,"
    assert gap in before

    assert staff.post("/console/transfers/record/", listing(), **EN).status_code == 302
    row = Tool.objects.get()
    shown = staff.get("/console/transfers/", **EN).content.decode()
    assert gap not in shown
    assert (row.recorded_by.startswith("staff:"), row.country) == (True, "US")

    asked = staff.get(f"/console/transfers/{row.pk}/end/", **EN)
    assert "End this?" in asked.content.decode()
    assert Tool.objects.get().ended_on is None
    staff.post(f"/console/transfers/{row.pk}/end/", **EN)
    assert Tool.objects.get().ended_on == clock.now().date()
    assert (
        "Google Ireland Limited, United States: The proof of listing was not valid"
        in staff.get("/console/transfers/", **EN).content.decode()
    )


WRONG = {
    "proof": {"proof": ""},
    "until": {"until": ""},
    "recipient": {"recipient": ""},
    "country": {"country": ""},
    "reference": {"reference": ""},
    "digest": {"digest": "xyz"},
    "since": {"since": "yesterday"},
    "facts": {"kind": "scope", "facts": "no sign"},
    "assessed": {"kind": "clauses"},
}


@pytest.mark.parametrize("field", WRONG)
def test_what_is_missing_is_said_at_its_field_and_what_was_written_stays(staff, field):
    answer = staff.post("/console/transfers/record/", listing(**WRONG[field]), **EN)
    shown = answer.content.decode()

    assert answer.status_code == 422
    assert f'id="id_{field}_error"' in shown
    assert field == "reference" or 'value="Google LLC"' in shown
    assert Tool.objects.count() == 0


def test_a_token_is_shown_once_and_kept_nowhere(staff):
    made = staff.post(
        "/console/tokens/", {"name": "crm", "scopes": ["decide:use"], "days": "30", "per_minute": "60"}, **EN
    )
    secret = re.search(r"lofte_[\w-]+", made.content.decode()).group()

    assert tokens.recognise(secret, "10.0.0.1").scopes == {"decide:use"}
    assert secret not in staff.get("/console/tokens/").content.decode()
    assert secret not in json.dumps(dict(staff.session))
    staff.post(f"/console/tokens/{Token.objects.get().pk}/revoke/")
    assert tokens.state_of(Token.objects.get(), clock.now()) == "revoked"


@pytest.mark.parametrize("change", [{"name": ""}, {"scopes": []}, {"days": "4000"}, {"name": "a@example.se"}])
def test_what_is_no_token_is_told_so(staff, change):
    asked = {"name": "crm", "scopes": ["decide:use"], "days": "30", "per_minute": "60"} | change

    assert staff.post("/console/tokens/", asked, **EN).status_code == 422
    assert Token.objects.count() == 0


def test_a_tool_that_is_over_is_an_alarm(staff):
    staff.post("/console/transfers/record/", listing(), **EN)
    Tool.objects.update(since="2025-01-01", until="2025-12-31")

    assert "Listing ran out on 31 December 2025" in staff.get("/console/transfers/", **EN).content.decode()
    assert tools.running_out(clock.now().date())[0].is_over
