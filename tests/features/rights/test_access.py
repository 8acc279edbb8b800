"""Access: everything, in a documented schema, in a fixed number of statements however many people are registered."""

import csv
import io
import json
from pathlib import Path
from uuid import uuid4

import pytest
from django.db import connections
from django.db.models import QuerySet
from django.test.utils import CaptureQueriesContext

from lofte.core import clock, outbox
from lofte.features.consent import verbs as consent
from lofte.features.outreach import verbs as outreach
from lofte.features.register import attachments
from lofte.features.register import reads as register
from lofte.features.register import verbs as keep
from lofte.features.register.models import Look
from lofte.features.rights import gathering, package, reads, requests, restriction, verbs

pytestmark = [pytest.mark.django_db(databases=["default", "keys"])]
SCHEMA = Path(__file__).parents[3] / "docs" / "reference" / "access-package.schema.json"
MOST_STATEMENTS = 30


@pytest.fixture
def person(subscriber, letterbox, log):
    found = subscriber("kari.nordmann@example.no", "Kari Nordmann")
    keep.hold(found, {"dialogue": "Ringte om fakturaen"}, "answers", source="staff:1", market="NO", locale="nb")
    register.holdings_of(found, "answers", by="staff:7")
    outreach.send_issue(
        outreach.draft_issue("product", {"nb": outreach.Content("Nyheter", "Hei", "<p>Hei</p>")}, "staff:1")
    )
    outbox.drain(log)
    return found


def statements(person) -> int:
    with (
        CaptureQueriesContext(connections["default"]) as register_side,
        CaptureQueriesContext(connections["keys"]) as key_side,
    ):
        reads.access_package(person)
    return len(register_side) + len(key_side)


def test_a_person_sees_every_holding_with_purpose_basis_source_and_clock(person):
    seen = reads.overview(person)
    shown = {(each.field, each.value, each.purpose, each.basis, each.source, each.clock) for each in seen.holdings}

    assert shown == {
        ("email", "kari.nordmann@example.no", "newsletter", "consent", "form:newsletter", "inactivity"),
        ("name", "Kari Nordmann", "newsletter", "consent", "form:newsletter", "inactivity"),
        ("company", "Nordmann og datter", "newsletter", "consent", "form:newsletter", "inactivity"),
        ("dialogue", "Ringte om fakturaen", "answers", "legitimate_interest", "staff:1", "inactivity"),
    }
    assert all(each.due and each.due > clock.now() for each in seen.holdings)
    assert (seen.market, seen.locale) == ("NO", "nb")


def test_a_person_sees_who_looked_what_was_said_what_was_sent_and_the_evidence(person):
    seen = reads.overview(person)

    assert {(look.by, look.purpose) for look in seen.looks} == {
        ("staff:7", "answers"),
        ("outreach", "newsletter"),
        ("person", "portal"),
    }
    assert [(each.action, each.evidence_index) for each in seen.consents] == [("granted", seen.entries[0].index)]
    assert [(each.letter, each.state) for each in seen.mails] == [("issue", "queued")]
    assert [(each.relation, each.market) for each in seen.relations] == [("prospect", "NO")]
    standing = {each.purpose: (each.state, each.may_withdraw, each.may_object) for each in seen.purposes}
    assert standing == {"newsletter": ("granted", True, False), "answers": ("in_use", False, True)}


def test_the_receipt_of_a_consent_is_the_persons_and_nobody_elses(person, log):
    event = reads.overview(person).consents[0]
    found = reads.receipt(person, event.id)

    assert found["index"] == event.evidence_index
    assert found == reads.receipt_at(person, event.evidence_index)
    assert reads.receipt_at(keep.welcome(), event.evidence_index) is None
    assert reads.receipt(person, uuid4()) is None


def test_the_package_fits_the_schema_and_lacks_nothing_that_is_held(person):
    found = reads.access_package(person)

    package.AccessPackage.model_validate_json(json.dumps(found))
    assert {each["value"] for each in found["holdings"]} == {each.value for each in reads.overview(person).holdings}
    assert found["controller"]["email"] == "dpo@small.example"
    assert [each["id"] for each in found["recipients"]] == ["host"]
    assert found["rights"]


def test_the_published_schema_is_the_one_in_force():
    assert json.loads(SCHEMA.read_text(encoding="utf-8")) == package.schema()


def test_the_csv_holds_every_holding(person):
    rows = list(csv.DictReader(io.StringIO(reads.access_csv(person))))

    assert {row["value"] for row in rows} == {each.value for each in reads.overview(person).holdings}


@pytest.mark.parametrize("value", ["=1+1", "+cmd", "-2", "@SUM(A1)", "\tx"])
def test_a_cell_that_a_spreadsheet_would_run_is_harmless(somebody, value):
    person = somebody()
    keep.hold(person, {"dialogue": f"{value} x"}, "customer", source="staff:1", market="NO", locale="nb")
    cells = [row["value"] for row in csv.DictReader(io.StringIO(reads.access_csv(person)))]

    assert not any(cell.startswith(("=", "+", "-", "@", "\t")) for cell in cells)


def test_a_copy_tells_where_a_person_works_and_what_was_said_by_which_medium(somebody, log):
    person = somebody()
    keep.place(person, {"company": "Fjord AS"}, "customer", source="staff:1", market="NO", locale="nb")
    keep.note(person, "Vil ha tilbud i uke 8", "customer", medium="phone", direction="in", at=clock.now(), by="staff:7",
              market="NO", locale="nb")  # fmt: skip
    found = reads.access_package(person)

    assert [(each["company"], each["market"]) for each in found["places"]] == [("Fjord AS", "NO")]
    (said,) = found["dialogue"]
    assert (said["medium"], said["direction"], said["by"], said["words"]) == (
        "phone",
        "in",
        "staff:7",
        "Vil ha tilbud i uke 8",
    )


def test_what_belongs_to_somebody_else_is_taken_out_of_what_was_said(somebody):
    person = somebody()
    words = "Kari (kari.nordmann@example.no) ber oss ringe Ola på +47 400 11 222 eller skrive til ola@example.no"
    keep.note(
        person,
        words,
        "customer",
        medium="phone",
        direction="in",
        at=clock.now(),
        by="staff:7",
        market="NO",
        locale="nb",
    )
    found = reads.access_package(person)
    (said,) = found["dialogue"]

    assert said["words"] == (
        "Kari (kari.nordmann@example.no) ber oss ringe [en annens navn] på [en annens telefonnummer] eller skrive til "
        "[en annens e-postadresse]"
    )
    assert said["taken_out"] == ["name", "phone", "email"]
    assert "ola@example.no" not in json.dumps(found)
    assert "ola@example.no" not in reads.access_csv(person)


def said_to(person, words):
    keep.note(
        person,
        words,
        "customer",
        medium="chat",
        direction="in",
        at=clock.now(),
        by="staff:7",
        market="NO",
        locale="nb",
    )
    return reads.access_package(person)["dialogue"][-1]["words"]


def test_a_name_only_the_register_knows_is_taken_out_and_nobody_elses_word_is(republish, published, somebody):
    republish(lambda policy: policy["fields"]["name"].update(indexed=True))
    person = somebody("kari@example.no", "Kari Nordmann")
    somebody("x@example.no", "Yngvarth Blåfjell")

    words = "Kari Nordmann spurte om Blåfjell og Xledger Norge. Fjell er fint."
    assert said_to(person, words) == "Kari Nordmann spurte om [en annens navn] og Xledger Norge. Fjell er fint."


def test_the_register_is_asked_once_for_all_the_names(republish, published, somebody):
    republish(lambda policy: policy["fields"]["name"].update(indexed=True))
    person = somebody("kari@example.no", "Kari Nordmann")
    said_to(person, "Snakket med Blåfjell")
    before = statements(person)
    for n in range(40):
        said_to(person, f"Snakket med Blåfjell og Rødfjell og Xn{'abcdefghij'[n % 10] * n}")

    assert statements(person) == before <= MOST_STATEMENTS


def test_every_table_with_rows_of_persons_has_its_part_of_the_copy(published):
    assert gathering.unshown() == []
    assert set(gathering.SHOWN.values()) <= set(package.AccessPackage.model_fields)


def test_the_copy_counts_what_stands_in_the_store_itself(person):
    found = reads.access_package(person)
    rows = {each["table"]: each["rows"] for each in found["tables"]}

    assert rows["register_holding"] == len(found["holdings"])
    assert rows["register_look"] == len(found["looks"])
    assert rows["consent_consent"] == len(found["consents"])
    assert rows["core_mail"] == len(found["mails"])


def test_the_copy_leaves_no_look_out_however_many_there_were(person):
    rows = [
        Look(person_id=person, by="staff:7", purpose="answers", allowed=True, reason="declared", at=clock.now())
        for _ in range(600)
    ]
    QuerySet(Look).bulk_create(rows)
    found = reads.access_package(person)

    assert len(found["looks"]) == {each["table"]: each["rows"] for each in found["tables"]}["register_look"]


def test_somebody_of_whom_nothing_is_held_gets_an_empty_package(published):
    found = reads.access_package(keep.welcome())

    assert found["holdings"] == []
    assert found["controller"] is None


def test_the_package_takes_as_many_statements_for_one_as_for_five_hundred(person, subscriber, no_limits):
    alone = statements(person)
    for n in range(499):
        other = keep.welcome()
        keep.hold(
            other,
            {"email": f"p{n}@example.no", "name": f"P {n}"},
            "newsletter",
            source="import",
            market="NO",
            locale="nb",
        )
        consent.grant(other, "newsletter", market="NO", locale="nb", shown="form.newsletter", method="portal")

    assert statements(person) == alone
    assert alone <= MOST_STATEMENTS


def much(person, times: int) -> None:
    """Something of every kind, several times."""
    more = {"market": "NO", "locale": "nb"}
    for n in range(times):
        said = keep.note(
            person, f"Samtale {n}", "answers", medium="phone", direction="in", at=clock.now(), by="staff:1", **more
        )
        attachments.attach(person, said, f"notat-{n}.txt", b"x", by="staff:1")
        keep.place(person, {"company": f"Fjord {n} AS"}, "newsletter", source="staff:1", **more)
        requests.receive(
            person, "question", by="person", channel="portal", at=clock.now(), words=f"Hvorfor {n}?", **more
        )
        requests.begun_by_person(person, "access")
        restriction.restrict(person, "person")
        restriction.lift(person, "person")


def test_the_package_takes_no_more_statements_when_much_is_held(person):
    much(person, 2)
    before = statements(person)
    much(person, 15)

    assert statements(person) == before
    assert before <= MOST_STATEMENTS


def test_one_persons_package_holds_nothing_of_another(person, somebody):
    somebody("ola@example.no", "Ola Hansen")

    assert "ola" not in json.dumps(reads.access_package(person)).lower()


def test_withdrawal_shows_in_the_package(person):
    verbs.withdraw(person, "newsletter")

    assert [each["action"] for each in reads.access_package(person)["consents"]] == ["granted", "withdrawn"]
