"""What staff does for somebody who asked by letter or telephone: the same acts as in the portal, bound to the request.

Every verb first makes sure that it is certain who the request is from; an act for the wrong person is a breach.
"""

from uuid import UUID

from lofte.core import actions, approvals, obligations, ports, publication
from lofte.core.models import Mail
from lofte.core.retry import in_transaction
from lofte.features.rights import cases, copies, erasure, ledger, letters, reads, requests, restriction, verbs
from lofte.features.rights.models import Request
from lofte.features.rights.reads import Copy
from lofte.kernel.problems import Problem

Right = Request.Right
ERASE = "rights.erase"
"""The dangerous act two people decide on."""
_BATCH = 200


@in_transaction
def hand_over(request_id: UUID, by: str, way: str = letters.MAIL) -> None:
    """Access and portability: mail a link that opens their data once, to see and to download. Systems are asked for copies now.

    Another ``way`` is a copy on paper: `copy_for_post` prints it, and a letter goes with it.
    """
    case = requests.demand_identified(request_id)
    assert case.person_id is not None
    _demand(case.right, Right.ACCESS, Right.PORTABILITY)
    code = requests.link_of(case) if way == letters.MAIL else ""
    ledger.tell(ledger.row_of(request_id), "copy", by, way=way, code=code, days=requests.LINK_LASTS.days)
    copies.wait_for_files(case.person_id)
    obligations.export(case.person_id, ports.register().needles_of(case.person_id, "rights", by="rights"))
    requests.acted(request_id, by, None, reason="handed_over")
    actions.record("request.handed_over", by, right=case.right)


def copy_for_post(request_id: UUID, by: str) -> Copy:
    """Everything that is held about whoever asked, to be printed and sent; the look at all of it is kept under who opened it."""
    case = requests.demand_still_identified(request_id)
    assert case.person_id is not None
    _demand(case.right, Right.ACCESS, Right.PORTABILITY)
    ports.register().read(case.person_id, "rights", tuple(publication.current().policy.fields), by=by)
    actions.record("request.copy_printed", by, right=case.right)
    return reads.copy_of(case.person_id)


@in_transaction
def correct(request_id: UUID, holding_id: UUID, value: str, by: str) -> None:
    """Put a value right, here and in every connected system (GDPR 16, 19). ``by`` answers for it that a new address is theirs."""
    case = requests.demand_identified(request_id)
    assert case.person_id is not None
    about = verbs.correct_everywhere(case.person_id, holding_id, value)
    requests.acted(request_id, by, about)
    actions.record("person.corrected", by)


@in_transaction
def stop(request_id: UUID, purpose: str, by: str) -> None:
    """Withdrawal or objection, for the purpose they named."""
    case = requests.demand_identified(request_id)
    assert case.person_id is not None
    _demand(case.right, Right.WITHDRAWAL, Right.OBJECTION)
    if case.right == Right.WITHDRAWAL:
        event = verbs.take_back(case.person_id, purpose, case.channel)
    else:
        event = verbs.take_objection(case.person_id, purpose, case.channel)
    requests.names(request_id, purpose)
    requests.acted(request_id, by, event)
    ledger.tell(ledger.row_of(request_id), "stopped", by, purpose=_named(purpose, case.locale))


@in_transaction
def restrict(request_id: UUID, by: str) -> None:
    case = requests.demand_identified(request_id)
    assert case.person_id is not None
    _demand(case.right, Right.RESTRICTION, Right.OBJECTION)  # while an objection is weighed (GDPR 18(1)(d))
    restriction.restrict(case.person_id, by, request_id)
    ledger.tell(ledger.row_of(request_id), "restricted", by)


@in_transaction
def ask_to_erase(request_id: UUID, by: str) -> UUID:
    """Ask a second person to approve the erasure. Returns the id of the approval."""
    case = requests.demand_identified(request_id)
    _demand(case.right, Right.ERASURE)
    requests.add_step(request_id, "approval_asked", by)
    return approvals.ask(ERASE, by, request_id)


def _approved(approved: approvals.Approved) -> None:
    """Two people have decided: tell the person, as long as we know who they are; the erasure begins when they have been told."""
    if approved.about is None:
        raise Problem("request.unknown", "the request is no longer there", status=404)
    case = requests.demand_identified(approved.about)
    ledger.tell(ledger.row_of(case.id), "erasing", approved.decided_by)
    requests.add_step(case.id, "approved", approved.decided_by)


approvals.act(ERASE, _approved, needs="requests.decide")


def begin_erasures() -> int:
    """Begin what was approved, once the letter about it is no longer waiting: it would go with the person. Returns how many."""
    begun = 0
    for case in cases.open_for(Right.ERASURE, _BATCH):
        if case.person_id and case.has("approved") and not case.has("acted") and not _is_untold(case):
            erasure.erase(case.person_id, _approver(case))
            begun += 1
    return begun


def _approver(case: cases.Case) -> str:
    return next(each.by for each in reversed(case.history) if each.kind == "approved")


def _is_untold(case: cases.Case) -> bool:
    """Whether the letter about it has not left yet: it would go with the person."""
    if case.person_id is None or case.untold:
        return bool(case.untold)
    waiting = (Mail.State.QUEUED, Mail.State.SENDING)
    return bool(Mail.objects.of(case.person_id).filter(about=case.id, state__in=waiting).exists())


def _demand(right: str, *fitting: str) -> None:
    if right not in fitting:
        raise Problem("request.other-right", "this is not what was asked for", status=409)


def _named(purpose: str, locale: str) -> str:
    try:
        return publication.current().word(locale, "purposes", purpose, "name")
    except Problem:  # a policy without words in this language: better the key than no letter
        return purpose
