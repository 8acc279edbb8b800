"""For migrations: taking away an index that another one makes needless."""

from collections.abc import Mapping
from typing import Any

from django.db import migrations
from django.db.models import DO_NOTHING, ForeignKey


def drop_doubled(indexes: Mapping[str, str]) -> migrations.SeparateDatabaseAndState:
    """By table, what Django called the index of its person; another of the table begins with the person too (`PersonalByIndex`).

    By name, because altering the field would write a table of millions anew.
    """
    return migrations.SeparateDatabaseAndState(
        database_operations=[
            migrations.RunSQL(f"DROP INDEX IF EXISTS {index}", migrations.RunSQL.noop) for index in indexes.values()
        ],
        state_operations=[migrations.AlterField(model_name=table, name="person", field=_person()) for table in indexes],
    )


def _person() -> "ForeignKey[Any, Any]":
    return ForeignKey("core.person", db_index=False, on_delete=DO_NOTHING, related_name="+")
