"""Rights reach connected systems: an erasure waits for them, access includes them, a correction is carried to them."""

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest

from lofte import connectors
from lofte.core import clock, facts, obligations, outbox, systems
from lofte.core.models import Obligation, Person
from lofte.features.register import reads as register
from lofte.features.register import verbs as keep
from lofte.features.rights import package, reads, verbs
from lofte.features.rights.models import Erasure
from lofte.kernel.problems import Problem

pytestmark = [pytest.mark.django_db(databases=["default", "keys"], transaction=True)]
KARI, OLA = "kari.nordmann@example.no", "ola@example.no"
MOST_STATEMENTS = 30


@pytest.fixture
def connected(small_shop, home):
    """The shop as a system of the house, by its mapping file."""
    (home / "systems").mkdir()
    small_shop.file = home / "systems" / "shop.yaml"
    small_shop.mapping()
    assert connectors.connect_all(home) == ("shop",)
    return small_shop


@pytest.fixture
def person(shop_policy) -> UUID:
    made = keep.welcome()
    keep.begin_relation(made, "customer", market="NO", locale="nb")
    values = {"email": KARI, "name": "Kari Nordmann", "phone": "+47 900 12 345"}
    keep.hold(made, values, "customer", source="import", market="NO", locale="nb")
    return made


def later(**span: float) -> Callable[..., object]:
    return clock.at(clock.now() + timedelta(**span))


def test_an_erasure_is_complete_when_the_connected_database_agrees(connected, person, log):
    done = verbs.erase(person)

    assert done.is_complete
    assert done.waiting_for == ()
    assert connected.column("customers", "email") == [OLA]
    fact = done.receipt["fact"]["payload"]
    assert fact["systems"] == [
        {"system": "shop", "rows": {"customers": 2, "addresses": 1, "orders": 2, "order_lines": 3, 'odd "name"; --': 1}}
    ]
    assert {each["where"]: each["why"] for each in fact["exempt"]} == {
        "shop.ledger": "Bokføringsloven 13",
        "shop.addresses": "it holds another person's data too",
    }
    assert not Obligation.objects.exists()
    assert not Person.objects.exists()
    assert str(person) not in json.dumps(done.receipt)


def test_an_erasure_waits_for_a_database_that_does_not_answer_and_says_for_which(connected, person, log, monkeypatch):
    monkeypatch.setenv("LOFTE_SOURCE_SHOP", "sqlite:////nowhere/at/all.sqlite3")
    done = verbs.erase(person)

    assert (done.is_complete, done.waiting_for, done.receipt) == (False, ("shop",), None)
    assert reads.erasures()[0].waiting_for == ("shop",)
    assert reads.open_erasures() == 1
    assert not Person.objects.filter(pk=person).exists()  # what is ours to erase goes at once

    monkeypatch.setenv("LOFTE_SOURCE_SHOP", connected.url)
    with later(minutes=2):
        assert verbs.resume(clock.now()) == 1
    assert Erasure.objects.get().state == "done"
    assert connected.column("customers", "email") == [OLA]


def test_a_copy_left_in_the_connected_database_keeps_the_erasure_open_and_is_named(connected, person, log):
    connected.add("side_notes", id=2, body={"to": KARI})
    done = verbs.erase(person)

    assert (done.is_complete, done.waiting_for) == (False, ("shop",))
    assert ("shop.side_notes.body", "") in {(each.where, each.exemption) for each in done.residue}
    assert KARI not in str(done.residue)

    connected.do("DELETE FROM side_notes WHERE id = 2")
    with later(minutes=2):
        assert verbs.resume(clock.now()) == 1


def test_a_database_with_an_unmapped_column_is_waited_for(connected, person, log):
    connected.do("ALTER TABLE order_lines ADD COLUMN email VARCHAR(80)")
    done = verbs.erase(person)

    assert done.waiting_for == ("shop",)
    assert obligations.owed_for(done.id)[0].reason == "source.unmapped"


def test_somebody_imported_again_while_the_erasure_waits_goes_too(connected, person, log, home):
    (home / "copy.txt").write_text(KARI)
    assert not verbs.erase(person).is_complete
    connected.add("customers", id=9, number=109, email=KARI, full_name="Kari", opted_in=True, is_blocked=False)
    (home / "copy.txt").unlink()
    with later(hours=2):
        assert verbs.resume(clock.now()) == 1

    assert connected.column("customers", "email") == [OLA]


def test_a_system_connected_after_the_order_is_asked_as_well(connected, person, log, home):
    systems.disconnect_all()
    (home / "copy.txt").write_text(KARI)
    assert verbs.erase(person).waiting_for == ()
    connectors.connect_all(home)
    Erasure.objects.update(state=Erasure.State.SHREDDED)
    (home / "copy.txt").unlink()

    assert verbs.erase(person).is_complete
    assert connected.column("customers", "email") == [OLA]


def test_the_plan_lists_the_connected_system_with_what_stays_there(connected, person):
    plan = {(item.what, item.count, item.stays_under) for item in verbs.plan_erasure(person)}

    assert ("The shop", 9, "") in plan
    assert ("The shop", 1, "Bokføringsloven 13") in plan
    assert len(connected.rows("customers")) == 3


def test_the_access_package_holds_what_the_connected_database_returned(connected, person, log):
    found = reads.access_package(person)
    package.AccessPackage.model_validate_json(json.dumps(found))
    system = found["systems"][0]
    values = {
        (record["where"], value["name"], value["value"]) for record in system["records"] for value in record["values"]
    }

    assert (system["id"], system["name"], system["complete"]) == ("shop", "The shop", True)
    assert ("orders", "delivery_note", "Ring på hos naboen, andre etasje") in values
    assert OLA not in json.dumps(found)
    assert "Ring på hos naboen, andre etasje" in reads.access_csv(person)


def test_a_package_without_the_databases_answer_says_so(connected, person, log, monkeypatch):
    monkeypatch.setenv("LOFTE_SOURCE_SHOP", "sqlite:////nowhere/at/all.sqlite3")
    system = reads.access_package(person)["systems"][0]

    assert (system["complete"], system["reason"], system["records"]) == (False, "source.unreachable", [])


def test_the_package_with_a_connected_system_stays_within_its_statements(connected, person, log):
    from django.db import connections
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connections["default"]) as ours, CaptureQueriesContext(connections["keys"]) as keys:
        reads.access_package(person)
    said = [
        each["sql"]
        for each in [*ours, *keys]
        if not each["sql"].startswith(("BEGIN", "SAVEPOINT", "RELEASE", "COMMIT"))
    ]

    assert len(said) <= MOST_STATEMENTS, "\n".join(each[:90] for each in said)


def test_a_correction_in_the_portal_reaches_the_database(connected, person, log):
    holding = next(each for each in register.open_all(person, "security", by="probe").values() if each.field == "name")
    assert verbs.correct(person, holding.id, "Kari Hansen")
    assert connected.column("customers", "full_name")[0] == "Kari Nordmann"  # owed, in the same transaction
    obligations.carry_out()

    assert connected.column("customers", "full_name") == ["Kari Hansen", "Kari Hansen", "Ola Hansen"]
    assert [row.state for row in Obligation.objects.all()] == ["verified"]


def test_an_objection_stops_the_use_in_the_database(connected, person, log):
    connected.mapping(lambda text: text.replace("withdrawn: { newsletter:", "withdrawn: { answers:"))
    connectors.connect_all(connected.file.parent.parent)
    keep.hold(person, {"email": KARI}, "answers", source="import", market="NO", locale="nb")
    for kind, handler in facts.SUBSCRIPTIONS.items():
        outbox.subscribe(kind, handler)
    verbs.object_to(person, "answers")
    outbox.drain(log)
    obligations.carry_out()

    assert connected.column("customers", "opted_in") == [False, False, True]


def test_a_mapping_that_cannot_be_read_connects_its_refusal(home, published):
    (home / "systems").mkdir()
    for name, text in {"a": "", "b": "connector: fax\n", "c": "connector: sql\nformat: sql/1\n", "d": "\tx"}.items():
        (home / "systems" / f"{name}.yaml").write_text(text)
    names = connectors.connect_all(home)

    assert names == ("a", "b", "c", "d")
    for name in names:
        assert systems.takes(name, "erase", "")
        with pytest.raises(Problem):
            systems.get(name)


def test_every_connector_is_a_folder_with_what_it_needs():
    room = Path(connectors.__file__).parent
    for name, kind in connectors.kinds().items():
        assert kind.id == name
        assert {"manifest.yaml", "README.md", "client.py"} <= {file.name for file in (room / name).iterdir()}
        assert {"erase", "export"} <= set(kind.acts)


def test_a_value_removed_by_hand_goes_from_the_database_too(connected, person, log):
    phone = next(each for each in register.open_all(person, "security", by="probe").values() if each.field == "phone")
    about = verbs.remove_everywhere(person, phone.id)
    assert connected.column("customers", "phone")[0] == "900 12 345"  # owed, in the same transaction
    obligations.carry_out()

    assert connected.column("customers", "phone") == [
        None,
        None,
        "+47 90012345",
    ]  # Ola has the same number, and keeps it
    assert connected.column("customers", "full_name")[0] == "Kari Nordmann"
    assert [each.state for each in obligations.owed_for(about)] == ["verified"]


def test_a_value_held_for_another_purpose_stays_in_the_database(connected, person, log):
    keep.hold(person, {"phone": "+47 900 12 345"}, "answers", source="import", market="NO", locale="nb")
    phones = [each for each in register.open_all(person, "security", by="probe").values() if each.field == "phone"]
    verbs.remove_everywhere(person, phones[0].id)

    assert len(phones) == 2
    assert not Obligation.objects.exists()


def test_what_a_statute_keeps_is_not_removed_by_hand(connected, person, republish):
    republish(lambda policy: policy["purposes"]["customer"].update(basis="legal_obligation"))
    keep.hold(person, {"phone": "+47 911 22 333"}, "customer", source="import", market="NO", locale="nb")
    kept = [
        each for each in register.open_all(person, "security", by="probe").values() if each.basis == "legal_obligation"
    ]
    with pytest.raises(Problem, match="kept-by-law"):
        verbs.remove_everywhere(person, kept[0].id)


def test_four_systems_cost_the_package_no_more_statements_than_one(connected, person, log, republish):
    text = connected.file.read_text(encoding="utf-8")
    alone = _statements(person)
    shop = {"name": "The shop", "kind": "crm", "fields": ["email", "name", "phone", "dialogue"]}
    republish(lambda policy: policy["systems"].update(dict.fromkeys(("shop", "second", "third", "fourth"), shop)))
    for name in ("second", "third", "fourth"):
        (connected.file.parent / f"{name}.yaml").write_text(text, encoding="utf-8")
    connectors.connect_all(connected.file.parent.parent)
    _statements(person)  # each opens its database

    assert [each["complete"] for each in reads.access_package(person)["systems"]] == [True] * 4
    assert _statements(person) == alone <= MOST_STATEMENTS


def _statements(person) -> int:
    from django.db import connections
    from django.test.utils import CaptureQueriesContext

    reads.access_package(person)
    with CaptureQueriesContext(connections["default"]) as ours, CaptureQueriesContext(connections["keys"]) as keys:
        reads.access_package(person)
    ends = ("BEGIN", "SAVEPOINT", "RELEASE", "COMMIT")
    return sum(not each["sql"].startswith(ends) for each in [*ours, *keys])
