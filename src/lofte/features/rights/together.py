"""Erases many people at once: the steps of `rights.erasure`, each for a whole batch in a few statements, and one search for all.

The orders are the same rows and go through the same states, so whatever is killed here `resume` carries on one by one, or
the next sweep takes over. A batch marks its orders as in its hand; each step asks in its own UPDATE whether they still are.
What connected systems must do, and what the law keeps, goes the way of one by one.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import IntegrityError, connection
from django.db.models import QuerySet

from lofte.core import actions, clock, evidence, holdings, obligations, outbox, ports, publication, systems, vault
from lofte.core.models import Entry, Mail, Person, new_id
from lofte.core.progress import verbs as progress
from lofte.core.progress.models import Work
from lofte.core.retry import in_transaction
from lofte.features.rights import erasure, own_acts, residue, scan
from lofte.features.rights.crowd import Crowd
from lofte.features.rights.models import Erasure
from lofte.features.rights.scan import Needle

State = Erasure.State
_LEASE = timedelta(minutes=10)  # in which nobody carries a batch on one by one; as long as a duty is held
_PROVED_AT_ONCE = 500
_ORDERS_A_ROUND = 1_000
_TOGETHER = 200  # people one exact search looks for
_FEW = 200  # people for whom the exact search does by itself
_CROWD = 20_000  # people one reading clears: some hundred megabytes
_SEARCHING, _CLEARING = "rights.search", "rights.clear"
# The orders' own note of whom they are about, which they forget when they are proved.
_OWN = frozenset({"default.rights_erasure.subject", "default.core_obligation.subject"})


def begin(people: Sequence[UUID], by: str) -> int:
    """As `erasure.begin` for many: ordered, keys destroyed, rows gone, shredded in the log. Returns how many went that far."""
    hand, at = new_id(), clock.now()
    _order(list(dict.fromkeys(people)), by, hand)
    for step in _STEPS:
        step(hand)
    return _release(hand, at)


def _order(people: list[UUID], by: str, hand: UUID) -> None:
    """Write down what to search for, sealed, before anything is destroyed; take over what somebody ordered and did not end."""
    Erasure.objects.filter(subject__in=people, state__in=_OPEN).update(hand=hand, next_at=clock.now() + _LEASE)
    known = set(Erasure.objects.filter(subject__in=people).values_list("subject", flat=True))
    there = set(Person.objects.filter(pk__in=people).values_list("pk", flat=True))
    kept = ports.register().kept_by_law_of(people, clock.now())
    for person_id in people:
        if person_id in there and person_id in kept and person_id not in known:
            erasure.begin(person_id, by)
    fresh = [each for each in people if each in there and each not in known and each not in kept]
    if not fresh:
        return
    values = ports.register().needles_of_crowd(fresh, "erasure", by="rights")
    at = clock.now()
    orders = {new_id(): each for each in fresh}
    keys = vault.make_keys(list(orders))
    rows = [
        Erasure(
            id=order_id, subject=person, by=by, started_at=at, next_at=at + _LEASE, hand=hand,
            sealed=keys[order_id].seal(order_id, json.dumps(values[person]).encode()),
        )
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


@in_transaction
def _write(rows: list[Erasure], values: Mapping[UUID, list[tuple[str, str]]]) -> None:
    Erasure.objects.bulk_create(rows)
    asked = own_acts.who_asked({row.subject: frozenset[str]() for row in rows if row.subject}, frozenset())
    for row in rows:
        if row.subject is None:
            continue
        if systems.names():
            obligations.owe("erase", row.subject, values[row.subject], about=row.id, owner=row.id)
        if row.subject in asked:
            own_acts.ordered(row.subject, row.id, row.by)


def _in_hand(hand: UUID, state: str, *needed: str) -> dict[UUID, Erasure]:
    """The orders by whom they are about, with only what is needed of them."""
    rows = Erasure.objects.filter(hand=hand, state=state).only("subject", *needed)
    return {row.subject: row for row in rows if row.subject}


def _destroy_keys(hand: UUID) -> None:
    """As `erasure._destroy_key`: what was said is in the log first; then the keys go."""
    orders = _in_hand(hand, State.PLANNED, "kept")
    people = [person for person, row in orders.items() if not row.kept]
    if not people or not evidence.has_log():
        return
    outbox.drain_people(people)
    vault.destroy_keys(people)
    _move(hand, [orders[each].id for each in people], State.PLANNED, State.KEY_DESTROYED)


@in_transaction
def _erase_rows(hand: UUID) -> None:
    """Every row of every room, and the note of it, in one transaction. Who took over an order meanwhile keeps it."""
    asked = [row.id for row in _in_hand(hand, State.KEY_DESTROYED, "kept").values() if not row.kept]
    _move(hand, asked, State.KEY_DESTROYED, State.ROWS_ERASED)
    mine = set(asked)
    found = _in_hand(hand, State.ROWS_ERASED, "sealed", "indexes")
    orders = {person: row for person, row in found.items() if row.id in mine}
    if not orders:
        return
    people = list(orders)
    shapes = publication.current().policy.fields
    keys = vault.openers([row.id for row in orders.values()])
    hashes = {person: residue.hashes(_values(row, keys), shapes) for person, row in orders.items()}
    entries: dict[UUID, list[int]] = {each: [] for each in people}
    for person, index in Entry.everyone.filter(person_id__in=people).values_list("person_id", "index"):
        entries[person].append(index)
    queued = Mail.everyone.filter(person_id__in=people, state=Mail.State.QUEUED).values_list("person_id", flat=True)
    letters = list(queued)
    counts = holdings.erase_rows_of(hashes)
    for person in letters:
        counts[person]["queued_mail"] = counts[person].get("queued_mail", 0) + 1
    told = [
        (json.dumps(counts[person]), json.dumps(sorted({*row.indexes, *entries[person]})), row)
        for person, row in orders.items()
    ]
    _write_each("counts = %s, indexes = %s", [(counted, indexes, row.id) for counted, indexes, row in told])


def _shred(hand: UUID) -> None:
    orders = _in_hand(hand, State.ROWS_ERASED, "indexes")
    if not orders or not evidence.has_log():
        return
    if indexes := sorted({index for row in orders.values() for index in row.indexes}):
        evidence.log().shred(indexes)
    _move(hand, [row.id for row in orders.values()], State.ROWS_ERASED, State.SHREDDED)


def _pass_by_systems(hand: UUID) -> None:
    """Where nothing is connected and nothing owed, nobody else has to agree."""
    if systems.names():
        return
    orders = [row.id for row in _in_hand(hand, State.SHREDDED).values()]
    owed = obligations.owed_any(orders)
    _move(hand, [each for each in orders if each not in owed], State.SHREDDED, State.VERIFIED)


_STEPS: list[Callable[[UUID], None]] = [_destroy_keys, _erase_rows, _shred, _pass_by_systems]
_OPEN = (State.PLANNED, State.KEY_DESTROYED, State.ROWS_ERASED, State.SHREDDED)


def _release(hand: UUID, at: datetime) -> int:
    """From here on they wait like any other order."""
    return Erasure.objects.filter(hand=hand).update(hand=None, next_at=at)


def _move(hand: UUID, ids: Sequence[UUID], before: str, after: str) -> int:
    return Erasure.objects.filter(id__in=ids, hand=hand, state=before).update(state=after)


def _write_each(what: str, rows: Sequence[tuple[Any, ...]]) -> None:
    """One UPDATE of the orders for many values; the last of each is the order."""
    key = Erasure._meta.pk
    with connection.cursor() as cursor:
        cursor.executemany(
            f"UPDATE rights_erasure SET {what} WHERE id = %s",  # noqa: S608  # names of ours
            [(*values, key.get_db_prep_value(order, connection)) for *values, order in rows],
        )


def _values(row: Erasure, keys: dict[UUID, vault.Opener]) -> list[tuple[str, str]]:
    """What to search for, as `erasure._values`."""
    if row.sealed is None or row.id not in keys:
        return []
    return [(field, value) for field, value in json.loads(keys[row.id].open(row.id, row.sealed))]


# --- the search -----------------------------------------------------------------------------------------------------


def resume(
    at: datetime, told: progress.Told = progress.nobody, *, at_most: timedelta | None = progress.A_ROUND
) -> int:  # fmt: skip
    """Carry on with every erasure that is not proved yet (a duty), one search for all of them; returns how many are done now.

    Out of time or killed, the next call goes on where the search was. ``told`` hears how far it is.
    """
    is_late = _until(at_most)
    _go_on(at, is_late)
    is_late = _until(at_most)  # time of its own, so that many new orders do not keep the search from its end
    if _clear(at, told, is_late):
        _search(at, told, is_late)
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
        if not orders or not Erasure.objects.filter(id__in=orders).update(hand=hand, next_at=clock.now() + _LEASE):
            break
        for step in _STEPS:
            step(hand)
        _release(hand, at)
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
            for start in range(0, len(ids), _ORDERS_A_ROUND):
                some = [each for each in ids[start : start + _ORDERS_A_ROUND] if each not in owed]
                Erasure.objects.filter(id__in=some, state=State.VERIFIED, hand=None).update(hand=work.id)
        if not _clear_some(work, told, is_late) or is_late():
            return False


def _clear_some(work: Work, told: progress.Told, is_late: Callable[[], bool]) -> bool:
    known = Crowd(_needles_in(work.id))
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


def _needles_in(hand: UUID) -> Iterator[tuple[str, list[Needle]]]:
    """What is looked for of each, read and made as it is asked for."""
    shapes = publication.current().policy.fields
    last = UUID(int=0)
    while rows := list(
        Erasure.objects.filter(hand=hand, state=State.VERIFIED, id__gt=last).order_by("id")[:_ORDERS_A_ROUND]
    ):
        keys = vault.openers([row.id for row in rows])
        for row in rows:
            yield row.id.hex, residue.needles(_values(row, keys), shapes, row.subject, brief=True)
        last = rows[-1].id


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
    while evidence.has_log() and (
        orders := list(Erasure.objects.filter(state=State.CLEAN, subject__isnull=False)[:_PROVED_AT_ONCE])
    ):
        proved += _prove(orders)
    if proved:
        erasure.flush_databases()
    return proved


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
    left = set(Erasure.objects.filter(id__in=ids, state=State.CLEAN).values_list("id", flat=True))
    Erasure.objects.filter(id__in=ids, state=State.CLEAN).update(
        state=State.DONE, subject=None, sealed=None, indexes=[], finished_at=clock.now(), hand=None
    )
    _write_each("evidence_index = %s", [(index, each.id) for index, each in zip(indexes, orders, strict=True)])
    for each in obligations.owed_any(ids):
        obligations.forget(each)
    for by in sorted({each.by for each in orders}):
        mine = [each for each in orders if each.by == by and each.id in left]
        told = [{"rows": sum(each.counts.values()), "residue": 0} for each in mine]
        actions.record_many("person.erased", by, told)
    return len(left)
