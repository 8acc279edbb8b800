"""This room's side of a restore (`core.backup.replaying`): erases again who has come back with an older register.

Connected systems are not asked again: they were not put back, and agreed when the erasure was proved.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from lofte.core import actions, holdings, obligations, vault
from lofte.core.backup import replaying
from lofte.core.models import BlindIndex, Obligation
from lofte.core.retry import in_transaction
from lofte.features.rights import erasure, restriction
from lofte.features.rights.models import Erasure

State = Erasure.State


def knows(order: UUID) -> bool:
    """A proof is in the log before the order is marked as done: killed between the two, the next round marks it."""
    return Erasure.objects.filter(pk=order, state__in=(State.DONE, State.CLEAN)).exists()


@in_transaction
def bury(person_id: UUID) -> Mapping[str, int]:
    """Every row of every room. The key is gone already, so nothing can be opened, and nothing need be."""
    hashes = frozenset(BlindIndex.objects.filter(person_id=person_id).values_list("hash", flat=True))
    counts = holdings.erase_rows(person_id, hashes)
    Obligation.objects.filter(subject=person_id, owner=person_id).delete()
    actions.record("person.erased_again", "system", rows=sum(counts.values()))
    return counts


def again(person_id: UUID, order: UUID) -> None:
    """The person's key stays with what the law keeps, so they are erased by the ordinary way, with a proof of its own."""
    for row in Erasure.objects.filter(subject=person_id):
        if not vault.has_key(row.id):  # it was proved since; what it would search for opens no more
            _done(row.id)
    erasure.erase(person_id, "system")


def settle(order: UUID, index: int, fact: Mapping[str, Any]) -> bool:
    """The register has the erasure on record as the log does. Whether it was under way in the copy."""
    _, is_new = Erasure.objects.get_or_create(
        pk=order,
        defaults={
            "by": fact["by"], "state": State.DONE, "counts": fact["erased"], "kept": fact["kept"],
            "searched": fact["columns_searched"], "evidence_index": index, "started_at": datetime.fromisoformat(fact["ordered_at"]),
            "finished_at": datetime.fromisoformat(fact["at"]),
        },
    )  # fmt: skip
    if is_new or Erasure.objects.filter(pk=order, state=State.DONE).exists():
        return False
    Erasure.objects.filter(pk=order).update(evidence_index=index, finished_at=datetime.fromisoformat(fact["at"]))
    _done(order)
    return True


def _done(order: UUID) -> None:
    with transaction.atomic():
        Erasure.objects.filter(pk=order).update(state=State.DONE, subject=None, sealed=None, indexes=[])
        obligations.forget(order)
    vault.destroy_key(order, forever=False)


def restrict(person_id: UUID) -> bool:
    if restriction.is_restricted(person_id):
        return False
    restriction.restrict(person_id, "system")
    return True


class _Replayer:
    """This room as `core.backup.replaying.Replayer`."""

    knows = staticmethod(knows)
    bury = staticmethod(bury)
    again = staticmethod(again)
    settle = staticmethod(settle)
    restrict = staticmethod(restrict)


replaying.provide(_Replayer())
