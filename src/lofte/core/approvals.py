"""Two people for dangerous acts: one asks, another approves, and only then is it done. Each step is kept.

A room registers its act when it is imported, like a duty:

    def _merge(approved: approvals.Approved) -> None: ...
    approvals.act("people.merge", _merge, needs="people.merge")

With a handler the act is done in the transaction of the approval (what must not run inside one, the handler leaves for a duty or
`transaction.on_commit`). Without one, whoever asked carries it out, once, and shows the approval: `use`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q

from lofte.core import actions, clock, many, outbox, roles
from lofte.core.models import Approval, new_id
from lofte.kernel.problems import Problem

VALID_FOR = timedelta(days=7)
State = Approval.State


@dataclass(frozen=True, slots=True)
class Approved:
    """What was approved, as a handler is given it. ``about`` is who or what it is about; ``also`` the other one of a merge."""

    id: UUID
    act: str
    about: UUID | None
    also: UUID | None
    details: Mapping[str, str | int | bool]
    asked_by: str
    decided_by: str


@dataclass(frozen=True, slots=True)
class Asked:
    """One request for approval as it stands. ``state`` is waiting, approved, done, declined, withdrawn or expired."""

    id: UUID
    act: str
    about: UUID | None
    also: UUID | None
    details: Mapping[str, str | int | bool]
    asked_by: str
    asked_at: datetime
    expires_at: datetime
    state: str
    decided_by: str
    decided_at: datetime | None


Handler = Callable[[Approved], None]


@dataclass(frozen=True, slots=True)
class _Act:
    name: str
    handler: Handler | None
    needs: str


_acts: dict[str, _Act] = {}


def act(name: str, handler: Handler | None = None, *, needs: str = "") -> None:
    """Declare a dangerous act. ``needs`` is the permission its asker must have, when asking and still when it is approved."""
    if needs and needs not in roles.PERMISSIONS:
        raise ValueError(f"there is no permission {needs}")
    _acts[name] = _Act(name, handler, needs)


def acts() -> tuple[str, ...]:
    return tuple(sorted(_acts))


# --- asking and deciding --------------------------------------------------------------------------------------------


def ask(
    name: str, actor: str, about: UUID | None = None, *, also: UUID | None = None, **details: str | int | bool
) -> UUID:
    """Ask for an act; returns the id of the request. Asked again while it waits, it is the same request."""
    known = _known(name)
    _demand(actor, known.needs)
    actions.refuse_personal(name, details)
    at = clock.now()
    with transaction.atomic():
        waiting = Approval.objects.filter(
            act=name, about=about, also=also, asked_by=actor, state=State.WAITING, expires_at__gt=at
        )
        if same := next((row for row in waiting if row.details == details), None):
            return same.id
        row = Approval.objects.create(
            id=new_id(),
            act=name,
            about=about,
            also=also,
            details=details,
            asked_by=actor,
            asked_at=at,
            expires_at=at + VALID_FOR,
        )
        actions.record("approvals.asked", actor, act=name, approval=str(row.id))
    return row.id


def decide(approval: UUID, actor: str, approves: bool) -> Asked:
    """Approve or decline. Raises Problem for whoever asked it, for who may not, and for what is decided or expired."""
    user = _demand(actor, "approvals.decide")
    with transaction.atomic():
        row = _row(approval)
        if row.asked_by == actor:
            raise Problem(
                "approvals.own", "nobody approves what they asked for themselves", law="GDPR 32(1)(b)", status=403,
                way_out="Somebody else with the permission approvals.decide must look at it.",
            )  # fmt: skip
        known, at = _known(row.act), clock.now()
        _demand_open(row, at)
        if approves:
            _demand_still(row, known)
        state = (State.DONE if known.handler else State.APPROVED) if approves else State.DECLINED
        if not _move(row, State.WAITING, state, decided_by=actor, decided_at=at):
            raise _closed("somebody decided it in the same moment")
        word = "approved" if approves else "declined"
        actions.record(f"approvals.{word}", actor, act=row.act, approval=str(row.id))
        # The log names roles, never a member of staff: it outlives them.
        sides = {"asked": _role_names(row.asked_by), "decided": list(roles.roles_of(user))}
        outbox.add("action", {"act": row.act, "decision": word, **sides})
        if approves and known.handler:
            known.handler(_approved(row))
    return _seen(row)


def withdraw(approval: UUID, actor: str) -> None:
    """Whoever asked takes it back."""
    with transaction.atomic():
        row = _row(approval)
        if row.asked_by != actor:
            raise Problem("approvals.not-yours", "only who asked takes a request back", status=403)
        if not _move(row, State.WAITING, State.WITHDRAWN, decided_by=actor, decided_at=clock.now()):
            raise _closed("it is no longer waiting")
        actions.record("approvals.withdrawn", actor, act=row.act, approval=str(row.id))


def use(approval: UUID, actor: str, name: str) -> Approved:
    """Carry out an approved act that has no handler: once, by whoever asked, before it expires. Inside the caller's transaction."""
    row = _row(approval)
    if row.act != name or row.asked_by != actor or row.state != State.APPROVED:
        raise Problem(
            "approvals.needed", f"{name} needs somebody else's approval first", status=403,
            way_out="Ask for it in the console, under Approvals.",
        )  # fmt: skip
    _demand(actor, _known(name).needs)
    if row.expires_at <= clock.now() or not _move(row, State.APPROVED, State.DONE):
        raise _closed("the approval has expired or was used")
    actions.record("approvals.used", actor, act=row.act, approval=str(row.id))
    return _approved(row)


def expire(at: datetime) -> int:
    """End what nobody decided or used in time (a duty); returns how many."""
    ended = 0
    for row in Approval.objects.filter(state__in=[State.WAITING, State.APPROVED], expires_at__lte=at)[:500]:
        if _move(row, row.state, State.EXPIRED):
            actions.record("approvals.expired", "system", act=row.act, approval=str(row.id))
            ended += 1
    return ended


# --- questions ------------------------------------------------------------------------------------------------------


def waiting(at: datetime | None = None) -> list[Asked]:
    """What somebody must decide, the oldest first."""
    rows = Approval.objects.filter(state=State.WAITING, expires_at__gt=at or clock.now()).order_by("asked_at")
    return [_seen(row) for row in rows]


def count_waiting(actor: str) -> int:
    """How many of them this actor could decide: not their own."""
    return Approval.objects.filter(state=State.WAITING, expires_at__gt=clock.now()).exclude(asked_by=actor).count()


def ready(actor: str) -> list[Asked]:
    """What was approved and its asker has not carried out yet."""
    rows = Approval.objects.filter(state=State.APPROVED, asked_by=actor, expires_at__gt=clock.now()).order_by(
        "asked_at"
    )
    return [_seen(row) for row in rows]


def history(limit: int = 50) -> list[Asked]:
    """What is no longer waiting, the latest first."""
    rows = Approval.objects.exclude(state=State.WAITING).order_by("-asked_at")[:limit]
    return [_seen(row) for row in rows]


def one(approval: UUID) -> Asked:
    return _seen(_row(approval))


# --- the person behind it -------------------------------------------------------------------------------------------


def forget(person_id: UUID, hashes: frozenset[str]) -> dict[str, int]:
    """An erased person is named by no request any more. The requests stay, without them; what was still open has ended."""
    named = Q(about=person_id) | Q(also=person_id)
    Approval.objects.filter(named, state__in=[State.WAITING, State.APPROVED]).update(state=State.EXPIRED)
    about = Approval.objects.filter(about=person_id).update(about=None)
    return {Approval._meta.db_table: about + Approval.objects.filter(also=person_id).update(also=None)}


def forget_crowd(people: Mapping[UUID, frozenset[str]]) -> dict[UUID, dict[str, int]]:
    """As `forget`, for those of many people whom any request names."""
    asked = many.among(people)
    named = Approval.objects.filter(Q(about__in=asked) | Q(also__in=asked)).values_list("about", "also")
    there = {who for pair in named for who in pair}
    return {each: forget(each, people[each]) for each in people if each in there}


def follow(keep: UUID, gone: UUID) -> dict[str, int]:
    """Two persons are one: what was asked about the one who goes is about the one who stays."""
    Approval.objects.filter(about=keep, also=gone).update(also=None)
    Approval.objects.filter(about=gone, also=keep).update(about=keep, also=None)
    moved = Approval.objects.filter(about=gone).update(about=keep)
    return {Approval._meta.db_table: moved + Approval.objects.filter(also=gone).update(also=keep)}


# --- within ---------------------------------------------------------------------------------------------------------


def _known(name: str) -> _Act:
    if name not in _acts:
        raise Problem("approvals.no-act", f"there is no act {name}", status=500)
    return _acts[name]


def _row(approval: UUID) -> Approval:
    row = Approval.objects.filter(pk=approval).first()
    if row is None:
        raise Problem("approvals.unknown", "there is no such request for approval", status=404)
    return row


def _demand(actor: str, permission: str) -> User | None:
    if actor == roles.OPERATOR:
        return None
    user = roles.user_of(actor)
    if user is None:
        raise Problem("roles.not-allowed", "the actor is no active member of staff", status=403)
    if permission:
        roles.demand(user, permission)
    return user


def _demand_open(row: Approval, at: datetime) -> None:
    if row.state != State.WAITING:
        raise _closed("it is no longer waiting")
    if row.expires_at <= at:
        raise _closed("nobody decided it in time; it must be asked for again")


def _demand_still(row: Approval, known: _Act) -> None:
    """Who has left, or lost the permission since, has nothing approved any more."""
    try:
        _demand(row.asked_by, known.needs)
    except Problem as problem:
        raise _closed("whoever asked may no longer do this") from problem


def _closed(detail: str) -> Problem:
    return Problem("approvals.closed", detail, status=409)


def _move(row: Approval, before: str, after: str, **changed: object) -> bool:
    won = Approval.objects.filter(pk=row.pk, state=before).update(state=after, **changed)
    if won:
        row.state = after
        for name, value in changed.items():
            setattr(row, name, value)
    return won > 0


def _role_names(actor: str) -> list[str]:
    user = roles.user_of(actor)
    return list(roles.roles_of(user)) if user else [actor.partition(":")[0]]


def _approved(row: Approval) -> Approved:
    return Approved(row.id, row.act, row.about, row.also, dict(row.details), row.asked_by, row.decided_by)


def _seen(row: Approval) -> Asked:
    return Asked(
        id=row.id, act=row.act, about=row.about, also=row.also, details=dict(row.details), asked_by=row.asked_by,
        asked_at=row.asked_at, expires_at=row.expires_at, state=row.state, decided_by=row.decided_by, decided_at=row.decided_at,
    )  # fmt: skip
