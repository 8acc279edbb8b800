"""What this room does when others report."""

from lofte.core.outbox import Fact
from lofte.features.sharing import cases, disclosures, recalls


def on_consent(fact: Fact) -> None:
    """Withdrawn, or objected to: what others were given for that purpose is called back."""
    reason = "withdrawal" if fact.kind.endswith("withdrawn") else "objection"
    if fact.person_id is not None and (purpose := str(fact.fact.get("purpose", ""))):
        recalls.recall(fact.person_id, reason, purpose=purpose)


def on_restriction(fact: Fact) -> None:
    if fact.person_id is not None:
        recalls.restrict(fact.person_id)


def on_lifted(fact: Fact) -> None:
    if fact.person_id is not None:
        recalls.lift(fact.person_id)


def on_partly_erased(fact: Fact) -> None:
    """Part of a person is past its clock: what we hold no longer, nobody else shall hold from us."""
    if fact.person_id is not None:
        recalls.recall_what_is_gone(fact.person_id)


SUBSCRIPTIONS = {
    "disclosure.decided": disclosures.note_evidence,
    "case.released": cases.note_evidence,
    "consent.withdrawn": on_consent,
    "consent.objected": on_consent,
    "restriction.begun": on_restriction,
    "restriction.lifted": on_lifted,
    "erasure.partial": on_partly_erased,
}
