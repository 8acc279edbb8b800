"""Authorities and successors: a document, few fields, two people, notice; and nothing before all of it."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from lofte.core import approvals, clock
from lofte.core.models import Action
from lofte.features.consent import verbs as consent
from lofte.features.register import verbs as register
from lofte.features.sharing import cases, disclosures, reads
from lofte.features.sharing.models import Case, Disclosure, Member, Recall
from lofte.kernel.problems import Problem

pytestmark = pytest.mark.django_db(databases=["default", "keys"], transaction=True)
ORDER = b"%PDF-1.7 the order"


def authority(**otherwise: Any) -> cases.Given:
    said: dict[str, Any] = {
        "kind": "authority", "recipient": "authorities-no", "name": "Skatteetaten", "market": "NO", "fields": ["name", "email"],
        "law": "skatteforvaltningsloven 10-2", "decision": "2026/1234", "decided_on": clock.now().date(),
        "document_name": "vedtak.pdf", "document": ORDER,
    }  # fmt: skip
    return cases.Given(**(said | otherwise))


def merger(**otherwise: Any) -> cases.Given:
    said: dict[str, Any] = {
        "kind": "merger", "recipient": "successor-no", "name": "Ny Eier AS", "market": "NO", "fields": ["name", "email"],
        "law": "GDPR 6(1)(f)", "decided_on": clock.now().date(), "document_name": "avtale.pdf", "document": ORDER,
        "relations": ["prospect"], "contact": "data@nyeier.example",
    }  # fmt: skip
    return cases.Given(**(said | otherwise))


def later(monkeypatch: pytest.MonkeyPatch, days: int) -> None:
    real = clock.now
    monkeypatch.setattr(clock, "now", lambda: real() + timedelta(days=days))


@pytest.fixture
def order(sharing_policy: Any) -> UUID:
    return cases.begin(authority(), by="staff:1")


def release(case: UUID) -> None:
    approvals.decide(cases.ask_release(case, by="staff:1"), "staff:7", True)


def test_an_authority_gets_what_its_decision_names_and_no_more(
    order: UUID, lead: Callable[..., UUID], settled: Callable[[], None], letterbox: Any
) -> None:
    person, other = lead(), lead("ola@example.no", "Ola")
    assert cases.add_person(order, person, by="staff:1")
    assert not cases.add_person(order, person, by="staff:1")
    release(order)
    cases.carry(clock.now())
    assert not Disclosure.objects.of(other).exists()
    assert cases.row_of(order).state == "released"  # the log has not got it yet
    settled()
    cases.carry(clock.now())
    assert cases.row_of(order).state == "ready"
    assert "Skatteetaten" in letterbox.last().get_body(("plain",)).get_content()
    lines = [json.loads(line) for line in cases.hand_over(order, by="staff:1")]
    assert [each["values"] for each in lines] == [{"email": "kari.nordmann@example.no", "name": "Kari Nordmann"}]
    cases.close(order, by="staff:1")
    settled()
    assert reads.faults(clock.now()) == []


def test_one_person_alone_releases_nothing_in_however_many_sessions(order: UUID, lead: Callable[..., UUID]) -> None:
    cases.add_person(order, lead(), by="staff:1")
    asked = cases.ask_release(order, by="staff:1")
    with pytest.raises(Problem, match="nobody approves what they asked for"):
        approvals.decide(asked, "staff:1", True)
    cases.carry(clock.now())
    assert not Disclosure.everyone.exists()
    with pytest.raises(Problem):
        cases.hand_over(order, by="staff:1")


@pytest.mark.parametrize(
    ("otherwise", "code"),
    [
        ({"document": b""}, "sharing.no-document"),
        ({"decision": ""}, "sharing.bad-value"),
        ({"law": " "}, "sharing.bad-value"),
        ({"fields": ["phone"]}, "sharing.not-declared"),
        ({"fields": []}, "sharing.not-declared"),
        ({"recipient": "partners-no"}, "sharing.not-declared"),
        ({"market": "SE"}, "sharing.not-declared"),
    ],
)
def test_there_is_no_case_without_decision_law_and_declared_fields(
    sharing_policy: Any, otherwise: dict[str, Any], code: str
) -> None:
    with pytest.raises(Problem) as problem:
        cases.begin(authority(**otherwise), by="staff:1")
    assert problem.value.code == code
    assert not Case.objects.exists()


def test_a_case_about_nobody_is_not_released(order: UUID) -> None:
    with pytest.raises(Problem) as problem:
        cases.ask_release(order, by="staff:1")
    assert problem.value.code == "sharing.nobody"


def test_a_case_whose_document_is_gone_is_not_released(order: UUID, lead: Callable[..., UUID]) -> None:
    cases.add_person(order, lead(), by="staff:1")
    Case.objects.update(sealed=None, digest="")
    with pytest.raises(Problem) as problem:
        cases.ask_release(order, by="staff:1")
    assert problem.value.code == "sharing.no-document"


def test_nothing_of_a_sale_moves_before_everybody_was_told_and_the_time_has_run(
    lead: Callable[..., UUID], settled: Callable[[], None], letterbox: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    stays, goes = lead(), lead("ola@example.no", "Ola")
    silent = register.welcome()
    register.begin_relation(silent, "prospect", market="NO", locale="nb")
    register.hold(silent, {"phone": "+47 22 00 00 00"}, "answers", source="staff:1", market="NO", locale="nb")
    case = cases.begin(merger(), by="staff:1")
    with pytest.raises(Problem, match="told first"):
        cases.ask_release(case, by="staff:1")
    cases.announce(case, by="staff:1")
    cases.carry(clock.now())
    settled()
    assert cases.counted(case) == {"noticed": 2, "unreached": 1}
    assert len(letterbox.letters) == 2
    with pytest.raises(Problem, match="notice period"):
        cases.ask_release(case, by="staff:1")
    consent.object_to(stays, "restructuring", method="portal")
    later(monkeypatch, 30)
    with pytest.raises(Problem, match="notice period"):
        cases.ask_release(case, by="staff:1")
    later(monkeypatch, 1)
    release(case)
    cases.carry(clock.now())
    settled()
    cases.carry(clock.now())
    assert cases.row_of(case).state == "ready"
    assert Member.objects.of(stays).get().reason == "objected"
    lines = [json.loads(line) for line in cases.hand_over(case, by="staff:1")]
    assert [each["values"]["name"] for each in lines] == ["Ola"]
    assert not Disclosure.objects.of(silent).exists()
    assert reads.faults(clock.now()) == []
    assert goes


def test_who_objects_between_release_and_handing_over_stays(
    lead: Callable[..., UUID], settled: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    person = lead()
    case = cases.begin(merger(), by="staff:1")
    cases.announce(case, by="staff:1")
    cases.carry(clock.now())
    settled()
    later(monkeypatch, 31)
    release(case)
    cases.carry(clock.now())
    settled()
    cases.carry(clock.now())
    consent.object_to(person, "restructuring", method="portal")
    assert list(cases.hand_over(case, by="staff:1")) == []
    settled()
    assert Disclosure.objects.of(person).get().state == "cancelled"
    assert not Recall.objects.exists()


def test_a_case_that_was_withdrawn_forgets_whom_it_named(order: UUID, lead: Callable[..., UUID]) -> None:
    cases.add_person(order, lead(), by="staff:1")
    cases.withdraw(order, by="staff:1")
    assert not Member.everyone.exists()
    with pytest.raises(Problem):
        cases.ask_release(order, by="staff:1")


def test_the_document_is_sealed_and_whoever_reads_it_is_kept(order: UUID) -> None:
    assert ORDER not in bytes(cases.row_of(order).sealed or b"")
    assert cases.document_of(order, by="staff:7").content == ORDER
    assert Action.objects.filter(action="case.document_read", actor="staff:7").exists()


def test_an_authority_is_not_called_back(order: UUID, lead: Callable[..., UUID], settled: Callable[[], None]) -> None:
    from lofte.features.rights import verbs as rights

    person = lead()
    cases.add_person(order, person, by="staff:1")
    release(order)
    cases.carry(clock.now())
    settled()
    cases.carry(clock.now())
    list(cases.hand_over(order, by="staff:1"))
    settled()
    assert rights.erase(person).is_complete
    assert not Recall.objects.exists()
    assert not Member.everyone.exists()


def test_rows_that_left_past_a_case_are_found(
    order: UUID, lead: Callable[..., UUID], settled: Callable[[], None]
) -> None:
    person = lead()
    cases.add_person(order, person, by="staff:1")
    release(order)
    cases.carry(clock.now())
    settled()
    cases.carry(clock.now())
    disclosures.hand_over(person, Disclosure.objects.of(person).get().id, by="staff:1")
    Case.objects.update(sealed=None, released_by=["staff:1"])
    assert {each.kind for each in reads.faults(clock.now())} == {"no-decision", "one-signer"}


@pytest.mark.parametrize("falls", [0, 1, 2])
def test_a_notice_that_is_killed_goes_on_and_tells_nobody_twice(
    lead: Callable[..., UUID], settled: Callable[[], None], letterbox: Any, monkeypatch: pytest.MonkeyPatch, falls: int
) -> None:
    from lofte.features.sharing import letters

    for number in range(3):
        lead(f"person{number}@example.no", f"Person {number}")
    case = cases.begin(merger(), by="staff:1")
    cases.announce(case, by="staff:1")
    real, calls = letters.announce, []

    def announce(*given: Any) -> Any:
        calls.append(given)
        if len(calls) == falls + 1:
            raise SystemExit
        return real(*given)

    monkeypatch.setattr(cases, "_BATCH", 2)
    monkeypatch.setattr(letters, "announce", announce)
    with pytest.raises(SystemExit):
        cases.carry(clock.now())
    cases.carry(clock.now())
    settled()
    assert len(letterbox.letters) == 3
    assert cases.counted(case) == {"noticed": 3}


@pytest.mark.parametrize("falls", [0, 1, 2])
def test_a_release_that_is_killed_writes_nothing_twice(
    order: UUID, lead: Callable[..., UUID], settled: Callable[[], None], monkeypatch: pytest.MonkeyPatch, falls: int
) -> None:
    for number in range(3):
        cases.add_person(order, lead(f"person{number}@example.no", f"Person {number}"), by="staff:1")
    release(order)
    real, calls = disclosures.write, []

    def write(*given: Any, **named: Any) -> UUID:
        calls.append(given)
        if len(calls) == falls + 1:
            raise SystemExit
        return real(*given, **named)

    monkeypatch.setattr(cases, "_BATCH", 2)
    monkeypatch.setattr(disclosures, "write", write)
    with pytest.raises(SystemExit):
        cases.carry(clock.now())
    cases.carry(clock.now())
    settled()
    cases.carry(clock.now())
    assert cases.row_of(order).state == "ready"
    assert Disclosure.everyone.count() == 3


def test_a_successor_is_told_to_erase_whoever_is_erased_here(
    lead: Callable[..., UUID], settled: Callable[[], None], letterbox: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from lofte.core import obligations
    from lofte.features.rights import verbs as rights

    person = lead()
    case = cases.begin(merger(), by="staff:1")
    cases.announce(case, by="staff:1")
    cases.carry(clock.now())
    settled()
    later(monkeypatch, 31)
    release(case)
    cases.carry(clock.now())
    settled()
    cases.carry(clock.now())
    assert len(list(cases.hand_over(case, by="staff:1"))) == 1
    settled()
    assert rights.erase(person).is_complete
    obligations.carry_out()
    letter = letterbox.last()
    assert letter["To"] == "data@nyeier.example"
    assert Recall.objects.get().reference in letter["Subject"]
    assert "Slett alt dere har fått" in letter.get_content()
