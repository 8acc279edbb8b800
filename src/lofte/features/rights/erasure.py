"""Erases a person, step by step, each step written down before the next: kill it anywhere and it goes on from there.

planned -> key destroyed -> rows erased -> shredded in the log -> verified in every connected system -> searched -> proved in the
log. Complete means: no obligation is open, the search found nothing that has no named exemption, and the evidence entry (counts
only) is durable.

A small house is searched while the person waits. In a large one everything that is waiting is searched for together, by a duty that
writes down how far it is.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, connections, transaction

from lofte.core import actions, clock, evidence, holdings, obligations, outbox, ports, publication, vault
from lofte.core.backup import reads as backups
from lofte.core.models import BlindIndex, Entry, Mail, Outbox, Person, new_id
from lofte.core.progress import verbs as progress
from lofte.core.progress.models import Work
from lofte.core.retry import in_transaction
from lofte.features.rights import own_acts, residue, scan
from lofte.features.rights.models import Erasure
from lofte.features.rights.nouns import Erased, PlanItem, Residue
from lofte.kernel.instants import rfc3339
from lofte.kernel.problems import Problem
from lofte.rules.model import DataField

State = Erasure.State
_RETRY_AFTER = timedelta(hours=1)
_ASK_AGAIN = timedelta(seconds=15)  # while connected systems are waited for; each has a rhythm of its own
AT_ONCE = 150_000  # rows: so few are searched, in a second or so, while the person waits
WRITE_EVERY = timedelta(seconds=1)
FRESH = timedelta(minutes=10)  # an older search of a connected system is made again before the erasure is proved
# Places that may hold something of a person after an erasure, and why: (column, form) -> reason, named in the proof.
EXEMPT: Mapping[tuple[str, str], str] = {}
# Where the handle and the index of a person stand while a legal obligation keeps something of them.
_WITH_WHAT_IS_KEPT = frozenset(
    {
        "default.register_holding", "default.register_dialogue", "default.register_attachment", "default.core_person",
        "default.core_blindindex", "default.retention_hold", "keys.keys_ownerkey",
    }
)  # fmt: skip
_HOLD = "hold"
# The order's own rows: they forget the person when it is proved.
_SCAFFOLD = frozenset({("default.rights_erasure.subject", "handle"), ("default.core_obligation.subject", "handle")})


def plan(person_id: UUID) -> list[PlanItem]:
    """What would go, by kind of row (holding, consent, look, mail …), and what must stay under which legal obligation."""
    kept = ports.register().kept_by_law(person_id, clock.now())
    items = [PlanItem("holding", 1, each.purpose, each.until) for each in kept]
    spared = {"register_holding": frozenset(each.id for each in kept)}
    spared |= ports.register().beside(person_id, spared["register_holding"])
    for model in holdings.models_of_persons():
        name = str(model._meta.model_name)
        count = model._base_manager.filter(person_id=person_id).count() - len(spared.get(model._meta.db_table, ()))
        if files := len(spared.get(model._meta.db_table, ())) if name == "attachment" else 0:
            first = next(each for each in kept)
            items.append(PlanItem(name, files, first.purpose, max(each.until for each in kept)))
        if count:
            items.append(PlanItem(name, count, "", None))
    items += _elsewhere_planned(person_id)
    return sorted(items, key=lambda item: (item.stays_under, item.what))


def _elsewhere_planned(person_id: UUID) -> Iterator[PlanItem]:
    """Each connected system by its name in the policy, also when nothing is found there or it cannot be asked now."""
    named = publication.current().policy.systems
    for system, (goes, kept) in obligations.foresee(_held_values(person_id)).items():
        name = named[system].name if system in named else system
        yield PlanItem(name, goes, "", None)
        yield from (PlanItem(name, each.count, each.law, None) for each in kept)


def _held_values(person_id: UUID) -> list[tuple[str, str]]:
    """What to search for: everything that is held, opened for the sake of the erasure."""
    return ports.register().needles_of(person_id, "erasure", by="rights")


def erase(person_id: UUID, by: str) -> Erased:
    """Order the erasure if nobody has, and carry it as far as it goes now."""
    order = Erasure.objects.filter(subject=person_id).first() or _order(person_id, by)
    return carry_on(order)


def erase_made_up(person_id: UUID, by: str) -> Erased:
    """As `erase`, for somebody who never was (a probe's own): nothing of theirs is anybody's record, so no statute keeps it.

    What was ordered otherwise ends first; then the rest goes.
    """
    order = Erasure.objects.filter(subject=person_id).first()
    if order is not None and order.kept:
        done = carry_on(order)
        if not done.is_complete or not Person.objects.filter(pk=person_id).exists():
            return done
        order = None
    return carry_on(order or _order(person_id, by, keeps=False))


def begin(person_id: UUID, by: str) -> None:
    """As `erase`, without the search: `resume` searches for many at once."""
    carry_on(Erasure.objects.filter(subject=person_id).first() or _order(person_id, by), searches=False)


def carry_on(order: Erasure, *, searches: bool = True) -> Erased:
    """Take the erasure from where it stands to its end, or to what stands in its way. Several may do so at once."""
    while (step := _STEPS.get(order.state)) and (searches or order.state not in SEARCHED):
        stood = order.state
        try:
            if not step(order):
                break
        except Problem:  # the one who was quicker has destroyed what the step needs
            if Erasure.objects.filter(pk=order.pk, state=stood).exists():
                raise
        order.refresh_from_db()
    order.refresh_from_db()
    return result(order)


def unproved() -> int:
    """Erasures that were ordered and are not proved yet."""
    return Erasure.objects.exclude(state=State.DONE).count()


def result(order: Erasure) -> Erased:
    receipt = None
    if order.evidence_index is not None and evidence.has_log():
        receipt = evidence.log().sealed_receipt(order.evidence_index)  # the mark is nobody's business
    return Erased(
        id=order.id, is_complete=order.state == State.DONE, counts=dict(order.counts), evidence_index=order.evidence_index,
        residue=tuple(Residue(**each) for each in order.residue), receipt=receipt,
        waiting_for=obligations.waiting_for(order.id) if order.state != State.DONE else (),
    )  # fmt: skip


# --- the steps ------------------------------------------------------------------------------------------------------


def _order(person_id: UUID, by: str, *, keeps: bool = True) -> Erasure:
    """Write down what to search for, sealed under a key that lives as long as the order, before anything is destroyed.

    Without ``keeps`` no legal obligation keeps anything.
    """
    if not Person.objects.filter(pk=person_id).exists():
        raise _nobody()
    order_id, at = new_id(), clock.now()
    vault.make_key(order_id)
    values = _held_values(person_id)
    kept = [
        {"id": str(each.id), "purpose": each.purpose, "clock": each.clock, "until": rfc3339(each.until)}
        for each in (ports.register().kept_by_law(person_id, at) if keeps else ())
    ]
    sealed = vault.opener(order_id).seal(order_id, json.dumps(values).encode())
    try:
        with transaction.atomic():
            order = Erasure.objects.create(
                id=order_id, subject=person_id, by=by, sealed=sealed, kept=kept, started_at=at, next_at=at
            )
            _owe_elsewhere(order, values)
            own_acts.ordered(person_id, order_id, by)
            return order
    except IntegrityError:  # ordered twice at once: go on with the other
        vault.destroy_key(order_id, forever=False)
        if (other := Erasure.objects.filter(subject=person_id).first()) is None:
            raise _nobody() from None  # and that one has come to its end already
        return other


def _nobody() -> Problem:
    return Problem("rights.nobody", "there is no such person", status=404)


def _destroy_key(order: Erasure) -> bool:
    """First what was said must be in the log; then the key goes, and with it every copy of what it sealed.

    Where a legal obligation keeps something, the key must stay with it until that ends.
    """
    person_id = _subject(order)
    if Outbox.objects.filter(person_id=person_id, index__isnull=True).exists():
        if not evidence.has_log():
            return False
        outbox.drain(person_id=person_id)
    indexes = list(Entry.objects.of(person_id).values_list("index", flat=True))
    if not order.kept:
        vault.destroy_key(person_id)
    advance(order, State.KEY_DESTROYED, indexes=sorted({*order.indexes, *indexes}))
    return True


@in_transaction
def _erase_rows(order: Erasure) -> bool:
    """Every row of every room, in one transaction with the note that it was done."""
    person_id = _subject(order)
    sent = Mail.objects.of(person_id).filter(state=Mail.State.QUEUED).count()
    late = Entry.objects.of(person_id).values_list("index", flat=True)
    indexes = sorted({*order.indexes, *late})
    values = _values(order)
    found = residue.hashes(values, publication.current().policy.fields)
    if not Erasure.objects.filter(pk=order.pk, state=State.KEY_DESTROYED).update(state=State.ROWS_ERASED):
        return True  # somebody else has just done it, and counted
    order.state = State.ROWS_ERASED
    counts = holdings.erase_rows(person_id, found, _spared(order, person_id))
    if held := [UUID(each["id"]) for each in order.kept if each["clock"] == _HOLD]:
        ports.register().leave_to_holds(person_id, held)
    if sent:
        counts["queued_mail"] = sent
    advance(order, State.ROWS_ERASED, counts=counts, indexes=indexes)
    return True


def _shred(order: Erasure) -> bool:
    """The openings that lead from log entries to the person are destroyed; the entries stay, and prove nothing about anybody."""
    if order.indexes:
        if not evidence.has_log():
            return False
        evidence.log().shred(order.indexes)
    advance(order, State.SHREDDED)
    return True


def _owe_elsewhere(order: Erasure, values: list[tuple[str, str]]) -> None:
    """An obligation for every connected system, sealed under the order's key: the person's own is destroyed first."""
    obligations.owe("erase", _subject(order), values, about=order.id, owner=order.id)


def _elsewhere(order: Erasure) -> bool:
    """Every connected system must agree, read back, that the person is gone; until then the erasure waits, and says for whom."""
    _owe_elsewhere(order, _values(order))  # a system that was connected since the order
    obligations.carry_out(order.id)
    owed = obligations.owed_for(order.id)
    done = [{"system": each.system, "state": each.state, "rows": dict(each.counts)} for each in owed]
    left = _left_elsewhere(order)
    if any(not each.is_verified for each in owed):
        advance(order, State.ELSEWHERE, elsewhere=done, residue=left, next_at=clock.now() + _ASK_AGAIN)
        return False
    advance(order, State.VERIFIED, elsewhere=done, residue=left)
    return True


def _left_elsewhere(order: Erasure) -> list[dict[str, Any]]:
    """What connected systems still hold, each place under its system's name."""
    return [
        {**asdict(left), "where": f"{each.system}.{left.where}"}
        for each in obligations.owed_for(order.id)
        for left in each.left
    ]


def _search(order: Erasure) -> bool:
    """Look for what is left, everywhere, if that is a matter of a moment; else the duty does it, for all who wait."""
    if obligations.look_again(order.id, clock.now() - FRESH):
        advance(order, State.ELSEWHERE)
        return True
    if scan.size() > AT_ONCE:
        advance(order, order.state, next_at=clock.now())
        return False
    look_for([order], None, progress.nobody, lambda: False)
    order.refresh_from_db()
    return order.state == State.CLEAN


def look_for(
    orders: list[Erasure], work: Work | None, told: progress.Told, is_late: Callable[[], bool]
) -> bool:  # fmt: skip
    """Read everything that is stored once, for all of them; false when the time was up before the end."""
    shapes = publication.current().policy.fields
    wanted = scan.Wanted({each.id.hex: _sought(each, shapes) for each in orders})
    place = work.place if work else {}
    after = scan.Place(*place["after"]) if "after" in place else None
    rows, columns = work.done if work else 0, int(place.get("columns", 0))
    hits = Counter({(whose, where, form): count for whose, where, form, count in place.get("hits", ())})
    if after is None:
        flush_databases()
    written = clock.now()
    for step in scan.steps(wanted, after):
        rows, columns = rows + step.rows, columns + step.columns
        hits.update(step.hits)
        if work and clock.now() - written >= WRITE_EVERY:
            written = clock.now()
            progress.move(
                work, rows,
                place={
                    "orders": [str(each.id) for each in orders], "after": [step.place.name, step.place.row], "columns": columns,
                    "hits": [[*key, count] for key, count in hits.items()],
                },
            )  # fmt: skip
            told(work.done, work.total)
            if step.place.row and is_late():  # never where a table would be begun anew: it could be longer than a round
                return False
    for order in orders:
        found = [
            residue.Hit(where, count, form) for (whose, where, form), count in sorted(hits.items()) if whose == order.id.hex
        ]  # fmt: skip
        _judge(order, found, columns)
    return True


def _sought(order: Erasure, shapes: Mapping[str, DataField]) -> list[scan.Needle]:
    """What is looked for; nothing for whom somebody else has proved clean meanwhile, when the order's key is gone."""
    try:
        return residue.needles(_values(order), shapes, _subject(order))
    except Problem:
        if Erasure.objects.filter(pk=order.pk, state=State.DONE).exists():
            return []
        raise


def _judge(order: Erasure, found: Iterable[residue.Hit], columns: int) -> None:
    """Anything without a named exemption keeps the erasure open, and says where."""
    marked = [_exempted(hit, order) for hit in found if (hit.where, hit.form) not in _SCAFFOLD]
    marked += _left_elsewhere(order)
    kept = [each for each in marked if each["exemption"]]
    is_clean = len(kept) == len(marked)
    moved: dict[str, Any] = (
        {"state": State.CLEAN} if is_clean else {"state": State.RESIDUE, "next_at": clock.now() + _RETRY_AFTER}
    )
    # Only if nobody else has carried it on meanwhile.
    Erasure.objects.filter(pk=order.pk, state__in=SEARCHED).update(residue=marked, searched=columns, **moved)


def _prove(order: Erasure) -> bool:
    """The entry in the log, with counts only; then the order forgets whom it was about."""
    if not evidence.has_log():
        return False
    index = _append(order)
    with transaction.atomic():
        if not Erasure.objects.filter(pk=order.pk, state=State.CLEAN).update(state=State.DONE):
            return True  # somebody else has just ended it
        order.state = State.DONE
        advance(
            order, State.DONE, evidence_index=index, subject=None, sealed=None, indexes=[], finished_at=clock.now(), hand=None
        )  # fmt: skip
        obligations.forget(order.id)
        actions.record("person.erased", order.by, rows=sum(order.counts.values()), residue=0)
    vault.destroy_key(order.id, forever=False)
    flush_databases()
    return True


def fact_of(order: Erasure, in_copies: Mapping[str, str] | None = None) -> dict[str, Any]:
    """What the log is told of a clean erasure: counts only, and by which day it is done in the copies of the keys too."""
    in_copies = copied() if in_copies is None else in_copies
    return {
        "order": str(order.id), "ordered_at": rfc3339(order.started_at), "by": order.by.partition(":")[0], "erased": order.counts,
        "kept": [{name: each[name] for name in ("purpose", "clock", "until")} for each in order.kept],
        "systems": [{"system": each["system"], "rows": each["rows"]} for each in order.elsewhere],
        "columns_searched": order.searched, "residue": 0,
        "exempt": [{"where": each["where"], "count": each["count"], "why": each["exemption"]} for each in order.residue],
        **in_copies,
    }  # fmt: skip


def copied() -> dict[str, str]:
    """Erased here, and erased in the copies by a day, are two facts; without a copy of the keys there is no second."""
    until = backups.keys_gone_by()
    return {"copies_until": rfc3339(until)} if until else {}


def who_of(order: Erasure) -> dict[str, Any]:
    """The mark stays in the log, sealed apart: by it a restore knows whom not to bring back. See `replay`."""
    return {"erased": vault.mark(_subject(order)), "whole": not order.kept}


def _append(order: Erasure) -> int:
    fact, who = fact_of(order), who_of(order)
    return outbox.append_now("erasure.completed", fact, policy=publication.current().digest, key=order.id, who=who)


SEARCHED = (State.VERIFIED, State.RESIDUE)
_STEPS: dict[str, Callable[[Erasure], bool]] = {
    State.PLANNED: _destroy_key,
    State.KEY_DESTROYED: _erase_rows,
    State.ROWS_ERASED: _shred,
    State.SHREDDED: _elsewhere,
    State.ELSEWHERE: _elsewhere,
    State.VERIFIED: _search,
    State.RESIDUE: _search,
    State.CLEAN: _prove,
}


def advance(order: Erasure, state: str, **values: Any) -> None:
    """Write down how far it is, unless somebody else has carried it on meanwhile: theirs stands."""
    if not Erasure.objects.filter(pk=order.pk, state=order.state).update(state=state, **values):
        return
    order.state = state
    for name, value in values.items():
        setattr(order, name, value)


def _subject(order: Erasure) -> UUID:
    if order.subject is None:
        raise Problem("rights.done", "this erasure is done and knows nobody", status=410)
    return order.subject


def _values(order: Erasure) -> list[tuple[str, str]]:
    if order.sealed is None:
        return []
    return [(field, value) for field, value in json.loads(vault.opener(order.id).open(order.id, order.sealed))]


def _exempted(hit: residue.Hit, order: Erasure) -> dict[str, Any]:
    why = EXEMPT.get((hit.where, hit.form), "")
    if (
        order.kept
        and not why
        and hit.form in ("handle", "index")
        and hit.where.rpartition(".")[0] in _WITH_WHAT_IS_KEPT
    ):
        why = "; ".join(sorted({f"{each['purpose']} until {each['until']}" for each in order.kept}))
    return {"where": hit.where, "count": hit.count, "form": hit.form, "exemption": why}


def _spared(order: Erasure, person_id: UUID) -> dict[str, frozenset[Any]] | None:
    """The rows a legal obligation keeps, and what leads to them."""
    if not order.kept:
        return None
    ids = frozenset(UUID(each["id"]) for each in order.kept)
    still = ports.register().hashes_of(person_id, ids)
    entries = BlindIndex.objects.filter(person_id=person_id, hash__in=still).values_list("entry", flat=True)
    return {
        "register_holding": ids,
        "core_blindindex": frozenset(entries),
        **ports.register().beside(person_id, ids),
        **_holds(person_id),
    }


def _holds(person_id: UUID) -> dict[str, frozenset[UUID]]:
    """The holds that keep what is kept stay with it, and say why."""
    keeper = ports.retention()
    return {"retention_hold": keeper.hold_rows(person_id)} if keeper else {}


def flush_databases() -> None:
    """Old pages leave the write-ahead files; erased rows are already overwritten in the database files (secure_delete)."""
    for alias in settings.DATABASES:
        connection = connections[alias]
        if connection.vendor == "sqlite" and not connection.in_atomic_block:
            with connection.cursor() as cursor:
                cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
