"""The brake: a run that would take more people than the policy allows takes nobody until two members of staff let that plan go.

What a person ordered themselves, by withdrawing or objecting, is no slip of the policy: it is neither counted nor held back.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from lofte.core import actions, approvals, clock, outbox, ports, publication, roles, tasks
from lofte.core.models import new_id, this_site
from lofte.core.retry import in_transaction
from lofte.features.retention import holds
from lofte.features.retention.models import Planned, Stop, Sweep
from lofte.kernel.problems import Problem
from lofte.rules.model import Brake

OWN_WILL = "withdrawal"
ACT = "retention.release"
FORESEEN_FOR = timedelta(days=30)
_PAGE = 5_000
State = Stop.State


def rules_now() -> str:
    """What every deadline follows from: the publication in force, and the holds on everybody."""
    digest, general = publication.current().digest, holds.version()
    return hashlib.sha256(f"{digest}{general}".encode()).hexdigest() if general else digest


def foreseen(at: datetime) -> int:
    """How many people the clocks as they stand take by a month from now: what the brake measures a new policy by."""
    return ports.register().striking(at + FORESEEN_FOR, [OWN_WILL])


@dataclass(frozen=True, slots=True)
class Gate:
    """Whom a run may take. ``stop`` is the plan that holds it back, ``plan`` the one two people let go."""

    at: datetime
    stop: UUID | None = None
    plan: UUID | None = None

    def through(self, people: Sequence[UUID]) -> list[UUID]:
        """Those of these people whom the run may take, in their order."""
        if self.stop is None:
            return list(people)
        ends = ports.register().ends_of(people, self.at)
        free = {each for each in people if set(ends.get(each, ())) == {OWN_WILL}}
        if self.plan is not None:
            rows = Planned.everyone.filter(stop=self.plan, person_id__in=people)
            free |= set(rows.values_list("person_id", flat=True))
        return [each for each in people if each in free]


def judge(at: datetime, rules: str) -> Gate:
    """May the run take everybody who is due? If not, the plan is written down, and who may go nevertheless is the gate's."""
    _void(Stop.objects.filter(state__in=[State.WAITING, State.RELEASED]).exclude(rules=rules))
    released = Stop.objects.filter(state=State.RELEASED, rules=rules).order_by("-made_at").first()
    due = ports.register().striking(at, [OWN_WILL])
    if released is not None and not (in_plan := _due_in(released.id, at)):
        _end(released)
        released = None
    rest = due - in_plan if released is not None else due
    registered, expected = ports.register().people_count(), _expected_before(rules)
    reason = too_many(rest, registered, expected, publication.current().policy.retention.brake)
    plan = released.id if released is not None else None
    waiting = Stop.objects.filter(state=State.WAITING, rules=rules).order_by("-made_at").first()
    if not reason:
        _void(Stop.objects.filter(state=State.WAITING))  # they showed interest, or their data went another way
        return Gate(at)
    if waiting is None:
        waiting = _stop(at, rules, reason, rest, registered, expected or 0, plan)
    return Gate(at, waiting.id, plan)


def too_many(people: int, registered: int, expected: int | None, brake: Brake) -> str:
    """Why a run of so many people stops: ``people``, ``share`` or ``growth``; empty when it does not.

    ``expected`` is what the policy before would have taken within a month, None when it is still the same policy.
    """
    if people <= brake.least and people <= brake.people:
        return ""
    if expected is not None and people > brake.growth * max(expected, 1):
        return "growth"
    if people > brake.people:
        return "people"
    return "share" if people > brake.share * registered else ""


def is_pulled() -> bool:
    """Whether some plan waits for two people: nobody is warned of an end that may be a slip."""
    return Stop.objects.filter(state=State.WAITING).exists()


def waiting() -> Stop | None:
    return Stop.objects.filter(state=State.WAITING).order_by("-made_at").first()


def stops(limit: int = 20) -> list[Stop]:
    """The latest stopped plans, the latest first."""
    return list(Stop.objects.order_by("-made_at")[:limit])


def one(stop_id: UUID) -> Stop:
    row = Stop.objects.filter(pk=stop_id).first()
    if row is None:
        raise Problem("brake.unknown", "there is no such plan", status=404)
    return row


def ask(stop_id: UUID, actor: str) -> UUID:
    """Ask that exactly this plan be let go; somebody else approves it. Returns the id of the request."""
    row = one(stop_id)
    if row.state != State.WAITING or row.rules != rules_now():
        raise _gone()
    _a_human(actor)
    approval = approvals.ask(ACT, actor, about=row.id, people=row.people)
    Stop.objects.filter(pk=row.pk, state=State.WAITING).update(approval=approval, asked_by=actor)
    return approval


def _release(approved: approvals.Approved) -> None:
    if approved.about is None:
        raise _gone()
    one_who, other = _a_human(approved.asked_by), _a_human(approved.decided_by)
    if one_who == other:
        raise Problem(
            "brake.one-person", "the two accounts belong to one person; a plan is let go by two", law="GDPR 32(1)(b)",
            status=403,
        )  # fmt: skip
    row, at = one(approved.about), clock.now()
    if row.rules != rules_now():
        raise _gone()
    moved = Stop.objects.filter(pk=row.pk, state=State.WAITING).update(
        state=State.RELEASED,
        approval=approved.id,
        asked_by=approved.asked_by,
        released_by=approved.decided_by,
        released_at=at,
    )
    if not moved:
        raise _gone()
    outbox.add("retention.released", {"plan": str(row.id), "people": row.people}, policy=publication.current().digest)
    actions.record("retention.released", approved.decided_by, plan=str(row.id), people=row.people)
    tasks.hurry("retention.sweep", at)


def _a_human(actor: str) -> str:
    """By what an account's owner is known: their address, else the account. The shell is nobody in particular."""
    user = roles.user_of(actor)
    if user is None:
        raise Problem("brake.nobody", "a plan is let go by members of staff, not by a machine", status=403)
    return user.email.strip().casefold() or actor


def _gone() -> Problem:
    return Problem(
        "brake.changed", "the plan has changed since, or is done: it cannot be let go as it was", status=409,
        way_out="Wait for the next run, and look at the new plan.",
    )  # fmt: skip


approvals.act(ACT, _release, needs="retention.release")


# --- within ---------------------------------------------------------------------------------------------------------


def _expected_before(rules: str) -> int | None:
    """What the last run under other rules foresaw, while no run under these has come to its end; else None."""
    last = Sweep.objects.filter(finished_at__isnull=False).exclude(rules="").order_by("-started_at").first()
    if last is None or (last.rules == rules and last.stop is None):
        return None
    before = (
        Sweep.objects.filter(finished_at__isnull=False).exclude(rules__in=["", rules]).order_by("-started_at").first()
    )
    return before.foreseen if before else None


@in_transaction
def _stop(
    at: datetime, rules: str, reason: str, people: int, registered: int, expected: int, plan: UUID | None
) -> Stop:
    """Write down exactly who is in the plan: nobody else goes when it is let go."""
    row = Stop.objects.create(
        at=at, rules=rules, reason=reason, people=people, registered=registered, foreseen=expected, made_at=clock.now()
    )
    after, count = None, 0
    while page := ports.register().struck_people(at, [OWN_WILL], after, _PAGE):
        fresh = _without(page, plan)
        site = this_site()
        Planned.everyone.bulk_create(
            [Planned(id=new_id(), site_id=site, person_id=each, stop=row.id) for each in fresh]
        )
        count += len(fresh)
        after = page[-1]
    outbox.add(
        "retention.stopped", {"plan": str(row.id), "reason": reason, "people": people, "registered": registered},
        policy=publication.current().digest,
    )  # fmt: skip
    actions.record("retention.stopped", "sweep", plan=str(row.id), reason=reason, people=people)
    return row


def _without(people: Sequence[UUID], plan: UUID | None) -> list[UUID]:
    if plan is None:
        return list(people)
    known = set(Planned.everyone.filter(stop=plan, person_id__in=people).values_list("person_id", flat=True))
    return [each for each in people if each not in known]


def _due_in(stop: UUID, at: datetime) -> int:
    """How many of a plan are still due."""
    after, count = None, 0
    while True:
        rows = Planned.everyone.filter(stop=stop)
        page = list((rows if after is None else rows.filter(person_id__gt=after)).order_by("person_id")[:_PAGE])
        if not page:
            return count
        after = page[-1].person_id
        ends = ports.register().ends_of([each.person_id for each in page], at)
        count += sum(set(each) != {OWN_WILL} for each in ends.values())


def _end(row: Stop) -> None:
    Stop.objects.filter(pk=row.pk).update(state=State.DONE)
    Planned.everyone.filter(stop=row.pk)._raw_delete(using="default")


def _void(rows: Iterable[Stop]) -> None:
    for row in list(rows):
        Stop.objects.filter(pk=row.pk).update(state=State.VOID)
        Planned.everyone.filter(stop=row.pk)._raw_delete(using="default")
