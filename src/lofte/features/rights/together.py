"""Erases many people at once: the steps of `rights.erasure`, each for a whole batch in a few statements, and one search for all.

The orders are the same rows and go through the same states, so whatever is killed here `resume` carries on one by one, or
the next sweep takes over. A batch marks its orders as in its hand; each step asks in its own UPDATE whether they still are.
What connected systems must do, and what the law keeps, goes the way of one by one.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import IntegrityError
from django.db.models import Model, QuerySet

from lofte.core import (
    actions,
    clock,
    collector,
    evidence,
    holdings,
    many,
    obligations,
    outbox,
    ports,
    publication,
    systems,
    vault,
)
from lofte.core.models import Entry, Mail, Person, new_id
from lofte.core.progress import verbs as progress
from lofte.core.progress.models import Work
from lofte.core.retry import in_transaction
from lofte.features.rights import beside, erasure, own_acts, residue, scan
from lofte.features.rights.crowd import Crowd
from lofte.features.rights.marks import Marks, marks_of
from lofte.features.rights.models import Erasure

State = Erasure.State
_LEASE = timedelta(minutes=10)  # in which nobody carries a batch on one by one; as long as a duty is held
_PROVED_AT_ONCE = 2_000
_ORDERS_A_ROUND = 1_000
_TOGETHER = 200  # people one exact search looks for
_FEW = 200  # people for whom the exact search does by itself
_CROWD = 20_000  # people one reading clears: some hundred megabytes
_SEARCHING, _CLEARING = "rights.search", "rights.clear"
# The orders' own note of whom they are about, which they forget when they are proved.
_OWN = frozenset({"default.rights_erasure.subject", "default.core_obligation.subject"})


@dataclass(frozen=True, slots=True)
class _Batch:
    """Orders in one hand. ``names`` are the ids that are known already, by what the database calls them; ``hashes`` are what
    those are found by who were opened for it.
    """

    hand: UUID
    names: Mapping[Any, UUID] = field(default_factory=dict)
    hashes: Mapping[UUID, frozenset[str]] = field(default_factory=dict)

    def orders(self, state: str, also: str = "", *, locked: bool = False) -> dict[UUID, UUID]:
        """The orders that are as far as this, by whom they are about; ``locked`` until the end of the transaction."""
        condition = f"state = '{state}' AND subject IS NOT NULL {also}"
        rows = many.rows_of(Erasure, ("subject", "id"), "hand", [self.hand], condition, locked=locked)
        return {self._id(subject): self._id(order) for subject, order in rows}

    def _id(self, stored: Any) -> UUID:
        return self.names.get(stored) or many.id_of(stored)

    def move(self, before: str, after: str, **values: Any) -> int:
        return Erasure.objects.filter(hand=self.hand, state=before).update(state=after, **values)


def begin(people: Sequence[UUID], by: str) -> int:
    """As `erasure.begin` for many: ordered, keys destroyed, rows gone, shredded in the log. Returns how many went that far."""
    at = clock.now()
    return _carry(_order(list(dict.fromkeys(people)), by), at)


def _carry(batch: _Batch, at: datetime) -> int:
    """What is in the hand, as far as nothing outside is needed."""
    _destroy_keys(batch)
    released = _shred(batch, *_erase_rows(batch), at)
    return released + _pass_by_systems(batch, at) + _release(batch.hand, at)


def _order(people: list[UUID], by: str) -> _Batch:
    """Write down what to search for, sealed, before anything is destroyed; take over what somebody ordered and did not end."""
    hand = new_id()
    Erasure.objects.filter(subject__in=many.among(people), state__in=_OPEN).update(
        hand=hand, next_at=clock.now() + _LEASE
    )
    known = _ids_of(Erasure, "subject", people)
    there = _ids_of(Person, "id", people)
    kept = ports.register().kept_by_law_of(people, clock.now())
    for person_id in people:
        if person_id in there and person_id in kept and person_id not in known:
            erasure.begin(person_id, by)
    fresh = [each for each in people if each in there and each not in known and each not in kept]
    if not fresh:
        return _Batch(hand)
    values = ports.register().needles_of_crowd(fresh, "erasure", by="rights")
    at = clock.now()
    orders = {new_id(): each for each in fresh}
    keys = vault.make_keys(list(orders))
    rows = [
        {
            "id": order_id, "subject": person, "by": by, "started_at": at, "next_at": at + _LEASE, "hand": hand,
            "sealed": keys[order_id].seal(order_id, json.dumps(values[person]).encode()),
        }
        for order_id, person in orders.items()
    ]  # fmt: skip
    try:
        _write(rows, values)
    except IntegrityError:
        # Somebody ordered one of them in the same moment: each by itself then, and theirs stays theirs.
        vault.destroy_keys(list(orders), forever=False)
        for person_id in fresh:
            if Person.objects.filter(pk=person_id).exists():
                erasure.begin(person_id, by)
    shapes = publication.current().policy.fields
    beside.ask({order: (person, values[person]) for order, person in orders.items()}, shapes)
    hashes = {person: residue.hashes(held, shapes) for person, held in values.items()}
    return _Batch(hand, many.stored([*orders, *fresh]), hashes)


def _ids_of(model: type[Model], column: str, ids: Sequence[UUID]) -> set[UUID]:
    """Those of the ids that stand in a column."""
    known = many.stored(ids)
    return {known[each] for (each,) in many.rows_of(model, (column,), column, ids)}


@in_transaction
def _write(rows: list[dict[str, Any]], values: Mapping[UUID, list[tuple[str, str]]]) -> None:
    many.write(Erasure, rows)
    asked = own_acts.who_asked({row["subject"]: frozenset[str]() for row in rows}, frozenset())
    is_connected = bool(systems.names())
    for row in rows:
        if is_connected:
            obligations.owe("erase", row["subject"], values[row["subject"]], about=row["id"], owner=row["id"])
        if row["subject"] in asked:
            own_acts.ordered(row["subject"], row["id"], row["by"])


_FREE = "AND CAST(kept AS TEXT) = '[]'"  # no statute keeps anything


def _destroy_keys(batch: _Batch) -> None:
    """As `erasure._destroy_key`: what was said is in the log first; then the keys go."""
    people = list(batch.orders(State.PLANNED, _FREE))
    if not people or not evidence.has_log():
        return
    outbox.drain_people(people)
    vault.destroy_keys(people)
    free = Erasure.objects.filter(hand=batch.hand, state=State.PLANNED, kept=[])
    free.update(state=State.KEY_DESTROYED)


@in_transaction
def _erase_rows(batch: _Batch) -> tuple[Collection[UUID], set[int]]:
    """Every row of every room, and the note of it, in one transaction. Who took over an order meanwhile keeps it.

    The orders, and the places in the log that are about those people.
    """
    orders = many.Batch(batch.orders(State.KEY_DESTROYED, _FREE, locked=True))
    if not orders:
        return (), set()
    known = many.stored(orders)
    indexes = defaultdict(set, _shredded_before(orders.values()))
    for stored, index in many.rows_of(Entry, ("person_id", "index"), "person_id", orders):
        indexes[orders[known[stored]]].add(index)
    letters = many.rows_of(Mail, ("person_id",), "person_id", orders, "state = 'queued'")
    queued = Counter(known[stored] for (stored,) in letters)
    hashes = {each: batch.hashes[each] for each in orders if each in batch.hashes}
    counts = holdings.erase_rows_of(
        hashes | _hashes_of({each: order for each, order in orders.items() if each not in hashes})
    )
    for person, count in queued.items():
        counts[person]["queued_mail"] = count
    told = [
        (State.ROWS_ERASED.value, counts[person], sorted(indexes.get(order, ())), order)
        for person, order in orders.items()
    ]
    many.update(Erasure, ["state", "counts", "indexes"], told)
    return orders.values(), set().union(*indexes.values())


def _hashes_of(orders: Mapping[UUID, UUID]) -> dict[UUID, frozenset[str]]:
    """The hashes people are found by, from their orders."""
    if not orders:
        return {}
    whose = {order: person for person, order in orders.items()}
    shapes, keys = publication.current().policy.fields, vault.openers(list(whose))
    rows = Erasure.objects.filter(id__in=many.among(whose)).only("id", "sealed")
    return {whose[row.id]: residue.hashes(_values(row, keys), shapes) for row in rows}


def _shredded_before(orders: Collection[UUID]) -> dict[UUID, set[int]]:
    """The places in the log that each order names already, of those that name any."""
    rows = Erasure.objects.filter(id__in=many.among(orders)).exclude(indexes=[]).values_list("id", "indexes")
    return {order: set(indexes) for order, indexes in rows}


def _shred(batch: _Batch, erased: Collection[UUID], indexes: Collection[int], at: datetime) -> int:
    """``indexes`` are the places in the log of the orders that were ``erased`` just now. How many are out of the hand now."""
    orders = set(batch.orders(State.ROWS_ERASED).values())
    if not orders or not evidence.has_log():
        return 0
    if places := sorted({*indexes, *set[int]().union(*_shredded_before(orders - set(erased)).values())}):
        evidence.log().shred(places)
    if systems.names() or obligations.owed_any(orders):
        batch.move(State.ROWS_ERASED, State.SHREDDED)
        return 0
    return batch.move(State.ROWS_ERASED, State.VERIFIED, hand=None, next_at=at)


def _pass_by_systems(batch: _Batch, at: datetime) -> int:
    """Where nothing is connected and nothing owed, nobody else has to agree. How many are out of the hand now."""
    if systems.names():
        return 0
    orders = set(batch.orders(State.SHREDDED).values())
    free = orders - obligations.owed_any(orders)
    mine = Erasure.objects.filter(hand=batch.hand, state=State.SHREDDED, id__in=many.among(free))
    return mine.update(state=State.VERIFIED, hand=None, next_at=at) if free else 0


_OPEN = (State.PLANNED, State.KEY_DESTROYED, State.ROWS_ERASED, State.SHREDDED)


def _release(hand: UUID, at: datetime) -> int:
    """From here on they wait like any other order."""
    return Erasure.objects.filter(hand=hand).update(hand=None, next_at=at)


def _values(row: Erasure, keys: dict[UUID, vault.Opener]) -> list[tuple[str, str]]:
    """What to search for, as `erasure._values`."""
    if row.sealed is None or row.id not in keys:
        return []
    return [(name, value) for name, value in json.loads(keys[row.id].open(row.id, row.sealed))]


# --- the search -----------------------------------------------------------------------------------------------------


@collector.seldom()
def resume(
    at: datetime, told: progress.Told = progress.nobody, *, at_most: timedelta | None = progress.A_ROUND
) -> int:  # fmt: skip
    """Carry on with every erasure that is not proved yet (a duty), one search for all of them; returns how many are done now.

    Out of time or killed, the next call goes on where the search was. ``told`` hears how far it is.
    """
    is_late = _until(at_most)
    _go_on(at, is_late)
    is_late = _until(at_most)  # time of its own, so that many new orders do not keep the search from its end
    try:
        if _clear(at, told, is_late):
            _search(at, told, is_late)
    finally:
        beside.close()
    return _prove_clean()


def _until(at_most: timedelta | None) -> Callable[[], bool]:
    began = clock.now()
    return lambda: at_most is not None and clock.now() - began > at_most


def _waiting(at: datetime) -> "QuerySet[Erasure]":
    return Erasure.objects.exclude(state=State.DONE).filter(next_at__lte=at).order_by("started_at")


def _go_on(at: datetime, is_late: Callable[[], bool]) -> None:
    """Orders that somebody left half-way: those that nothing outside is needed for together, the others one by one."""
    while not systems.names() and not is_late():
        rows = _waiting(at).filter(state__in=_OPEN, kept=[]).values_list("id", flat=True)
        orders = list(rows[:_ORDERS_A_ROUND])
        hand = new_id()
        if not orders or not Erasure.objects.filter(id__in=many.among(orders)).update(
            hand=hand, next_at=clock.now() + _LEASE
        ):
            break
        _carry(_Batch(hand), at)
        if Erasure.objects.filter(id__in=orders, state__in=_OPEN).exists():
            break  # no log here, or somebody said something in between: one by one says what it waits for
    for each in _waiting(at).exclude(state__in=erasure.SEARCHED)[:_ORDERS_A_ROUND]:
        erasure.carry_on(each, searches=False)
        if is_late():
            break


def _clear(at: datetime, told: progress.Told, is_late: Callable[[], bool]) -> bool:
    """Clear very many of whatever could be left of them, in one reading of everything; false when the time was up before the end.

    Who is not cleared so, and whoever it would not do for, is searched for exactly after it (`_search`).
    """
    while True:
        work = progress.unfinished(_CLEARING)
        if work is None:
            # In the hand of a search nobody knows of any more.
            Erasure.objects.filter(state=State.VERIFIED, hand__isnull=False, next_at__lte=at).update(hand=None)
            waiting = Erasure.objects.filter(state=State.VERIFIED, hand=None, next_at__lte=at, kept=[], searched=0)
            ids = list(waiting.order_by("started_at").values_list("id", flat=True)[:_CROWD])
            owed = obligations.owed_any(ids) if systems.names() else frozenset()
            if len(ids) - len(owed) <= _FEW:
                return True
            work = progress.begin(_CLEARING, "rows", scan.size())
            _take(work.id, [each for each in ids if each not in owed])
        if not _clear_some(work, told, is_late) or is_late():
            return False


@in_transaction
def _take(hand: UUID, orders: list[UUID]) -> None:
    """What nobody has in hand yet."""
    many.update(Erasure, ["hand"], [(hand, each) for each in orders], f"state = '{State.VERIFIED}' AND hand IS NULL")


def _clear_some(work: Work, told: progress.Told, is_late: Callable[[], bool]) -> bool:
    known = Crowd(_marks_in(work.id))
    try:
        after = scan.Place(*work.place["after"]) if "after" in work.place else None
        rows, columns = work.done, int(work.place.get("columns", 0))
        suspects = set(work.place.get("suspects", ()))
        if after is None:
            erasure.flush_databases()
        written = clock.now()
        for step in scan.steps(known, after, but=_OWN) if len(known) else ():
            rows, columns = rows + step.rows, columns + step.columns
            suspects |= {whose for whose, _, _ in step.hits}
            if clock.now() - written >= erasure.WRITE_EVERY:
                written = clock.now()
                place = {"after": [step.place.name, step.place.row], "columns": columns, "suspects": sorted(suspects)}
                progress.move(work, rows, place=place)
                told(work.done, work.total)
                # Never where a table would be begun anew: it could be longer than a round.
                if step.place.row and is_late():
                    return False
    finally:
        known.close()
    _settle(work, [UUID(each) for each in suspects], columns + len(_OWN))
    told(work.total, work.total)
    return True


@in_transaction
def _settle(work: Work, suspects: list[UUID], columns: int) -> None:
    """All but the suspects are clean; those are searched for one by one. With the note that the search came to its end."""
    for start in range(0, len(suspects), _ORDERS_A_ROUND):
        some = Erasure.objects.filter(id__in=suspects[start : start + _ORDERS_A_ROUND], hand=work.id)
        some.update(hand=None, searched=columns)  # this reading did not do for them, and another would not
    clean = Erasure.objects.filter(hand=work.id, state=State.VERIFIED)
    clean.update(state=State.CLEAN, residue=[], searched=columns, hand=None)
    progress.finish(work)


def _marks_in(hand: UUID) -> Iterator[tuple[str, Marks]]:
    """By what each could be recognised, as it was made beside the erasing, or made here as it is asked for."""
    shapes = publication.current().policy.fields
    ids = list(Erasure.objects.filter(hand=hand, state=State.VERIFIED).values_list("id", flat=True))
    unmade = []
    for order in ids:
        if marks := beside.made(order):
            yield order.hex, marks
        else:
            unmade.append(order)
    for start in range(0, len(unmade), _ORDERS_A_ROUND):
        some = unmade[start : start + _ORDERS_A_ROUND]
        keys = vault.openers(some)
        for row in Erasure.objects.filter(id__in=many.among(some)).only("id", "subject", "sealed"):
            yield row.id.hex, marks_of(residue.needles(_values(row, keys), shapes, row.subject, brief=True))


def _search(at: datetime, told: progress.Told, is_late: Callable[[], bool]) -> None:
    """One exact search after the other until nobody waits or the time is up. One that was stopped goes on with the same people."""
    while True:
        work = progress.unfinished(_SEARCHING)
        if work is not None:
            orders = list(Erasure.objects.filter(id__in=work.place.get("orders", ()), state__in=erasure.SEARCHED))
        else:
            orders = _to_search(at)
            if orders and (rows := scan.size()) > erasure.AT_ONCE:
                work = progress.begin(_SEARCHING, "rows", rows)
        if orders and not erasure.look_for(orders, work, told, is_late):
            return
        if work is not None:
            progress.finish(work)
        elif not orders:
            return
        if is_late():
            return


def _to_search(at: datetime) -> list[Erasure]:
    """Those whose connected systems still agree, the longest waiting first."""
    waiting = _waiting(at).filter(state__in=erasure.SEARCHED, hand=None)[:_TOGETHER]
    found = []
    for order in waiting:
        if obligations.look_again(order.id, clock.now() - erasure.FRESH):
            erasure.advance(order, State.ELSEWHERE)
            erasure.carry_on(order, searches=False)
        if order.state in erasure.SEARCHED:
            found.append(order)
    return found


# --- the proof ------------------------------------------------------------------------------------------------------


def _prove_clean() -> int:
    """As `erasure._prove` for all that are clean: many share one flush of the log. Returns how many are proved now."""
    proved = 0
    while evidence.has_log() and (orders := list(_to_prove()[:_PROVED_AT_ONCE])):
        proved += _prove(orders)
    if proved:
        erasure.flush_databases()
    return proved


def _to_prove() -> "QuerySet[Erasure]":
    """Without what a proof says nothing of."""
    return Erasure.objects.filter(state=State.CLEAN, subject__isnull=False).defer("sealed", "indexes", "hand")


def _prove(orders: list[Erasure]) -> int:
    copied = erasure.copied()
    facts = [(each.id, erasure.fact_of(each, copied), erasure.who_of(each)) for each in orders]
    indexes = outbox.append_many("erasure.completed", facts, publication.current().digest)
    ended = _end(orders, indexes)
    vault.destroy_keys([each.id for each in orders], forever=False)
    return ended


@in_transaction
def _end(orders: list[Erasure], indexes: list[int]) -> int:
    """They forget whom they were about. One that somebody else has ended already is theirs to count."""
    ids = [each.id for each in orders]
    rows = many.rows_of(Erasure, ("id",), "id", ids, f"state = '{State.CLEAN}'", locked=True)
    left = {many.id_of(each) for (each,) in rows}
    forgotten: dict[str, Any] = {
        "state": State.DONE.value, "subject": None, "sealed": None, "indexes": [], "hand": None, "finished_at": clock.now(),
    }  # fmt: skip
    ended = [
        (*forgotten.values(), index, each.id) for index, each in zip(indexes, orders, strict=True) if each.id in left
    ]
    many.update(Erasure, [*forgotten, "evidence_index"], ended)
    for each in obligations.owed_any(ids):
        obligations.forget(each)
    for by in sorted({each.by for each in orders}):
        mine = [each for each in orders if each.by == by and each.id in left]
        told = [{"rows": sum(each.counts.values()), "residue": 0} for each in mine]
        actions.record_many("person.erased", by, told)
    return len(left)
