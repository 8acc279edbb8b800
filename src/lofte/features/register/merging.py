"""Two people who are one become one: everything of the second belongs to the first, nothing is lost and nothing stands twice.

What both records hold alike is kept once, and what went is noted. Values that differ stand side by side until somebody puts them
right. Of two words on a purpose the stricter holds. Done only after two members of staff agreed (`people.merge`).

Raises `Problem`: `register.same`, `register.nobody`, `merge.erasure`, `merge.left-behind`.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Q, QuerySet

from lofte.core import actions, approvals, blind, clock, merging, publication, vault
from lofte.core.models import BlindIndex, Person, new_id
from lofte.core.retry import in_transaction
from lofte.features.register import attachments, index, verbs
from lofte.features.register.models import Dialogue, Holding, Likeness, Look, Merged, Placement, Relation, Signal
from lofte.kernel.instants import rfc3339
from lofte.kernel.problems import Problem

ACT = "people.merge"


@in_transaction
def merge(keep: UUID, gone: UUID, *, by: str) -> dict[str, int]:
    """Make the two one, in one transaction. Returns how many rows moved, by table."""
    if keep == gone:
        raise Problem("register.same", "this is one and the same person already", status=422)
    confirmed = Person.objects.filter(pk__in=(keep, gone), provisional=False)
    if confirmed.count() < 2 or not (vault.has_key(keep) and vault.has_key(gone)):
        raise Problem("register.nobody", "one of the two is not, or no longer, in the register", status=409)
    counts = merging.merge_people(keep, gone)
    Merged.objects.of(keep).filter(gone=gone).update(by=by, counts=counts)
    verbs.refresh_due(keep)
    actions.record("people.merged", by, rows=sum(counts.values()))
    # Only once it is done for good: without its key what the other record sealed could not be read again.
    transaction.on_commit(partial(vault.destroy_key, gone))
    return counts


def ask(keep: UUID, gone: UUID, *, by: str) -> UUID:
    """Ask that the two be made one; somebody else approves. Returns the id of the request."""
    if keep == gone or Person.objects.filter(pk__in=(keep, gone), provisional=False).count() < 2:
        raise Problem("register.nobody", "one of the two is not, or no longer, in the register", status=409)
    return approvals.ask(ACT, by, keep, also=gone)


def now(person_id: UUID) -> UUID:
    """Under which id a person stands now: another one, if this record was found to be theirs."""
    seen = {person_id}
    while row := Merged.everyone.filter(gone=person_id).first():
        person_id = row.person_id
        if person_id in seen:
            break
        seen.add(person_id)
    return person_id


def _approved(approved: approvals.Approved) -> None:
    if approved.about is None or approved.also is None:
        raise Problem("register.nobody", "one of the two was erased since", status=409)
    merge(approved.about, approved.also, by=approved.asked_by)


approvals.act(ACT, _approved, needs="people.merge")


# --- this room's rows -----------------------------------------------------------------------------------------------


def follow(keep: UUID, gone: UUID) -> dict[str, int]:
    """This room's part of `core.merging`."""
    held = _Holdings(vault.opener(gone), vault.opener(keep))
    counts = {"register_placement": held.places(), "register_holding": held.rest()}
    counts |= {
        "register_dialogue": merging.move(Dialogue, keep, gone),
        "register_attachment": attachments.follow(held.old, held.new),
        "register_relation": _relations(keep, gone),
        "register_signal": _signals(keep, gone),
        "register_look": merging.move(Look, keep, gone),
        "register_merged": merging.move(Merged, keep, gone, sealed=["sealed"]),
        "register_likeness": _likeness(keep, gone),
    }
    BlindIndex.objects.filter(person_id=gone).delete()
    index.renew(held.new, publication.current().policy.fields)
    row_id = new_id()
    sealed = held.new.seal(row_id, json.dumps(held.doubled).encode()) if held.doubled else None
    Merged.objects.create(id=row_id, person_id=keep, gone=gone, by="", at=clock.now(), sealed=sealed)
    return counts


@dataclass
class _Holdings:
    """Holdings and places on their way from one key to the other. ``doubled`` is what stood in both and is kept once."""

    old: vault.Opener
    new: vault.Opener
    doubled: list[dict[str, str]] = field(default_factory=list)
    placed: set[UUID] = field(default_factory=set)

    def places(self) -> int:
        """Places in the same organisation become one, the earlier beginning counts; the others move as they are."""
        kept = list(Placement.objects.of(self.new.owner))
        left = list(Placement.objects.of(self.old.owner))
        mine = {each.id: each for each in Holding.objects.of(self.new.owner)}
        theirs = {each.id: each for each in Holding.objects.of(self.old.owner)}
        self.placed = {getattr(each, name) for each in (*kept, *left) for name in verbs.PLACED} - {None}
        same: dict[UUID, dict[str, Any]] = {}
        going = set[UUID]()
        for place in left:
            twin = next((each for each in kept if _is_same_place(each, place)), None)
            if twin is None:
                continue
            going.add(place.id)
            changed = same.setdefault(twin.id, {"started_at": twin.started_at})
            changed["started_at"] = min(changed["started_at"], place.started_at)
            for name in verbs.PLACED:
                here, there = changed.get(name, getattr(twin, name)), getattr(place, name)
                if there is None:
                    continue
                if here is None:
                    changed[name] = there
                elif here in mine and self._value(mine[here]) == self._value(theirs[there], old=True):
                    self._drop(theirs[there], mine[here])
        moved = merging.move(Placement, self.new.owner, self.old.owner, without=going)
        for twin_id, changed in same.items():
            Placement.objects.of(self.new.owner).filter(id=twin_id).update(**changed)
        return moved + len(going)

    def rest(self) -> int:
        """Every holding that is left moves, sealed anew, unless the same value stands there for the same purpose."""
        shapes = publication.current().policy.fields
        mine: dict[tuple[str, str, str], Holding] = {}
        for row in Holding.objects.of(self.new.owner):
            mine.setdefault((row.field, row.purpose, self._value(row)), row)
        for row in list(Holding.objects.of(self.old.owner)):
            twin = mine.get((row.field, row.purpose, self._value(row, old=True)))
            many = row.field in shapes and shapes[row.field].category in verbs.MANY
            if twin and not many and row.id not in self.placed:
                self._drop(row, twin)
        return merging.move(Holding, self.new.owner, self.old.owner, sealed=["sealed"]) + len(self.doubled)

    def _drop(self, row: Holding, twin: Holding) -> None:
        """The same stands there already; the earlier day counts, so that no clock starts later than it did."""
        self.doubled.append({
            "field": row.field, "purpose": row.purpose, "source": row.source, "since": rfc3339(row.since),
            "publication": row.publication, "wording": row.wording, "value": self._text(row, old=True),
        })  # fmt: skip
        Holding.objects.of(self.old.owner).filter(id=row.id)._raw_delete(using="default")
        if row.since < twin.since:
            Holding.objects.of(self.new.owner).filter(id=twin.id).update(since=row.since)

    def _value(self, row: Holding, *, old: bool = False) -> str:
        """What makes two values the same: the blind index where there is one, else the text without case and spaces around."""
        return str(row.hash) or blind.normalise("name", self._text(row, old=old))

    def _text(self, row: Holding, *, old: bool) -> str:
        return (self.old if old else self.new).open(row.id, row.sealed).decode()


def _is_same_place(one: Placement, other: Placement) -> bool:
    keys = ("organisation", "purpose", "market", "ended_at")
    return all(getattr(one, key) == getattr(other, key) for key in keys) and one.ended_at is None


def _relations(keep: UUID, gone: UUID) -> int:
    """An open relation of the same kind in the same market is one, from the earlier day."""
    there = {(each.relation, each.market): each for each in Relation.objects.of(keep).filter(ended_at__isnull=True)}
    doubled = set[UUID]()
    for row in Relation.objects.of(gone).filter(ended_at__isnull=True):
        if twin := there.get((row.relation, row.market)):
            doubled.add(row.id)
            if row.started_at < twin.started_at:
                Relation.objects.of(keep).filter(id=twin.id).update(started_at=row.started_at)
    return merging.move(Relation, keep, gone, without=doubled) + len(doubled)


def _signals(keep: UUID, gone: UUID) -> int:
    """Of each kind only the latest is kept."""
    latest: Mapping[str, datetime] = dict(Signal.objects.of(keep).values_list("kind", "at"))
    rows = list(Signal.objects.of(gone))
    for row in rows:
        if row.kind in latest and row.at > latest[row.kind]:
            Signal.objects.of(keep).filter(kind=row.kind).update(at=row.at, purpose=row.purpose, source=row.source)
    doubled = {row.id for row in rows if row.kind in latest}
    return merging.move(Signal, keep, gone, without=doubled) + len(doubled)


def _likeness(keep: UUID, gone: UUID) -> int:
    """What was thought of the one who goes is thought of nobody: the next search looks at them as one. What was settled holds."""
    rows = list(Likeness.everyone.filter(Q(person_id=gone) | Q(other=gone)))
    for row in rows:
        other = row.other if row.person_id == gone else row.person_id
        low, high = sorted((keep, other), key=lambda each: each.bytes)
        there = Likeness.objects.of(low).filter(other=high)
        if other != keep and row.settled_at and not there.update(settled_at=row.settled_at, settled_by=row.settled_by):
            row_id = new_id()
            Likeness.objects.create(
                id=row_id, person_id=low, other=high, reason=row.reason, found_at=row.found_at, settled_at=row.settled_at,
                settled_by=row.settled_by,
            )  # fmt: skip
    QuerySet(Likeness).filter(Q(person_id=gone) | Q(other=gone))._raw_delete(using="default")
    return len(rows)


def history(person_id: UUID, *, own: bool = False) -> list[dict[str, Any]]:
    """Which records were found to be this person's; what stood in both is opened only for their ``own`` copy."""
    rows = list(Merged.objects.of(person_id).order_by("at"))
    key = vault.opener(person_id) if own and any(row.sealed for row in rows) else None
    return [
        {
            "at": row.at, "by": row.by, "rows": sum(row.counts.values()),
            "kept_once": json.loads(key.open(row.id, row.sealed)) if key and row.sealed else [],
        }
        for row in rows
    ]  # fmt: skip
