"""Two persons who turn out to be one: every room moves its rows to the one who stays, in one transaction.

A room without a hook for its rows stops the merge: nothing may be lost with the person who goes.
"""

from collections.abc import Callable, Collection, Iterable
from typing import Any
from uuid import UUID

from django.apps import apps
from django.db.models import Model, QuerySet

from lofte.core import holdings, vault
from lofte.core.retry import in_transaction
from lofte.kernel.problems import Place, Problem


@in_transaction
def merge_people(keep: UUID, gone: UUID) -> dict[str, int]:
    """Everything of ``gone`` belongs to ``keep``; the row of ``gone`` is removed. Returns how many rows moved, by table.

    The caller says whether they are one, and destroys the key of ``gone`` when the transaction has ended well.
    """
    counts: dict[str, int] = {}
    for room in holdings.rooms():
        if room.merge:
            for table, count in room.merge(keep, gone).items():
                counts[table] = counts.get(table, 0) + count
    for model in holdings.models_of_persons():
        if model._base_manager.filter(person_id=gone).exists():
            raise Problem(
                "merge.left-behind", "a room does not say how its rows are merged", Place(key=model._meta.db_table),
                way_out="Give the room of this table a merge hook in its holdings.py.", status=500,
            )  # fmt: skip
    apps.get_model("core", "Person")._base_manager.filter(pk=gone)._raw_delete(using="default")
    return {table: count for table, count in counts.items() if count}


def move(
    model: type[Model], keep: UUID, gone: UUID, *, sealed: Iterable[str] = (), without: Collection[Any] = (),
    change: Callable[[Any], None] = lambda row: None,
) -> int:  # fmt: skip
    """Rows of one table, under their own ids, from ``gone`` to ``keep``: removed and written anew (schema rule 15).

    ``sealed`` columns (sealed with the row's id as record) are sealed again under the key of ``keep``; rows in ``without`` go;
    ``change`` may edit a row on the way. Returns how many moved.
    """
    rows: list[Any] = list(QuerySet(model).filter(person_id=gone))
    staying = [row for row in rows if row.pk not in without]
    columns = tuple(sealed)
    if staying and columns:
        old, new = vault.opener(gone), vault.opener(keep)
        for row in staying:
            for column in columns:
                if (content := getattr(row, column)) is not None:
                    setattr(row, column, new.seal(row.pk, old.open(row.pk, content)))
    for row in staying:
        row.person_id = keep
        change(row)
    QuerySet(model).filter(person_id=gone)._raw_delete(using="default")
    QuerySet(model).bulk_create(staying)
    return len(staying)
