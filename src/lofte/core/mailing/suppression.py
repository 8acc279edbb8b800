"""Which addresses are left alone: those that do not exist, those that failed again and again, and people who complained.

Marketing alone is stopped by it. What is owed (a right, an order, an answer) is sent all the same, and its row says so.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from lofte.core import actions, blind, clock, outbox, ports, publication
from lofte.core.mailing.models import Bounce, Suppression
from lofte.core.models import Mail
from lofte.core.retry import in_transaction
from lofte.kernel.problems import Problem
from lofte.rules.model import Basis

SOFT_TIMES, SOFT_WITHIN = 5, timedelta(days=30)
EVERYWHERE = ""
DESPITE = "despite-suppression"


def hash_of(address: str) -> str:
    """How an address is known here; empty for what is none."""
    try:
        return blind.blind_hash("mailing", blind.normalise("email", address))
    except Problem:
        return ""


def stops_of(people: Sequence[UUID]) -> Mapping[tuple[UUID, str], str]:
    """Why marketing does not go to these people: by person and keyed hash of the address, `EVERYWHERE` for all of theirs."""
    rows = Suppression.everyone.filter(person_id__in=people).values_list("person_id", "address", "reason")
    return {(person, address): reason for person, address, reason in rows}


def why_stopped(stops: Mapping[tuple[UUID, str], str], row: Mail) -> str:
    return stops.get((row.person_id, EVERYWHERE)) or (row.address and stops.get((row.person_id, row.address))) or ""


def is_stopped(person_id: UUID, address: str) -> bool:
    """Whether marketing would not go to this address of a person now."""
    wanted = {EVERYWHERE, hash_of(address)}
    return Suppression.objects.of(person_id).filter(address__in=wanted).exists()


@in_transaction
def came_back(row: Mail, kind: Bounce.Kind, status: str, at: datetime) -> bool:
    """Keep that a letter came back, and draw the conclusion. False when it was known."""
    made, is_new = Bounce.everyone.get_or_create(
        person_id=row.person_id, mail=row.id, kind=kind, defaults={"status": status, "address": row.address, "at": at}
    )
    if not is_new:
        return False
    Mail.objects.of(row.person_id).filter(id=row.id, state=Mail.State.SENT).update(reason=_REASONS[kind])
    fact = {"kind": kind.value, "status": status, "letter": row.letter, "purpose": row.purpose}
    outbox.add("mail.came_back", fact, person_id=row.person_id, about=row.id)
    actions.record("mail.came_back", "system", kind=kind.value, letter=row.letter)
    if kind is Bounce.Kind.COMPLAINT:
        _stop(row.person_id, EVERYWHERE, made)
        _take_at_their_word(row)
    elif row.address and (kind is Bounce.Kind.HARD or (kind is Bounce.Kind.SOFT and _has_failed_enough(row, at))):
        _stop(row.person_id, row.address, made)
    return True


def _take_at_their_word(row: Mail) -> None:
    """Who reports a letter as unwanted has said no to what it was sent for."""
    declared = publication.current().policy.purposes.get(row.purpose)
    if not row.is_marketing or declared is None:
        return
    if declared.basis is Basis.CONSENT:
        ports.consents().withdraw(row.person_id, row.purpose, method="complaint")
    elif declared.basis in (Basis.LEGITIMATE_INTEREST, Basis.PUBLIC_TASK):
        ports.consents().object_to(row.person_id, row.purpose, method="complaint")


_REASONS = {
    Bounce.Kind.HARD: "bounced", Bounce.Kind.SOFT: "bounced-soft", Bounce.Kind.BLOCKED: "blocked",
    Bounce.Kind.COMPLAINT: "complained",
}  # fmt: skip


@in_transaction
def lift(person_id: UUID, address: str = "", *, by: str, before: datetime | None = None) -> int:
    """Let marketing go to an address again, or to all: the person confirmed it anew, or staff know better. Returns how many.

    A complaint is taken back only where no address is named. What was stopped after ``before`` stays stopped.
    """
    rows = Suppression.objects.of(person_id)
    if before:
        rows = rows.filter(at__lt=before)
    if address:
        rows = rows.filter(address=hash_of(address)).exclude(address=EVERYWHERE)
    gone, _ = rows.delete()
    if gone:
        Bounce.objects.of(person_id).filter(kind=Bounce.Kind.SOFT).delete()  # counted from nought again
        outbox.add("mail.suppression_lifted", {"count": gone}, person_id=person_id)
        actions.record("mail.suppression_lifted", by)
    return gone


def _has_failed_enough(row: Mail, at: datetime) -> bool:
    lately = Bounce.objects.of(row.person_id).filter(
        address=row.address, kind=Bounce.Kind.SOFT, at__gt=at - SOFT_WITHIN
    )
    return lately.count() >= SOFT_TIMES


def _stop(person_id: UUID, address: str, bounce: Bounce) -> None:
    _, is_new = Suppression.everyone.get_or_create(
        person_id=person_id, address=address,
        defaults={"reason": bounce.kind, "status": bounce.status, "at": clock.now()},
    )  # fmt: skip
    waiting = Mail.objects.of(person_id).filter(state=Mail.State.QUEUED, is_marketing=True)
    if address:
        waiting = waiting.filter(address=address)
    waiting.update(state=Mail.State.SUPPRESSED, reason=bounce.kind, sealed=None)
    if is_new:
        outbox.add("mail.suppressed", {"kind": bounce.kind, "status": bounce.status}, person_id=person_id)
        actions.record("mail.suppressed", "system", kind=bounce.kind)
