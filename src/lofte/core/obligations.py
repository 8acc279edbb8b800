"""Acts owed to connected systems. Each is a row first; it counts only when the system itself, read back, agrees that it was done.

open -> claimed -> done -> verified; a refusal or an error leads back to open and is tried again later, `failed` is one that a
person should look at (and that is tried again all the same). A process may be killed between any two lines: the lease runs out,
the act is repeated under the same id and its connector makes the repetition harmless. Each change of state is a fact in the
outbox that names the system and the obligation, and nobody else.
"""

import json
import logging
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import F, Q, QuerySet

from lofte.core import clock, many, outbox, ports, systems, vault
from lofte.core.models import Obligation, new_id
from lofte.core.retry import in_transaction
from lofte.core.systems import Act, Change, Connector, Found, Kept, Left, Record, Value, Who
from lofte.core.tasks import duty
from lofte.kernel.instants import rfc3339
from lofte.kernel.problems import Problem

What, State = Obligation.What, Obligation.State

LEASE = timedelta(minutes=10)  # longer than any connector may take for one act
_TIME_A_ROUND = timedelta(minutes=4)  # below the lease of the duty itself
_BATCH = 100
_PAUSES = tuple(timedelta(seconds=s) for s in (15, 60, 300, 900, 3600, 4 * 3600))
_FAILED_PAUSE = timedelta(hours=6)
# GDPR 12(3) and 19: a month at most; 28 days is no longer than any month. A withdrawal stops the use at once (7(3), 21(3)).
_DUE = {What.WITHDRAW: timedelta(days=1), What.RESTRICT: timedelta(days=1)}
_DUE_ELSE = timedelta(days=28)
_KEEP_EXPORTS = timedelta(hours=24)
_KEEP_HISTORY = timedelta(days=30)
_logger = logging.getLogger("lofte.obligations")


@dataclass(frozen=True, slots=True)
class Owed:
    """One obligation as others see it. ``left`` is where the system still contradicted, or what it keeps and why."""

    id: UUID
    system: str
    what: str
    state: str
    reason: str
    due: datetime
    attempts: int
    counts: Mapping[str, int]
    left: tuple[Left, ...]
    evidence_index: int | None

    @property
    def is_verified(self) -> bool:
        return self.state == State.VERIFIED


@dataclass(frozen=True, slots=True)
class Returned:
    """What one system gave for an access package; ``is_complete`` when it was read back as whole, else ``reason`` says why not."""

    system: str
    is_complete: bool
    reason: str
    records: tuple[Record, ...]


# --- owing ----------------------------------------------------------------------------------------------------------


@in_transaction
def owe(
    what: str, subject: UUID, values: Iterable[tuple[str, str]], *, about: UUID, owner: UUID | None = None,
    purpose: str = "", change: Change | None = None,
) -> int:  # fmt: skip
    """Owe an act to every connected system it means something to; what is owed already stays as it is. Returns how many are new.

    ``about`` is what asks for it (an erasure, a correction, a consent event). ``owner`` is whose vault key seals the values:
    the person's, unless the act must outlive that key. Inside the caller's transaction.
    """
    takers = [each for each in systems.names() if systems.takes(each, what, purpose)]
    return _owe(takers, what, subject, values, about, owner, purpose, change)


@in_transaction
def owe_to(
    system: str, what: str, subject: UUID, values: Iterable[tuple[str, str]], *, about: UUID, owner: UUID | None = None,
    purpose: str = "",
) -> int:  # fmt: skip
    """Owe an act to one system by name (one of a `systems.family`). Inside the caller's transaction."""
    return _owe([system], what, subject, values, about, owner, purpose, None)


def _owe(
    takers: list[str], what: str, subject: UUID, values: Iterable[tuple[str, str]], about: UUID, owner: UUID | None,
    purpose: str, change: Change | None,
) -> int:  # fmt: skip
    at, pairs = clock.now(), [list(pair) for pair in values]
    asked = {"subject": subject, "what": what, "purpose": purpose, "about": about}
    there = set(Obligation.objects.filter(**asked).values_list("system", flat=True))
    missing = [each for each in takers if each not in there]
    if not missing:
        return 0
    key = vault.opener(owner or subject)
    payload = json.dumps({"values": pairs, "change": asdict(change) if change else None}).encode()
    for system in missing:
        row_id = new_id()
        row = Obligation(
            id=row_id, owner=owner or subject, system=system, sealed=key.seal(row_id, payload), made_at=at, next_at=at,
            due=at + _DUE.get(What(what), _DUE_ELSE), **asked,
        )  # fmt: skip
        row.save(force_insert=True)
        _tell(row, State.OPEN)
    return len(missing)


def on_withdrawal(fact: outbox.Fact) -> None:
    """A consent was withdrawn, or an objection made: the systems that use data for that purpose must stop too."""
    person_id, purpose = fact.person_id, str(fact.fact.get("purpose", ""))
    if person_id is None or not systems.names() or not vault.has_key(person_id):
        return
    values = ports.register().needles_of(person_id, "rights", by="rights")
    owe(What.WITHDRAW, person_id, values, about=fact.about or fact.id, purpose=purpose)


def note_evidence(fact: outbox.Fact) -> None:
    """The verified act stands in the log: remember where."""
    if fact.about is not None:
        Obligation.objects.filter(pk=fact.about).update(evidence_index=fact.index)


# --- questions ------------------------------------------------------------------------------------------------------


def owed_for(about: UUID) -> list[Owed]:
    """Every obligation that one erasure, correction or request asked for."""
    return [_seen(row) for row in Obligation.objects.filter(about=about).order_by("system", "made_at")]


def waiting_for(about: UUID) -> tuple[str, ...]:
    """The systems that something still waits for."""
    rows = Obligation.objects.filter(about=about).exclude(state=State.VERIFIED)
    return tuple(sorted(set(rows.values_list("system", flat=True))))


def open_now() -> list[Owed]:
    """Everything that is owed and not verified, the most urgent first."""
    return [_seen(row) for row in Obligation.objects.exclude(state=State.VERIFIED).order_by("due")[:_BATCH]]


def overdue(at: datetime | None = None) -> list[Owed]:
    """What should have been verified by now: somebody must look."""
    rows = Obligation.objects.exclude(state=State.VERIFIED).filter(due__lte=at or clock.now()).order_by("due")
    return [_seen(row) for row in rows]


def foresee(values: Iterable[tuple[str, str]]) -> dict[str, tuple[int, tuple[Kept, ...]]]:
    """What an erasure would meet in each connected system: rows that go, and what stays under which statute. Changes nothing.

    A system that cannot be asked now counts as nothing here; it is owed the act all the same.
    """
    who, met = Who(tuple(values)), dict[str, tuple[int, tuple[Kept, ...]]]()
    for system in systems.names():
        try:
            found = systems.get(system).find(who)
        except Exception as error:
            _logger.warning("a system could not be asked", extra={"fields": {"system": system, "error": _code(error)}})
            found = Found()
        met[system] = (sum(found.counts.values()), found.kept)
    return met


def _seen(row: Obligation) -> Owed:
    return Owed(
        id=row.id, system=row.system, what=row.what, state=row.state, reason=row.reason, due=row.due, attempts=row.attempts,
        counts=dict(row.counts), left=tuple(Left(**each) for each in row.left), evidence_index=row.evidence_index,
    )  # fmt: skip


# --- carrying out ---------------------------------------------------------------------------------------------------


@duty("obligations.carry_out", every=timedelta(seconds=5))
def carry_out_due(at: datetime) -> int:
    """Do what is owed and due to be tried; returns how many were verified."""
    return carry_out()


def carry_out(about: UUID | None = None) -> int:
    """Try everything whose hour has come, the oldest first (or only what one request asked for). Returns how many were verified."""
    began, verified = clock.now(), 0
    rows = _claimable(began)
    if about is not None:
        rows = rows.filter(about=about)
    for row in list(rows.order_by("made_at", "id")[:_BATCH]):
        if clock.now() - began > _TIME_A_ROUND:
            break
        if _may_start(row) and (lease := _claim(row)):
            verified += _carry(row, lease)
    return verified


def hurry(system: str) -> int:
    """Try what is owed to a system at the next round: it was mended, or this process has just connected it."""
    rows = Obligation.objects.filter(system=system).exclude(state=State.VERIFIED)
    return rows.update(next_at=clock.now())


def look_again(about: UUID, unless_since: datetime) -> tuple[str, ...]:
    """Search again the systems that verified an erasure before that instant. One that holds something again, or that cannot be
    searched now, owes it again.

    Returns the systems that do.
    """
    rows = Obligation.objects.filter(about=about, what=What.ERASE, state=State.VERIFIED, verified_at__lt=unless_since)
    back = []
    for row in rows:
        try:
            payload = _payload(row, vault.opener(row.owner))
            left = systems.get(row.system).search(_who(payload), _found(payload))
            reason = "obligation.came-back" if any(not each.exemption for each in left) else ""
        except Exception as error:
            left, reason = [], _code(error)
        if reason:
            _reopen(row, reason, left)
            back.append(row.system)
        else:
            Obligation.objects.filter(pk=row.pk, subject=row.subject).update(verified_at=clock.now())
    return tuple(back)


def _claimable(at: datetime) -> QuerySet[Obligation]:
    free = Q(lease="") | Q(lease_until__lte=at)
    return Obligation.objects.filter(free, next_at__lte=at).exclude(state=State.VERIFIED)


def _may_start(row: Obligation) -> bool:
    """Acts for one person in one system keep their order; an erasure and a copy wait for nothing."""
    if row.what in (What.ERASE, What.EXPORT):
        return True
    earlier = Obligation.objects.filter(subject=row.subject, system=row.system).exclude(state=State.VERIFIED)
    return not earlier.filter(Q(made_at__lt=row.made_at) | Q(made_at=row.made_at, id__lt=row.id)).exists()


@in_transaction
def _claim(row: Obligation) -> str:
    """Take the row for this process, or nothing: one conditional UPDATE. Who is killed after it loses it with the lease."""
    at, lease = clock.now(), secrets.token_hex(8)
    state = row.state if row.state == State.DONE else State.CLAIMED  # done but not read back: only that is left to do
    ours = _claimable(at).filter(pk=row.pk, subject=row.subject, state=row.state, attempts=row.attempts)
    if not ours.update(state=state, lease=lease, lease_until=at + LEASE, attempts=F("attempts") + 1):
        return ""
    row.state, row.attempts = state, row.attempts + 1
    if state == State.CLAIMED:
        _tell(row, State.CLAIMED)
    return lease


def _carry(row: Obligation, lease: str) -> bool:
    """One attempt. Whatever stops it puts the row back with a reason and a later hour; a killed process leaves the lease."""
    try:
        connector, key = systems.get(row.system), vault.opener(row.owner)
        payload = _payload(row, key)
        act = Act(
            row.id, row.what, _who(payload), row.purpose, Change(**payload["change"]) if payload["change"] else None
        )
        if row.state != State.DONE:
            payload = _remember(row, lease, payload, connector, act, key)
            payload = _do(connector, act, payload)
            counts = dict(_found(payload).counts)
            _move(row, lease, State.DONE, sealed=_seal(row, payload, key), counts=counts)
        left = connector.verify(act, _found(payload), _records(payload))
        if any(not each.exemption for each in left):
            _put_back(row, lease, "obligation.not-done", left)
            return False
        _verified(row, lease, left)
    except _LostError:
        return False  # the lease ran out and another process went on; it decides
    except Exception as error:
        _logger.warning(
            "an obligation waits", extra={"fields": {"obligation": str(row.id), "system": row.system, "error": _code(error)}}
        )  # fmt: skip
        _put_back(row, lease, _code(error))
        return False
    return True


def _remember(
    row: Obligation, lease: str, payload: dict[str, Any], connector: Connector, act: Act, key: vault.Opener
) -> dict[str, Any]:
    """What is there, written down before anything is done: afterwards nobody could tell what to read back."""
    if "found" in payload or act.what == What.EXPORT:
        return payload
    found = connector.find(act.who)
    payload = {**payload, "found": {"counts": dict(found.counts), "memory": found.memory}}
    _update(row, lease, sealed=_seal(row, payload, key))
    return payload


def _do(connector: Connector, act: Act, payload: dict[str, Any]) -> dict[str, Any]:
    found = _found(payload)
    match act.what:
        case What.ERASE:
            connector.erase(act, found)
        case What.CORRECT:
            connector.correct(act, found)
        case What.EXPORT:
            return {**payload, "records": [asdict(each) for each in connector.export(act)]}
        case _:
            connector.mark(act, found)
    return payload


def _verified(row: Obligation, lease: str, left: list[Left]) -> None:
    """The system agrees. An erasure and an export keep what is sealed for a while: to look again, and to hand it over."""
    forgets: dict[str, Any] = {} if row.what in (What.ERASE, What.EXPORT) else {"sealed": None}
    _move(
        row, lease, State.VERIFIED, reason="", left=[asdict(each) for each in left], lease="", lease_until=None,
        verified_at=clock.now(), **forgets,
    )  # fmt: skip


def _put_back(row: Obligation, lease: str, reason: str, left: Iterable[Left] = ()) -> None:
    state, pause = _pause(row)
    try:
        _move(
            row, lease, state, reason=reason[:64], left=[asdict(each) for each in left], lease="", lease_until=None,
            next_at=clock.now() + pause,
        )  # fmt: skip
    except _LostError:
        return


def _pause(row: Obligation) -> tuple[str, timedelta]:
    """In which state an act waits that did not succeed, and for how long."""
    is_stuck = row.attempts >= len(_PAUSES)
    return (State.FAILED, _FAILED_PAUSE) if is_stuck else (State.OPEN, _PAUSES[max(row.attempts - 1, 0)])


@in_transaction
def _reopen(row: Obligation, reason: str, left: list[Left]) -> None:
    verified = Obligation.objects.filter(pk=row.pk, subject=row.subject, state=State.VERIFIED)
    if verified.update(
        state=State.OPEN, reason=reason[:64], left=[asdict(each) for each in left], next_at=clock.now(), attempts=0,
        verified_at=None,
    ):  # fmt: skip
        row.refresh_from_db()
        _tell(row, State.OPEN)


class _LostError(Exception):
    """Another process holds the row now."""


@in_transaction
def _move(row: Obligation, held: str, state: str, **values: Any) -> None:
    """The state and its fact, in one transaction, as long as the lease is ours."""
    _update(row, held, state=state, **values)
    row.state = state
    row.reason = values.get("reason", row.reason)
    row.counts = values.get("counts", row.counts)
    _tell(row, state)


def _update(row: Obligation, held: str, **values: Any) -> None:
    if not Obligation.objects.filter(pk=row.pk, subject=row.subject, lease=held).update(**values):
        raise _LostError


def _tell(row: Obligation, state: str) -> None:
    outbox.add_many([_fact(row, state)])


def _fact(row: Obligation, state: str) -> outbox.New:
    """The fact. Only the verified act of a living person is also remembered as being about them."""
    fact: dict[str, Any] = {
        "obligation": str(row.id), "what": row.what, "system": row.system, "state": str(state), "attempt": row.attempts,
        "due": rfc3339(row.due),
    }  # fmt: skip
    fact |= {name: value for name, value in (("purpose", row.purpose), ("reason", row.reason)) if value}
    fact |= {"rows": dict(row.counts)} if row.counts else {}
    is_theirs = state == State.VERIFIED and row.what != What.ERASE
    return outbox.New(f"obligation.{state}", fact, row.subject if is_theirs else None, row.id)


def _code(error: Exception) -> str:
    return error.code if isinstance(error, Problem) else type(error).__name__


# --- what is sealed -------------------------------------------------------------------------------------------------


def _payload(row: Obligation, key: vault.Opener) -> dict[str, Any]:
    if row.sealed is None:
        raise Problem("obligation.forgotten", "what this obligation was about is gone", status=410)
    payload: dict[str, Any] = json.loads(key.open(row.id, row.sealed))
    return payload


def _seal(row: Obligation, payload: Mapping[str, Any], key: vault.Opener) -> bytes:
    return key.seal(row.id, json.dumps(payload).encode())


def _who(payload: Mapping[str, Any]) -> Who:
    return Who(tuple((field, value) for field, value in payload["values"]))


def _found(payload: Mapping[str, Any]) -> Found:
    return Found(**payload["found"]) if "found" in payload else Found()


def _records(payload: Mapping[str, Any]) -> list[Record]:
    return [
        Record(each["where"], tuple(Value(**value) for value in each["values"])) for each in payload.get("records", ())
    ]


# --- access ---------------------------------------------------------------------------------------------------------


def export(person_id: UUID, values: Iterable[tuple[str, str]]) -> list[Returned]:
    """Ask every connected system for its copy, now: the same few statements here however many systems there are.

    A system that cannot answer stays owed: its part is incomplete, with the reason, until a later call finds it answered.
    """
    if not systems.names():
        return []
    key, lease, at = vault.opener(person_id), secrets.token_hex(8), clock.now()
    asked = _ask_all(person_id, [list(pair) for pair in values], key, lease, at)
    began, given = clock.now(), list[tuple[Returned, dict[str, Any]]]()
    for row in asked:
        ours = row.lease == lease and clock.now() - began < _TIME_A_ROUND
        given.append(_copied(row, key) if ours else (Returned(row.system, False, row.reason, ()), {}))
    _keep_all([(row, changed) for row, (_, changed) in zip(asked, given, strict=True) if changed], lease)
    return [returned for returned, _ in given]


@in_transaction
def _ask_all(person_id: UUID, pairs: list[list[str]], key: vault.Opener, lease: str, at: datetime) -> list[Obligation]:
    """The rows of this copy, by system, claimed for this process as far as no other has them. An earlier copy goes."""
    mine = Obligation.objects.filter(subject=person_id, what=What.EXPORT)
    there = list(mine)
    if any(row.state == State.VERIFIED for row in there):
        mine.filter(state=State.VERIFIED).delete()
    waiting = [row for row in there if row.state != State.VERIFIED]
    until = at + LEASE
    if waiting and mine.filter(Q(lease="") | Q(lease_until__lte=at)).update(
        state=State.CLAIMED, lease=lease, lease_until=until, attempts=F("attempts") + 1
    ):
        waiting = list(mine.all())
    names = {row.system for row in waiting}
    payload = json.dumps({"values": pairs, "change": None}).encode()
    about, made = (waiting[0].about if waiting else new_id()), list[Obligation]()
    for system in systems.names():
        if system not in names and systems.takes(system, What.EXPORT, ""):
            row_id = new_id()
            made.append(
                Obligation(
                    id=row_id,
                    subject=person_id,
                    owner=person_id,
                    what=What.EXPORT,
                    system=system,
                    about=about,
                    state=State.CLAIMED,
                    sealed=key.seal(row_id, payload),
                    made_at=at,
                    next_at=at,
                    due=at + _DUE_ELSE,
                    lease=lease,
                    lease_until=until,
                    attempts=1,
                )
            )
    Obligation.objects.bulk_create(made)
    taken = [row for row in waiting if row.lease == lease]
    outbox.add_many(
        [*(_fact(row, State.OPEN) for row in made), *(_fact(row, State.CLAIMED) for row in [*taken, *made])]
    )
    return sorted([*waiting, *made], key=lambda row: row.system)


def _copied(row: Obligation, key: vault.Opener) -> tuple[Returned, dict[str, Any]]:
    """What a system gives, read back, and what is to be written about it."""
    free: dict[str, Any] = {"lease": "", "lease_until": None}
    try:
        connector, payload = systems.get(row.system), _payload(row, key)
        act = Act(row.id, row.what, _who(payload))
        records = connector.export(act)
        left = connector.verify(act, Found(), records)
        if any(not each.exemption for each in left):
            return _refused(row, "obligation.not-done", left)
    except Exception as error:
        _logger.warning(
            "an obligation waits", extra={"fields": {"obligation": str(row.id), "system": row.system, "error": _code(error)}}
        )  # fmt: skip
        return _refused(row, _code(error))
    counts: dict[str, int] = {}
    for each in records:
        counts[each.where] = counts.get(each.where, 0) + 1
    changed = free | {
        "state": State.VERIFIED, "reason": "", "left": [asdict(each) for each in left], "sealed": None, "verified_at": clock.now(),
        "counts": counts,
    }  # fmt: skip
    return Returned(row.system, True, "", tuple(records)), changed


def _refused(row: Obligation, reason: str, left: Iterable[Left] = ()) -> tuple[Returned, dict[str, Any]]:
    state, pause = _pause(row)
    changed = {
        "state": state, "reason": reason[:64], "left": [asdict(each) for each in left], "lease": "", "lease_until": None,
        "next_at": clock.now() + pause,
    }  # fmt: skip
    return Returned(row.system, False, reason[:64], ()), changed


@in_transaction
def _keep_all(changes: list[tuple[Obligation, dict[str, Any]]], lease: str) -> None:
    """What came of each, in one statement, as long as the lease is ours; who lost it has another process decide."""
    for row, changed in changes:
        for name, value in changed.items():
            setattr(row, name, value)
    rows = [row for row, _ in changes]
    names = sorted({name for _, changed in changes for name in changed})
    if rows and Obligation.objects.filter(lease=lease).bulk_update(rows, names):
        done = [row for row in rows if row.state == State.VERIFIED]
        outbox.add_many([*(_fact(row, State.DONE) for row in done), *(_fact(row, row.state) for row in rows)])


# --- forgetting -----------------------------------------------------------------------------------------------------


def owed_any(about: Iterable[UUID]) -> frozenset[UUID]:
    """Those of the erasures, corrections or requests that asked anything of a connected system."""
    return frozenset(Obligation.objects.filter(about__in=many.among(about)).values_list("about", flat=True))


def forget(about: UUID) -> int:
    """What one erasure owed elsewhere is proved: the rows go. Inside the caller's transaction."""
    return Obligation.objects.filter(about=about).delete()[0]


def supersede_crowd(people: Mapping[UUID, frozenset[str]]) -> dict[UUID, dict[str, int]]:
    """As `supersede`, for those of many people of whom anything is owed."""
    owed = Obligation.objects.filter(subject__in=many.among(people)).exclude(what=What.ERASE)
    return {each: supersede(each, people[each]) for each in set(owed.values_list("subject", flat=True))}


def supersede(person_id: UUID, hashes: frozenset[str]) -> dict[str, int]:
    """The person is erased: whatever else was owed on their behalf goes; what the erasure owes stays until it is verified."""
    gone, _ = Obligation.objects.filter(subject=person_id).exclude(what=What.ERASE).delete()
    return {"core_obligation": gone} if gone else {}


def follow(keep: UUID, gone: UUID) -> dict[str, int]:
    """Two persons are one: what is owed for ``gone`` is owed for ``keep``. An erasure under way must end first."""
    rows = list(Obligation.objects.filter(subject=gone))
    if any(row.what == What.ERASE for row in rows):
        raise Problem("merge.erasure", "one of the two is being erased", law="GDPR 17", status=409)
    if any(row.owner == gone and row.sealed is not None for row in rows):
        old, new = vault.opener(gone), vault.opener(keep)
        for row in rows:
            if row.owner == gone and row.sealed is not None:
                row.sealed = new.seal(row.id, old.open(row.id, row.sealed))
    for row in rows:
        owner = keep if row.owner == gone else row.owner
        Obligation.objects.filter(pk=row.pk).update(subject=keep, owner=owner, sealed=row.sealed)
    return {"core_obligation": len(rows)}


@duty("obligations.forget", every=timedelta(hours=1))
def forget_old(at: datetime) -> int:
    """Copies nobody fetched, and verified acts that have been shown long enough. The log keeps the facts."""
    verified = Obligation.objects.filter(state=State.VERIFIED).exclude(what=What.ERASE)
    copies, _ = verified.filter(what=What.EXPORT, verified_at__lte=at - _KEEP_EXPORTS).delete()
    rest, _ = verified.filter(verified_at__lte=at - _KEEP_HISTORY).delete()
    return copies + rest


def shown_to(person_id: UUID) -> list[dict[str, Any]]:
    """What the person sees of what was owed on their behalf."""
    hidden = (What.EXPORT, What.SHARE)  # a copy for the person, and what is shown as a disclosure
    rows = Obligation.objects.filter(subject=person_id).exclude(what__in=hidden).order_by("made_at")
    return [dict(each) for each in rows.values("made_at", "what", "system", "state", "reason", "due", "verified_at")]
