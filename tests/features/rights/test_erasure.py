"""Erasure: complete only when nothing is left, wherever it was put; carried to its end whatever happens in between."""

import hashlib
import json
import sqlite3
from datetime import timedelta

import pytest
from django.db import connections

from lofte.core import clock, mail, outbox, vault
from lofte.core.keys.models import OwnerKey
from lofte.core.models import BlindIndex, Code, Entry, Mail, Outbox, Person
from lofte.features.consent import verbs as consent
from lofte.features.outreach import verbs as outreach
from lofte.features.outreach.models import SignUp
from lofte.features.register import reads as register
from lofte.features.register import verbs as keep
from lofte.features.rights import erasure, reads, verbs
from lofte.features.rights.models import Erasure
from lofte.kernel.problems import Problem

pytestmark = [pytest.mark.django_db(databases=["default", "keys"], transaction=True)]
ADDRESS = "kari.nordmann@example.no"


@pytest.fixture
def person(somebody, letterbox, log):
    """Somebody with holdings, consent, interest, looks, letters, codes, a session and entries in the log."""
    found = somebody(ADDRESS, "Kari Nordmann", "newsletter")
    keep.hold(found, {"dialogue": "Ringte om fakturaen"}, "answers", source="staff:1", market="NO", locale="nb")
    consent.grant(found, "newsletter", market="NO", locale="nb", shown="form.newsletter", method="portal")
    verbs.ask_for_link("NO", "nb", ADDRESS)
    verbs.answer_asks(clock.now())
    mail.deliver(clock.now())
    verbs.open_portal(letterbox.link("open"))
    contents = {"nb": outreach.Content("Nyheter", "Hei", "<p>Hei</p>")}
    outreach.send_issue(outreach.draft_issue("product", contents, "staff:1"))
    outbox.drain(log)
    return found


def rows_with(needle: bytes) -> list[str]:
    """Tables of both databases that hold these bytes, looked at by somebody who knows nothing of the search under test."""
    found = []
    for alias in ("default", "keys"):
        connection = connections[alias]
        with connection.cursor() as cursor:
            for table in connection.introspection.table_names(cursor):
                cursor.execute(f'SELECT * FROM "{table}"')
                for row in cursor.fetchall():
                    cells = [bytes(c) if isinstance(c, bytes | memoryview) else str(c).encode() for c in row]
                    if any(needle in cell for cell in cells):
                        found.append(table)
    return sorted(set(found))


def test_an_erased_person_is_nowhere_and_holds_a_receipt_that_names_nobody(person, log):
    index = BlindIndex.objects.get(field="email").hash
    done = verbs.erase(person)

    assert done.is_complete
    assert done.residue == ()
    assert done.counts["register_holding"] == 4
    assert done.counts["consent_consent"] == 1
    assert done.counts["queued_mail"] == 1
    assert not Person.objects.filter(pk=person).exists()
    for needle in (ADDRESS, "Kari", "Ringte", str(person), person.hex, index):
        assert rows_with(needle.encode()) == []
    assert not OwnerKey.objects.exists()
    assert "who" not in done.receipt
    assert done.receipt["fact"]["payload"]["erased"]["register_holding"] == 4
    assert str(person) not in json.dumps(done.receipt)
    assert register.person_of("email", ADDRESS) is None


def test_the_log_keeps_the_facts_and_forgets_who(person, log):
    indexes = list(Entry.objects.of(person).values_list("index", flat=True))
    assert any(log.opened(n).who for n in indexes)

    verbs.erase(person)

    assert all(log.opened(n).who is None for n in indexes)
    assert log.check_everything() == []
    assert str(person).encode() not in b"".join(log.opened(n).fact for n in range(log.size()))


def test_the_files_hold_no_trace_after_an_erasure(person, home):
    verbs.erase(person)

    for file in home.rglob("*"):
        if file.is_file():
            content = file.read_bytes().lower()
            assert ADDRESS.encode() not in content
            assert str(person).encode() not in content
            assert person.bytes not in content


def test_a_letter_in_the_queue_does_not_leave_after_the_erasure(person, letterbox):
    before = len(letterbox.letters)
    verbs.erase(person)
    mail.deliver(clock.now())

    assert len(letterbox.letters) == before


def test_sessions_links_and_the_way_out_are_gone_with_the_person(person, letterbox):
    mail.deliver(clock.now())
    way_out = letterbox.link("unsubscribe")
    verbs.erase(person)

    assert not Code.objects.exists()
    assert outreach.unsubscribe(way_out) is None


def test_nothing_is_written_under_the_old_name_afterwards(person):
    verbs.erase(person)

    with pytest.raises(Problem, match=r"vault\.no-key"):
        keep.hold(person, {"name": "Kari"}, "customer", source="import", market="NO", locale="nb")
    with pytest.raises(Problem, match=r"vault\.erased"):
        vault.make_key(person)


def test_erasing_nobody_is_refused(published, log):
    with pytest.raises(Problem, match=r"rights\.nobody"):
        verbs.erase(outbox.add("action.x", {}).id)


def test_somebody_else_with_the_same_name_stays(person, somebody):
    other = somebody("other.kari@example.no", "Kari Nordmann")

    assert verbs.erase(person).is_complete
    assert register.value_of(other, "name", "customer", by="test") == "Kari Nordmann"


def test_an_open_sign_up_with_the_same_address_goes_too(person, no_limits):
    outreach.ask_to_subscribe("NO", "nb", {"email": ADDRESS.upper()})
    assert SignUp.everyone.count() == 1

    assert verbs.erase(person).is_complete
    assert not SignUp.everyone.exists()
    assert not Person.objects.exists()


SIDE_TABLES = {
    "a copy as typed": (ADDRESS, "raw"),
    "a copy in capitals": (ADDRESS.upper(), "raw"),
    "a copy inside JSON": (json.dumps({"to": [{"address": ADDRESS}]}), "raw"),
    "a copy inside a longer text": (f"wrote to {ADDRESS} about it", "raw"),
    "the name in escaped JSON": (json.dumps({"name": "Kåre Ødegård"}), "escaped"),
    "the address in a query": ("?mail=kari.nordmann%40example.no", "escaped"),
    "an unsalted hash, as advertisers want it": (hashlib.sha256(ADDRESS.encode()).hexdigest(), "hashed"),
    "an MD5": (hashlib.md5(ADDRESS.encode(), usedforsecurity=False).hexdigest(), "hashed"),
    "the hash of an organisation's name": (
        hashlib.sha1(b"Nordmann og datter", usedforsecurity=False).hexdigest(),
        "hashed",
    ),
}


@pytest.fixture
def side_table():
    """A table nobody declared, as grows in every company."""
    with connections["default"].cursor() as cursor:
        cursor.execute("CREATE TABLE old_export (n INTEGER, note TEXT)")
    yield lambda value: connections["default"].cursor().execute("INSERT INTO old_export VALUES (1, %s)", [value])
    with connections["default"].cursor() as cursor:
        cursor.execute("DROP TABLE old_export")


@pytest.mark.parametrize("what", SIDE_TABLES)
def test_a_copy_in_a_side_table_keeps_the_erasure_open_and_is_named(person, side_table, what):
    value, form = SIDE_TABLES[what]
    more = {"name": "Kåre Ødegård", "company": "Nordmann og datter"}
    keep.hold(person, more, "newsletter", source="staff:1", market="NO", locale="nb")
    side_table(value)

    done = verbs.erase(person)

    assert not done.is_complete
    assert done.receipt is None
    assert ("default.old_export.note", form) in {(each.where, each.form) for each in done.residue if not each.exemption}
    assert ADDRESS not in str(done.residue)
    assert reads.open_erasures() == 1


def test_the_erasure_is_complete_once_the_copy_is_gone(person, side_table):
    side_table(ADDRESS)
    assert not verbs.erase(person).is_complete
    connections["default"].cursor().execute("DELETE FROM old_export")

    done = verbs.erase(person)

    assert done.is_complete
    assert done.receipt


def test_a_duty_tries_again_what_was_left_open(person, side_table):
    side_table(str(person))
    assert not verbs.erase(person).is_complete
    connections["default"].cursor().execute("DELETE FROM old_export")

    assert verbs.resume(clock.now()) == 0
    with clock.at(Erasure.objects.get().next_at):
        assert verbs.resume(clock.now()) == 1


def test_a_copy_in_a_file_of_the_house_is_found(person, home):
    (home / "exports").mkdir()
    (home / "exports" / "people.csv").write_text(f"name;mail\nKari;{ADDRESS}\n")

    done = verbs.erase(person)

    assert not done.is_complete
    assert {each.where for each in done.residue if not each.exemption} == {"file:exports/people.csv"}


def test_a_copy_of_the_database_in_the_house_is_searched_table_by_table(person, home):
    with sqlite3.connect(home / "copy.sqlite3") as copy:
        copy.execute("CREATE TABLE people (mail TEXT)")
        copy.execute("INSERT INTO people VALUES (?)", [ADDRESS])
    copy.close()

    assert "file:copy.sqlite3.people.mail" in {each.where for each in verbs.erase(person).residue}


@pytest.mark.parametrize("step", ["_destroy_key", "_erase_rows", "_shred", "_search", "_prove"])
@pytest.mark.parametrize("moment", ["before", "after"])
def test_an_erasure_that_died_at_any_step_is_carried_to_its_end(person, monkeypatch, step, moment):
    state = {value: key for key, value in ((k, v.__name__) for k, v in erasure._STEPS.items())}[step]
    real = erasure._STEPS[state]

    def die(order):
        if moment == "after":
            real(order)
        raise KeyboardInterrupt

    monkeypatch.setitem(erasure._STEPS, state, die)
    if step == "_search":
        monkeypatch.setitem(erasure._STEPS, Erasure.State.SHREDDED, die)
    with pytest.raises(KeyboardInterrupt):
        verbs.erase(person)
    monkeypatch.undo()

    assert verbs.resume(clock.now()) + (Erasure.objects.get().state == "done") >= 1
    order = Erasure.objects.get()
    assert (order.state, order.subject, order.sealed, order.indexes) == ("done", None, None, [])
    assert order.counts["register_holding"] == 4
    assert rows_with(str(person).encode()) == []


def test_a_step_done_twice_logs_the_erasure_once(person, log, monkeypatch):
    advance = erasure.advance

    def die_when_done(order, state, **values):
        if state == Erasure.State.DONE:
            raise KeyboardInterrupt
        advance(order, state, **values)

    monkeypatch.setattr(erasure, "advance", die_when_done)
    with pytest.raises(KeyboardInterrupt):
        verbs.erase(person)
    monkeypatch.undo()
    verbs.resume(clock.now())
    outbox.drain(log)

    assert len([n for n in range(log.size()) if log.opened(n).kind == "erasure"]) == 1
    assert not Outbox.objects.exists()


def test_without_the_log_the_erasure_waits_and_says_so(somebody, published):
    person = somebody(ADDRESS)
    done = verbs.erase(person)

    assert not done.is_complete
    assert done.receipt is None
    assert not Person.objects.filter(pk=person).exists()
    assert reads.open_erasures() == 1


def test_the_plan_names_what_goes_and_changes_nothing(person):
    plan = {item.what: item.count for item in verbs.plan_erasure(person)}

    assert plan["holding"] == 4
    assert plan["mail"] == 2
    assert register.value_of(person, "email", "rights", by="rights") == ADDRESS


def test_the_receipt_verifies_offline(person, log):
    from lofte.evidence.verify import verify_receipt

    done = verbs.erase(person)

    assert verify_receipt(done.receipt, log.vkey())


def test_the_search_finds_a_living_persons_plain_copies_only_outside_the_vault(person, side_table):
    assert reads.residue_search(person) == []
    side_table(ADDRESS)
    assert {each.where for each in reads.residue_search(person)} == {"default.old_export.note"}


def test_a_named_exemption_lets_the_erasure_end_and_stands_in_the_proof(person, side_table, monkeypatch):
    side_table(str(person))
    monkeypatch.setattr(erasure, "EXEMPT", {("default.old_export.note", "handle"): "Bokføringsloven 13"})

    done = verbs.erase(person)

    assert done.is_complete
    assert [(each.where, each.exemption) for each in done.residue] == [
        ("default.old_export.note", "Bokføringsloven 13")
    ]
    exempt = done.receipt["fact"]["payload"]["exempt"]
    assert exempt == [{"where": "default.old_export.note", "count": 1, "why": "Bokføringsloven 13"}]


def test_what_a_statute_keeps_stays_until_its_day_and_the_proof_says_so(person):
    keep.hold(person, {"name": "Kari Nordmann"}, "accounting", source="staff:1", market="NO", locale="nb")
    plan = [(item.what, item.stays_under) for item in verbs.plan_erasure(person) if item.stays_under]
    done = verbs.erase(person)

    assert plan == [("holding", "accounting")]
    assert done.is_complete
    held = register.holdings_of(person, "portal", by="test")
    assert [(each.field, each.purpose) for each in held] == [("name", "accounting")]
    assert register.person_of("email", ADDRESS) is None
    assert {each.exemption.partition(" ")[0] for each in done.residue} == {"accounting"}
    kept = done.receipt["fact"]["payload"]["kept"]
    assert [(each["purpose"], each["clock"]) for each in kept] == [("accounting", "statute")]
    assert rows_with(b"Ringte") == rows_with(ADDRESS.encode()) == []


def test_when_the_statute_ends_the_rest_goes(person):
    keep.hold(person, {"name": "Kari Nordmann"}, "accounting", source="staff:1", market="NO", locale="nb")
    verbs.erase(person)

    with clock.at(clock.now() + timedelta(days=7 * 366)):
        done = verbs.erase(person)
    assert done.is_complete
    assert done.residue == ()
    assert not Person.objects.exists()
    assert not OwnerKey.objects.exists()


def test_mail_that_was_sent_keeps_nothing_of_what_it_said(person):
    assert [row.sealed for row in Mail.objects.of(person).filter(state="sent")] == [None]
