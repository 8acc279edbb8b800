"""Referring somebody to a partner: an agreement first, the person told, the log before anything leaves, recalled at erasure."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import IntegrityError, transaction

from lofte.core import clock, obligations, outbox
from lofte.core.models import Mail, Obligation
from lofte.features.consent import verbs as consent
from lofte.features.rights import verbs as rights
from lofte.features.sharing import agreements, disclosures, reads, recalls
from lofte.features.sharing.models import Agreement, Disclosure, Recall
from lofte.kernel.problems import Problem

pytestmark = pytest.mark.django_db(databases=["default", "keys"], transaction=True)
FIELDS = ("name", "email")


def refer(person: UUID, **otherwise: Any) -> UUID:
    said: dict[str, Any] = {
        "recipient": "partners-no",
        "purpose": "answers",
        "fields": FIELDS,
        "by": "staff:1",
    } | otherwise
    return disclosures.refer(
        person, said.pop("recipient"), said.pop("purpose"), said.pop("fields"), said.pop("by"), **said
    )


def reason_of(problem: pytest.ExceptionInfo[Problem]) -> str:
    return problem.value.detail.rpartition(": ")[2]


@pytest.fixture
def handed(agreement: UUID, lead: Callable[..., UUID], settled: Callable[[], None]) -> tuple[UUID, UUID]:
    """A person who was referred, and handed over."""
    person = lead()
    made = refer(person)
    settled()
    disclosures.hand_over(person, made, by="staff:1")
    settled()
    return person, made


def test_a_referral_is_written_down_told_and_logged_before_it_leaves(
    agreement: UUID, lead: Callable[..., UUID], settled: Callable[[], None], letterbox: Any, log: Any
) -> None:
    person = lead()
    made = refer(person)
    with pytest.raises(Problem, match=r"sharing\.no-evidence|log has not got"):
        disclosures.hand_over(person, made, by="staff:1")
    outbox.drain()
    with pytest.raises(Problem, match="letter to the person has not left"):
        disclosures.hand_over(person, made, by="staff:1")
    settled()
    row = disclosures.one(person, made)
    fact = json.loads(log.opened(row.evidence_index).fact)
    assert fact["event"] == "disclosure.decided"
    assert fact["fields"] == ["email", "name"]
    assert "kari" not in json.dumps(fact).lower()
    letter = letterbox.last().get_body(("plain",)).get_content()
    assert "Regnskap Nord AS" in letter
    assert "Protester" in letter
    gone = json.loads(disclosures.hand_over(person, made, by="staff:1").content)
    assert gone["values"] == {"email": "kari.nordmann@example.no", "name": "Kari Nordmann"}
    assert gone["reference"] == row.reference
    assert disclosures.one(person, made).state == "handed_over"


@pytest.mark.parametrize(
    ("otherwise", "said", "reason"),
    [
        ({"expires": 0}, {}, "agreement-over"),
        ({}, {"purpose": "customer"}, "purpose-not-agreed"),
        ({}, {"fields": ("dialogue",)}, "field-not-agreed"),
        ({}, {"fields": ("company",)}, "field-not-agreed"),
        ({}, {"recipient": "authorities-no"}, "no-case"),
        ({}, {"recipient": "successor-no"}, "no-agreement"),
        ({}, {"recipient": "somebody"}, "undeclared-recipient"),
    ],
)
def test_nothing_goes_without_an_agreement_that_says_so(
    given: Callable[..., Any],
    lead: Callable[..., UUID],
    log: Any,
    otherwise: dict[str, Any],
    said: dict[str, Any],
    reason: str,
) -> None:
    agreements.record(given(), by="staff:1")
    if "expires" in otherwise:
        Agreement.objects.update(expires=clock.now().date() - timedelta(days=1))
        agreements.agreements_version()
        from lofte.core.decisions import asking

        asking._known = None
    person = lead()
    with pytest.raises(Problem) as problem:
        refer(person, **said)
    assert problem.value.code == "sharing.denied"
    assert reason_of(problem) in (reason, "undeclared-field", "no-agreement")
    assert not Disclosure.objects.of(person).exists()
    assert outbox.waiting() > 1  # the refusal is a fact too


def test_an_agreement_that_ended_shares_nothing_more(
    agreement: UUID, lead: Callable[..., UUID], settled: Callable[[], None]
) -> None:
    person = lead()
    made = refer(person)
    settled()
    agreements.end(agreement, by="staff:1")
    with pytest.raises(Problem) as problem:
        disclosures.hand_over(person, made, by="staff:1")
    assert problem.value.code == "sharing.denied"
    with pytest.raises(Problem):
        refer(lead("ola@example.no"))


def test_what_is_paid_for_is_no_agreement(given: Callable[..., Any], agreement: UUID) -> None:
    with pytest.raises(Problem, match="sold"):
        agreements.record(given(without_payment=False), by="staff:1")
    with pytest.raises(IntegrityError), transaction.atomic():
        Agreement.objects.filter(pk=agreement).update(without_payment=False)


@pytest.mark.parametrize(
    ("otherwise", "code"),
    [
        ({"recipient": "host"}, "sharing.not-declared"),
        ({"purposes": ["customer"]}, "sharing.not-declared"),
        ({"fields": ["company"]}, "sharing.not-declared"),
        ({"country": "US"}, "sharing.not-declared"),
        ({"document": b""}, "sharing.no-document"),
        ({"contact": "nobody"}, "sharing.bad-value"),
        ({"endpoint": "file:///etc/passwd"}, "sharing.bad-endpoint"),
        ({"reviewer": "boss"}, "sharing.not-declared"),
    ],
)
def test_an_agreement_says_only_what_the_policy_declares(
    given: Callable[..., Any], otherwise: dict[str, Any], code: str
) -> None:
    with pytest.raises(Problem) as problem:
        agreements.record(given(**otherwise), by="staff:1")
    assert problem.value.code == code
    assert not Agreement.objects.exists()


def test_a_document_is_sealed_and_comes_back_whole(agreement: UUID) -> None:
    row = agreements.row_of(agreement)
    assert b"signed by both" not in bytes(row.sealed)
    paper = agreements.document_of(agreement, by="staff:1")
    assert (paper.name, paper.content) == ("avtale.pdf", b"%PDF-1.7 signed by both")
    assert agreements.contact_of(agreement) == "personvern@regnskap.example"


def test_somebody_without_an_address_must_be_told_otherwise(agreement: UUID, settled: Callable[[], None]) -> None:
    from lofte.features.register import verbs as register

    person = register.welcome()
    register.begin_relation(person, "prospect", market="NO", locale="nb")
    register.hold(
        person, {"phone": "+47 22 00 00 00", "name": "Ola"}, "answers", source="staff:1", market="NO", locale="nb"
    )
    with pytest.raises(Problem) as problem:
        refer(person, fields=("phone",))
    assert problem.value.code == "sharing.untold"
    assert not Disclosure.objects.of(person).exists()
    made = refer(person, fields=("phone",), told="phone")
    settled()
    assert b"+47" in disclosures.hand_over(person, made, by="staff:1").content


def test_one_who_objects_is_called_back_and_goes_nowhere_again(
    handed: tuple[UUID, UUID], settled: Callable[[], None], letterbox: Any
) -> None:
    person, made = handed
    consent.object_to(person, "answers", method="portal")
    settled()
    assert disclosures.one(person, made).state == "recalled"
    assert Recall.objects.get().reason == "objection"
    with pytest.raises(Problem) as problem:
        refer(person)
    assert reason_of(problem) == "objected"


def test_an_erasure_tells_the_partner_and_leaves_no_handle_behind(
    handed: tuple[UUID, UUID], settled: Callable[[], None], letterbox: Any, agreement: UUID
) -> None:
    person, _ = handed
    reference = Disclosure.objects.of(person).get().reference
    erased = rights.erase(person)
    assert erased.is_complete
    assert not Disclosure.objects.of(person).exists()
    recall = Recall.objects.get()
    assert (recall.reference, recall.reason, recall.confirmed_at) == (reference, "erasure", None)
    assert not Obligation.objects.filter(subject=person).exists()
    obligations.carry_out()
    letter = letterbox.last()
    assert letter["To"] == "personvern@regnskap.example"
    assert reference in letter.get_content()
    assert "Kari" not in letter.as_string()
    waiting = recalls.waiting()
    assert [each.told_at is not None for each in waiting] == [True]
    recalls.confirm(recall.id, by="staff:1")
    obligations.carry_out()
    assert not recalls.waiting()
    assert Obligation.objects.get(about=recall.id).state == "verified"
    assert reads.faults(clock.now()) == []


def test_a_desk_that_does_not_answer_is_written_to_once_a_week(
    handed: tuple[UUID, UUID], settled: Callable[[], None], letterbox: Any
) -> None:
    person, _ = handed
    recalls.recall(person, "staff")
    before = len(letterbox.letters)
    for _ in range(3):
        obligations.carry_out()
        Obligation.objects.update(next_at=clock.now())
    assert len(letterbox.letters) == before + 1
    Recall.objects.update(told_at=clock.now() - timedelta(days=8))
    obligations.carry_out()
    assert len(letterbox.letters) == before + 2


def test_what_has_not_left_is_cancelled_and_nobody_is_told(
    agreement: UUID, lead: Callable[..., UUID], settled: Callable[[], None]
) -> None:
    person = lead()
    made = refer(person)
    assert recalls.recall(person, "staff") == 0
    settled()
    with pytest.raises(Problem, match="cancelled"):
        disclosures.hand_over(person, made, by="staff:1")
    assert not Recall.objects.exists()


def test_a_letter_that_bounced_lets_nothing_leave(
    agreement: UUID, lead: Callable[..., UUID], settled: Callable[[], None], letterbox: Any
) -> None:
    person = lead()
    made = refer(person)
    letterbox.refuse = 550
    settled()
    assert Mail.objects.of(person).get().state == "failed"
    with pytest.raises(Problem) as problem:
        disclosures.hand_over(person, made, by="staff:1")
    assert problem.value.code == "sharing.unsent"


def test_of_several_partners_one_is_named(
    given: Callable[..., Any], lead: Callable[..., UUID], agreement: UUID
) -> None:
    other = agreements.record(given(partner="Lønn Sør AS", services=["payroll"]), by="staff:1")
    person = lead()
    with pytest.raises(Problem) as problem:
        refer(person)
    assert problem.value.code == "sharing.which-partner"
    made = refer(person, partner=other)
    assert disclosures.one(person, made).name == "Lønn Sør AS"
    assert {each.partner for each in disclosures.choices(person, "answers")} == {"Regnskap Nord AS", "Lønn Sør AS"}


def test_the_unknown_country_of_an_agreement_lets_nothing_out(
    given: Callable[..., Any], lead: Callable[..., UUID]
) -> None:
    agreements.record(given(recipient="partners-us", country="US"), by="staff:1")
    with pytest.raises(Problem) as problem:
        refer(lead(), recipient="partners-us")
    assert reason_of(problem).startswith("transfer-")


def test_rows_written_past_the_gate_are_found_by_the_rows_alone(handed: tuple[UUID, UUID], agreement: UUID) -> None:
    person, made = handed
    assert reads.faults(clock.now()) == []
    Disclosure.objects.of(person).filter(id=made).update(fields=["name", "dialogue"], evidence_index=None)
    assert {each.kind for each in reads.faults(clock.now())} == {"not-agreed", "no-evidence"}
    Disclosure.objects.of(person).filter(id=made).update(agreement=None)
    assert "no-ground" in {each.kind for each in reads.faults(clock.now())}
