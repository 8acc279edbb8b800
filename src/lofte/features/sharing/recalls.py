"""Telling those who were given data what has changed since (GDPR 19): erase it, or only keep it. By reference; no person is named.

A recall outlives the person it was about. It is owed to the partner like any act in another system (`core.obligations`), told by
their endpoint or by letter to their desk, and open until the endpoint agrees or somebody notes that the partner confirmed.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from lofte.core import actions, clock, mail, obligations, outbox, ports, publication, vault
from lofte.core.models import Obligation, new_id
from lofte.core.retry import in_transaction
from lofte.features.sharing import agreements, papers
from lofte.features.sharing.disclosures import DOOR, State, owe_again
from lofte.features.sharing.models import Case, Disclosure, Recall
from lofte.kernel.instants import rfc3339
from lofte.kernel.problems import Problem
from lofte.rules import values
from lofte.rules.catalogue import LOCALES, say

What = Recall.What
REASONS = ("erasure", "withdrawal", "objection", "restriction", "agreement-over", "staff", "not-held")
WITHIN = timedelta(days=28)
"""A month at the most (GDPR 12(3)); 28 days is no longer than any."""
AGAIN_AFTER = timedelta(days=7)
"""Who does not confirm is written to again."""
_KEPT = timedelta(days=3 * 365)


@in_transaction
def recall(person_id: UUID, reason: str, *, purpose: str = "", only: Iterable[UUID] | None = None) -> int:
    """Call back what others have of a person (for one purpose); what has not left is cancelled. Returns how many are told."""
    rows = Disclosure.objects.of(person_id).filter(state__in=[State.RECORDED, State.HANDED_OVER])
    if purpose:
        rows = rows.filter(purpose=purpose)
    if only is not None:
        rows = rows.filter(id__in=list(only))
    told = 0
    for row in list(rows):
        if row.handed_at is None:
            Disclosure.objects.of(person_id).filter(id=row.id, state=State.RECORDED).update(state=State.CANCELLED)
        elif _owe(row, What.ERASE, reason):
            Disclosure.objects.of(person_id).filter(id=row.id).update(state=State.RECALLED)
            told += 1
    return told


def recall_what_is_gone(person_id: UUID) -> int:
    """What others were given and we hold no longer, for that purpose, is called back."""
    held = ports.register().kinds_held(person_id)
    rows = _with_others(person_id).filter(case__isnull=True)
    gone = [row.id for row in rows if not any((row.purpose, field) in held for field in row.fields)]
    return recall(person_id, "not-held", only=gone) if gone else 0


def recall_all(agreement: UUID, *, by: str) -> int:
    """Everything a partner was given is called back, person by person. Killed half-way it is simply run again."""
    count = 0
    while rows := list(
        Disclosure.everyone.filter(agreement=agreement, state__in=[State.RECORDED, State.HANDED_OVER]).values_list(
            "person_id", "id"
        )[:200]
    ):
        for person_id, disclosure in rows:
            count += recall(person_id, "agreement-over", only=[disclosure])
    actions.record("agreement.recalled", by, agreement=str(agreement), told=count)
    return count


@in_transaction
def restrict(person_id: UUID) -> int:
    """Whoever holds the data only keeps it from now on (GDPR 18, 19). Returns how many are told."""
    rows = _with_others(person_id)
    return sum(_owe(row, What.RESTRICT, "restriction") for row in list(rows))


@in_transaction
def lift(person_id: UUID) -> int:
    """The restriction is over: what waits to be confirmed is moot, and partners are given the data anew, free to use it again."""
    rows = [row for row in _with_others(person_id) if row.agreement]
    told = Recall.objects.filter(
        reference__in=[row.reference for row in rows], what=What.RESTRICT, confirmed_at__isnull=True
    )
    for recall_id in list(told.values_list("id", flat=True)):
        confirm(recall_id, by="system")
    for row in rows:
        Disclosure.objects.of(person_id).filter(id=row.id).update(state=State.RECORDED)
        owe_again(person_id, row)
    return len(rows)


@in_transaction
def renew(person_id: UUID, fields: Iterable[str]) -> int:
    """One of these fields was corrected: partners that were given it are given it anew, through the same gate (GDPR 16, 19)."""
    changed = set(fields)
    rows = [
        row for row in Disclosure.objects.of(person_id).filter(state=State.HANDED_OVER) if changed & set(row.fields)
    ]
    for row in rows:
        if row.agreement:
            Disclosure.objects.of(person_id).filter(id=row.id).update(state=State.RECORDED)
            owe_again(person_id, row)
    return len(rows)


def _with_others(person_id: UUID) -> Any:
    """What has left, waiting to be given anew or not."""
    return Disclosure.objects.of(person_id).filter(
        state__in=[State.RECORDED, State.HANDED_OVER], handed_at__isnull=False
    )


def _owe(row: Disclosure, what: str, reason: str) -> bool:
    """False where nobody is told: an authority keeps by its own law what a decision gave it (GDPR 4(9))."""
    case = Case.objects.filter(pk=row.case).defer("sealed").first() if row.case else None
    if case is not None and case.kind == Case.Kind.AUTHORITY:
        return False
    at, row_id = clock.now(), new_id()
    made = Recall.objects.create(
        id=row_id, what=what, reason=reason, agreement=row.agreement, case=row.case, recipient=row.recipient, name=row.name,
        reference=row.reference, made_at=at, due=at + WITHIN,
    )  # fmt: skip
    vault.make_key(row_id)
    obligations.owe_to(
        f"{DOOR}:{row.agreement or row.case}", Obligation.What(what), row_id, [("reference", row.reference)], about=row_id
    )  # fmt: skip
    _tell_log("recall.owed", made, {"reason": reason, "due": rfc3339(made.due)})
    return True


# --- told and confirmed ---------------------------------------------------------------------------------------------


def row_of(recall_id: UUID) -> Recall:
    row = Recall.objects.filter(pk=recall_id).first()
    if row is None:
        raise Problem("sharing.no-recall", "there is no such recall", status=404)
    return row


@in_transaction
def note_told(recall_id: UUID) -> None:
    row = row_of(recall_id)
    Recall.objects.filter(pk=row.id).update(told_at=clock.now(), tellings=row.tellings + 1)
    _tell_log("recall.told", row, {"times": row.tellings + 1})


@in_transaction
def confirm(recall_id: UUID, *, by: str) -> None:
    """The recipient has said that it is done: their endpoint, or somebody who heard it from them."""
    row = row_of(recall_id)
    if not Recall.objects.filter(pk=row.id, confirmed_at__isnull=True).update(
        confirmed_at=clock.now(), confirmed_by=by
    ):
        return
    _tell_log("recall.confirmed", row, {"by": by.partition(":")[0]})
    actions.record("recall.confirmed", by, recipient=row.recipient)
    Obligation.objects.filter(about=row.id).update(next_at=clock.now())


def must_tell(row: Recall, at: datetime) -> bool:
    """Whether the letter to a partner's desk is due: never sent, or not answered for a week."""
    return row.confirmed_at is None and (row.told_at is None or row.told_at <= at - AGAIN_AFTER)


def write_to_desk(row: Recall) -> None:
    """The letter: a reference and what to do with it. Raises Problem where there is no address or no mail server."""
    organisation, here = publication.current().policy.organisation.name, _spoken_in(row)
    slots = {"organisation": organisation, "reference": row.reference, "day": values.day(here, row.due.date())}
    if not mail.tell_house(
        _desk(row), say(here, "sharing.desk.subject", **slots), say(here, f"sharing.desk.{row.what}", **slots) + "\n"
    ):
        raise Problem("recall.no-mail", "no mail server is named", status=503)


def _spoken_in(row: Recall) -> str:
    """The language of the recipient's country, if the policy speaks it; else English."""
    policy = publication.current().policy
    party = policy.recipients.get(row.recipient)
    spoken = (
        each.locales[0] for each in policy.markets.values() if party is not None and each.country == party.country
    )
    return next((each for each in spoken if each in LOCALES), "en-GB")


def _desk(row: Recall) -> str:
    if row.agreement:
        return agreements.contact_of(row.agreement)
    case = Case.objects.filter(pk=row.case).first() if row.case else None
    if case is None or case.sealed_contact is None:
        raise Problem("recall.no-desk", "there is nobody to write to", status=409)
    return vault.open_for_house(papers.beside(case.id, "contact"), case.sealed_contact).decode()


def waiting(limit: int = 200) -> list[Recall]:
    """What no recipient has confirmed yet, the most urgent first."""
    return list(Recall.objects.filter(confirmed_at__isnull=True).order_by("due")[:limit])


def settled(limit: int = 50) -> list[Recall]:
    return list(Recall.objects.filter(confirmed_at__isnull=False).order_by("-confirmed_at")[:limit])


def forget_old(at: datetime) -> int:
    """Recalls confirmed three years ago, and the keys of those that need none any more."""
    done = Recall.objects.filter(confirmed_at__lte=at - _KEPT)
    return done.delete()[0]


def _tell_log(kind: str, row: Recall, more: dict[str, object]) -> None:
    fact = {"recall": str(row.id), "what": row.what, "recipient": row.recipient, **more}
    outbox.add(kind, fact, policy=publication.current().digest, about=row.id)
