"""How PostgreSQL asks the tables that name a person when one goes: at once, one question a table.

Django's constraints ask twice, the second time whether somebody with the same id came back meanwhile, and only when the transaction
ends: half of the work of a sweep's longest transaction. Whoever erases a person deletes what names them first (`core.holdings`),
so there is nothing to wait for. What is *written* about a person is asked at the end of its transaction, as before. SQLite asks
by its own means.
"""

from typing import Any

from django.db import connections, transaction

_TARDY = """
    SELECT c.conrelid::regclass::text, quote_ident(c.conname), pg_get_constraintdef(c.oid)
    FROM pg_constraint c JOIN pg_class t ON t.oid = c.conrelid
    WHERE c.contype = 'f' AND c.confrelid = to_regclass('core_person') AND c.confdeltype = 'a' AND c.conparentid = 0
    ORDER BY 1"""


def ask_at_once(using: str = "default", **_: Any) -> None:
    """Every constraint on persons that still asks the tardy way is made anew, all or none. After each `migrate`: new tables too."""
    if connections[using].vendor != "postgresql":
        return
    with transaction.atomic(using=using), connections[using].cursor() as cursor:
        cursor.execute(_TARDY)
        for table, name, said in cursor.fetchall():
            anew = said.replace(" DEFERRABLE", " ON DELETE RESTRICT DEFERRABLE")
            # Names and definition are the catalogue's own, quoted by it.
            cursor.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}, ADD CONSTRAINT {name} {anew}")
