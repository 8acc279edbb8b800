"""Decisions of authorities, and mergers and sales, as cases: who, whom, what, the document, the notice, two people, then the log.

An authority gets the fields its decision names, of the people it names. A successor gets contact details of the relations that go
along, after everybody was told and the notice period has run; who objected stays. Raises `Problem`: `sharing.not-declared`,
`sharing.no-document`, `sharing.bad-dates`, `sharing.case-not-open`, `sharing.nobody`, `sharing.notice-runs`.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Count

from lofte.core import actions, approvals, clock, outbox, ports, publication, vault
from lofte.core.models import new_id
from lofte.core.retry import in_transaction
from lofte.core.tasks import duty
from lofte.features.sharing import disclosures, gate, letters, papers
from lofte.features.sharing.models import Case, Disclosure, Member
from lofte.kernel.problems import Place, Problem
from lofte.rules.clocks import add_period
from lofte.rules.model import Policy, Recipient

Kind, State = Case.Kind, Case.State
ACT = "sharing.release"
CONTROLS = {Kind.AUTHORITY: "authority_decision_on_file", Kind.MERGER: "transfer_case_noticed"}
_ROLES = {Kind.AUTHORITY: ("authority",), Kind.MERGER: ("controller",)}
_NOTICE = "P30D"
_TWO = 2
_BATCH = 200
_A_ROUND = timedelta(minutes=1)
_LONGEST = 120
_LONGEST_NAMED = 500  # people one authority's decision may name here; more is a search, not a decision about somebody


@dataclass(frozen=True, slots=True)
class Given:
    """What a case says, as staff noted it down. ``relations`` are for a merger or sale, ``decision`` for an authority."""

    kind: str
    recipient: str
    name: str
    market: str
    fields: Sequence[str]
    law: str
    decided_on: date
    document_name: str
    document: bytes
    relations: Sequence[str] = ()
    decision: str = ""
    contact: str = ""
    tells: bool = True


@in_transaction
def begin(given: Given, *, by: str) -> UUID:
    """Open a case with its document. Nothing moves by that."""
    recipient, purpose = _declared(given)
    _demand_sound(given)
    paper, row_id = papers.checked(given.document_name, given.document), new_id()
    sealed = papers.sealed(row_id, paper)
    row = Case(
        id=row_id, reference=disclosures.reference(), kind=given.kind, recipient=given.recipient, name=given.name.strip(),
        country=recipient.country, market=given.market, purpose=purpose, fields=sorted(set(given.fields)),
        relations=sorted(set(given.relations)), law=given.law.strip(), decision=given.decision.strip(), decided_on=given.decided_on,
        sealed_name=sealed["sealed_name"], sealed=sealed["sealed"], file_kind=sealed["kind"], digest=sealed["digest"],
        sealed_contact=vault.seal_for_house(papers.beside(row_id, "contact"), given.contact.encode()) if given.contact else None,
        tells=given.tells, by=by, at=clock.now(),
    )  # fmt: skip
    row.save(force_insert=True)
    _tell(row, "opened", by, {"fields": row.fields, "law": row.law, "document": row.digest, "tells": row.tells})
    return row_id


@in_transaction
def add_person(case: UUID, person_id: UUID, *, by: str) -> bool:
    """Name a person an authority's decision is about; False when they are named already."""
    row = _open(case)
    if row.kind != Kind.AUTHORITY:
        raise Problem("sharing.case-not-open", "a merger or sale names relations, not people", status=409)
    if not ports.register().exists(person_id):
        raise Problem("sharing.nobody", "there is no such person", status=404)
    there = Member.everyone.filter(case=case)
    if there.filter(person_id=person_id).exists():
        return False
    if there.count() >= _LONGEST_NAMED:
        raise Problem(
            "sharing.too-many", f"a decision names at most {_LONGEST_NAMED} people", law="GDPR 5(1)(c)", status=422
        )
    Member.objects.create(person_id=person_id, case=case)
    actions.record("case.person_added", by, case=str(case))
    return True


@in_transaction
def remove_person(case: UUID, person_id: UUID, *, by: str) -> None:
    _open(case)
    Member.objects.of(person_id).filter(case=case).delete()
    actions.record("case.person_removed", by, case=str(case))


@in_transaction
def announce(case: UUID, *, by: str) -> None:
    """Begin to tell everybody a merger or sale covers; a duty writes the letters. From here on the scope stands."""
    row = _open(case)
    if row.kind != Kind.MERGER:
        raise Problem("sharing.case-not-open", "an authority's case has no notice period", status=409)
    Case.objects.filter(pk=row.pk, state=State.OPEN).update(state=State.NOTICED, notice_began=clock.now())
    _tell(row, "announced", by, {"relations": row.relations, "fields": row.fields})


@in_transaction
def told_otherwise(case: UUID, person_id: UUID, *, by: str) -> None:
    """Somebody without an address was told by post or in person; they go along, after the same period."""
    row = row_of(case)
    rows = Member.objects.of(person_id).filter(case=case, state=Member.State.UNREACHED)
    if row.state != State.NOTICED or not rows.update(state=Member.State.NOTICED, noticed_at=clock.now(), reason="post"):
        raise Problem("sharing.case-not-open", "there is nobody to note this about", status=409)
    today = clock.now().date()
    if row.noticed_on is not None:
        Case.objects.filter(pk=row.pk).update(noticed_on=today, free_from=_free_from(today))
    actions.record("case.told_otherwise", by, case=str(case))


@in_transaction
def withdraw(case: UUID, *, by: str) -> None:
    """The case comes to nothing; whoever was going to be told or named is forgotten by it."""
    row = row_of(case)
    if row.state not in (State.OPEN, State.NOTICED):
        raise _not_open()
    Case.objects.filter(pk=row.pk).update(state=State.WITHDRAWN, closed_at=clock.now())
    Member.everyone.filter(case=case).delete()
    _tell(row, "withdrawn", by, {})


@in_transaction
def close(case: UUID, *, by: str) -> None:
    """What was to go has gone."""
    row = row_of(case)
    if row.state != State.READY:
        raise _not_open()
    Case.objects.filter(pk=row.pk).update(state=State.CLOSED, closed_at=clock.now())
    _tell(row, "closed", by, {"disclosed": counted(case).get(Member.State.DISCLOSED, 0)})


# --- released by two people -----------------------------------------------------------------------------------------


@in_transaction
def ask_release(case: UUID, *, by: str) -> UUID:
    """The first of the two says yes and asks for the second. Returns the request for approval."""
    row = row_of(case)
    _demand_releasable(row)
    return approvals.ask(
        ACT, by, row.id, reference=row.reference, recipient=row.recipient,
        people=Member.everyone.filter(case=case).exclude(state=Member.State.UNREACHED).count(),
    )  # fmt: skip


def release(approved: approvals.Approved) -> None:
    """The second has said yes. With enough different people, what leaves is written down by a duty."""
    if approved.about is None:
        raise _not_open()
    row = row_of(approved.about)
    _demand_releasable(row)
    signers = sorted({*row.released_by, approved.asked_by, approved.decided_by})
    is_enough = len(signers) >= max(_TWO, int(bound(row.kind).get("approvals", _TWO)))
    changed: dict[str, Any] = {"state": State.RELEASED, "released_at": clock.now()} if is_enough else {}
    if not Case.objects.filter(pk=row.pk, state=row.state).update(released_by=signers, **changed):
        raise _not_open()
    row.released_by = signers
    _tell(
        row,
        "released" if is_enough else "signed",
        approved.decided_by,
        {"signers": len(signers), "approval": str(approved.id)},
    )


def _demand_releasable(row: Case) -> None:
    if row.kind == Kind.MERGER and row.state == State.OPEN:
        raise Problem("sharing.notice-runs", "people must be told first", law="GDPR 13(3), 14", status=409)
    if row.state not in (State.OPEN, State.NOTICED):
        raise _not_open()
    if row.sealed is None or not row.digest:
        raise Problem(
            "sharing.no-document", "the decision is not on file", Place(key="document"), law="GDPR 6(3)", status=409
        )
    if row.kind == Kind.MERGER and (row.free_from is None or clock.now().date() < row.free_from):
        raise Problem("sharing.notice-runs", "the notice period has not run yet", law="GDPR 13(3), 14", status=409)
    if not Member.everyone.filter(case=row.id).exists():
        raise Problem("sharing.nobody", "the case covers nobody", status=409)


# --- the duty -------------------------------------------------------------------------------------------------------


@duty("sharing.carry_cases", every=timedelta(seconds=15))
def carry(at: datetime) -> int:
    """Write the letters of a notice, and the disclosures of what was released, batch by batch. Killed anywhere it goes on."""
    began, done = clock.now(), 0
    for row in list(Case.objects.filter(state__in=[State.NOTICED, State.RELEASED]).defer("sealed").order_by("at")):
        step = _notice_some if row.state == State.NOTICED else _write_some
        while (count := step(row.id)) and clock.now() - began < _A_ROUND:
            done += count
    return done


@in_transaction
def _notice_some(case: UUID) -> int:
    """The next people of the scope get their letter. The day counts from the last of them."""
    row = Case.objects.filter(pk=case, state=State.NOTICED, noticed_on__isnull=True).defer("sealed").first()
    if row is None or row.notice_began is None:
        return 0
    at = clock.now()
    people = ports.register().people_in(row.relations, row.market, row.place, _BATCH)
    if not people:
        today = at.date()
        Case.objects.filter(pk=case, noticed_on__isnull=True).update(
            noticed_on=today, free_from=_free_from(today), place=None
        )
        _tell(row, "noticed", "system", {"people": counted(case), "from": _free_from(today).isoformat()})
        return 0
    there = set(Member.everyone.filter(case=case, person_id__in=people).values_list("person_id", flat=True))
    for person_id in people:
        if person_id in there:
            continue
        mail = letters.announce(person_id, row, _free_from(at.date()))
        state = Member.State.NOTICED if mail else Member.State.UNREACHED
        Member.objects.create(person_id=person_id, case=case, state=state, noticed_at=at if mail else None, mail=mail)
    Case.objects.filter(pk=case).update(place=people[-1])
    return len(people)


@in_transaction
def _write_some(case: UUID) -> int:
    """The next members: asked at the gate one by one; who may not go stays, with the reason."""
    row = Case.objects.filter(pk=case, state=State.RELEASED).defer("sealed").first()
    if row is None:
        return 0
    waiting = Member.everyone.filter(case=case, state__in=[Member.State.LISTED, Member.State.NOTICED])
    members = list(waiting.order_by("person_id")[:_BATCH])
    if not members:
        _end_writing(row)
        return 0
    for member in members:
        reason, disclosure = _disclose(row, member.person_id)
        state = Member.State.DISCLOSED if disclosure else Member.State.LEFT_OUT
        Member.objects.of(member.person_id).filter(case=case).update(state=state, reason=reason, disclosure=disclosure)
    return len(members)


def _disclose(case: Case, person_id: UUID) -> tuple[str, UUID | None]:
    way = gate.WayOut(case.recipient, case.purpose, tuple(case.fields), case.country, None, case)
    decided = gate.ask(person_id, way)
    if not decided.allowed:
        return decided.reason, None
    told, letter = "letter", None
    if case.kind == Kind.AUTHORITY:
        told = "letter" if case.tells else "law"
        letter = letters.Authority(case.name, case.law, case.decision) if case.tells else None
    try:
        made = disclosures.write(person_id, way, decided, name=case.name, by=case.by, told=told, letter=letter)
    except Problem as problem:
        if problem.code != "sharing.untold":
            raise
        made = disclosures.write(person_id, way, decided, name=case.name, by=case.by, told="unreached", letter=None)
    return "", made


def _end_writing(row: Case) -> None:
    """Everything that may go is written down; ready once the log has it all."""
    late = Disclosure.everyone.filter(case=row.id, evidence_index__isnull=True).exclude(
        state=Disclosure.State.CANCELLED
    )
    if late.exists():
        return
    if Case.objects.filter(pk=row.pk, state=State.RELEASED).update(state=State.READY, counts=counted(row.id)):
        _tell(row, "ready", "system", {"people": counted(row.id)})


# --- handing over ---------------------------------------------------------------------------------------------------


def hand_over(case: UUID, *, by: str) -> Iterator[bytes]:
    """What leaves, one JSON object a line and person, each handed over in its own transaction as it is read.

    Who has been erased, or whose disclosure was cancelled meanwhile, is not in it.
    """
    row = row_of(case)
    if row.state != State.READY:
        raise _not_open()
    actions.record("case.handed_over", by, case=str(case), recipient=row.recipient)
    return _lines(row, by)


def _lines(row: Case, by: str) -> Iterator[bytes]:
    last: UUID | None = None
    while True:
        rows = Disclosure.everyone.filter(
            case=row.id, state__in=[Disclosure.State.RECORDED, Disclosure.State.HANDED_OVER]
        )
        if last is not None:
            rows = rows.filter(person_id__gt=last)
        batch = list(rows.order_by("person_id").values_list("person_id", "id")[:_BATCH])
        if not batch:
            return
        for person_id, disclosure in batch:
            last = person_id
            try:
                handed = disclosures.hand_over(person_id, disclosure, by=by)
            except Problem:  # objected, restricted, erased or untold since: they stay, and the disclosure says so
                continue
            yield json.dumps(json.loads(handed.content), ensure_ascii=False).encode() + b"\n"


# --- questions ------------------------------------------------------------------------------------------------------


def row_of(case: UUID) -> Case:
    row = Case.objects.filter(pk=case).first()
    if row is None:
        raise Problem("sharing.no-case", "there is no such case", status=404)
    return row


def listed(limit: int = 200) -> list[Case]:
    """The open ones first, each group by age."""
    rows = list(Case.objects.defer("sealed").order_by("-at")[:limit])
    return sorted(rows, key=lambda row: row.state in (State.CLOSED, State.WITHDRAWN))


def counted(case: UUID) -> dict[str, int]:
    """How many people of a case stand where."""
    rows = Member.everyone.filter(case=case).values("state").annotate(count=Count("id")).order_by("state")
    return {str(each["state"]): int(each["count"]) for each in rows}


def members(case: UUID, limit: int = 100) -> list[Member]:
    return list(Member.everyone.filter(case=case).order_by("state", "person_id")[:limit])


def document_of(case: UUID, *, by: str) -> papers.Paper:
    row = row_of(case)
    if row.sealed is None or row.sealed_name is None:
        raise Problem("sharing.no-document", "there is no document", status=404)
    actions.record("case.document_read", by, case=str(case))
    return papers.opened(row.id, row.sealed_name, row.sealed, row.file_kind)


def bound(kind: str) -> Mapping[str, Any]:
    """The parameters of the promise about this kind of case; empty where the policy makes none."""
    policy = publication.current().policy
    control = CONTROLS[Kind(kind)]
    found = (
        each.parameters for promise in policy.promises.values() for each in promise.controls if each.control == control
    )
    return next(found, {})


def offered(policy: Policy, kind: str) -> dict[str, Recipient]:
    """The recipients a case of this kind may be for."""
    named = set(bound(kind).get("recipients", ()))
    return {
        key: each
        for key, each in policy.recipients.items()
        if each.role in _ROLES[Kind(kind)] and (not named or key in named)
    }


def purpose_of(kind: str) -> str:
    """The declared purpose a case of this kind serves; empty where the policy has none: then there is no such case."""
    policy, named = publication.current().policy, str(bound(kind).get("purpose", ""))
    return named if named in policy.purposes else ""


def notice_period() -> str:
    return str(bound(Kind.MERGER).get("notice", _NOTICE))


# --- within ---------------------------------------------------------------------------------------------------------


def _free_from(noticed: date) -> date:
    """The first day after the notice period: the day of the notice does not count, and the last one runs to its end."""
    return add_period(noticed, notice_period()) + timedelta(days=1)


def _declared(given: Given) -> tuple[Recipient, str]:
    if given.kind not in Kind.values:
        raise _undeclared("kind", "GDPR 5(1)(b)")
    policy = publication.current().policy
    recipient, purpose = offered(policy, given.kind).get(given.recipient), purpose_of(given.kind)
    if recipient is None:
        raise _undeclared("recipient", "GDPR 13(1)(e)")
    if not purpose:
        raise _undeclared("purpose", "GDPR 5(1)(b)")
    if given.market not in policy.markets or (recipient.markets and given.market not in recipient.markets):
        raise _undeclared("market", "GDPR 13(1)(e)")
    if not given.fields or not set(given.fields) <= set(policy.purposes[purpose].fields):
        raise _undeclared("fields", "GDPR 5(1)(c)")
    if given.kind == Kind.MERGER and (not given.relations or not set(given.relations) <= set(policy.relations)):
        raise _undeclared("relations", "GDPR 5(1)(c)")
    return recipient, purpose


def _demand_sound(given: Given) -> None:
    checks: tuple[tuple[str, Callable[[], bool]], ...] = (
        ("name", lambda: 0 < len(given.name.strip()) <= _LONGEST),
        ("law", lambda: 0 < len(given.law.strip()) <= _LONGEST),
        (
            "decision",
            lambda: len(given.decision) <= _LONGEST and (given.kind != Kind.AUTHORITY or bool(given.decision.strip())),
        ),
    )
    for key, holds in checks:
        if not holds():
            raise Problem(
                "sharing.bad-value", f"{key} is missing or too long", Place(key=key), law="GDPR 6(3)", status=422
            )
    if given.decided_on > clock.now().date():
        raise Problem("sharing.bad-dates", "a decision of a day to come is none", Place(key="decided_on"), status=422)


def _open(case: UUID) -> Case:
    row = row_of(case)
    if row.state != State.OPEN:
        raise _not_open()
    return row


def _tell(row: Case, what: str, by: str, more: Mapping[str, Any]) -> None:
    fact = {"case": str(row.id), "kind": row.kind, "recipient": row.recipient, "purpose": row.purpose, **more}
    outbox.add(f"case.{what}", fact, policy=publication.current().digest, about=row.id)
    actions.record(f"case.{what}", by, case=str(row.id))


def note_evidence(fact: outbox.Fact) -> None:
    """The release stands in the log."""
    if fact.about is not None:
        Case.objects.filter(pk=fact.about).update(evidence_index=fact.index)


def _undeclared(what: str, law: str) -> Problem:
    return Problem(
        "sharing.not-declared",
        f"the policy in force does not declare this for such a case: {what}",
        Place(key=what),
        law=law,
        status=422,
    )


def _not_open() -> Problem:
    return Problem("sharing.case-not-open", "the case has gone on, or is not that far", status=409)


approvals.act(ACT, release, needs="sharing.manage")
