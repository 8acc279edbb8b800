"""The file to take along: does it fit its schema, and is anything the register holds not in it?"""

import json
from collections.abc import Iterator
from typing import Any
from uuid import UUID

from lofte.core import holdings
from lofte.features.rights import package
from lofte.probes.instruments import schema
from lofte.probes.instruments.canary import person
from lofte.probes.instruments.canary.person import Canary
from lofte.rules.controls.export_machine_readable import ExportWalk


def download(canary: Canary) -> ExportWalk:
    """The JSON file: does it fit its schema, and is anything the register holds not in it?"""
    assert canary.person_id is not None
    before = _rows_on_file(canary.person_id)
    answer = canary.visitor.get(f"/my/{canary.tail}data/download.json", accept="application/json")
    try:
        document: Any = json.loads(answer.body) if answer.status == 200 else None
    except ValueError:
        document = None
    if not isinstance(document, dict):
        return ExportWalk(False, 0)
    held, after = person.held(canary), _rows_on_file(canary.person_id)
    # What only passed through is not on file.
    there = {table: len(rows & after.get(table, set())) for table, rows in before.items()}
    wrong = schema.errors(document, package.schema())
    return ExportWalk(True, len(held), tuple(wrong), tuple(_lacking(document, held, there)))


# What each part of the file shows row by row; other tables only need to be named with their number of rows.
_ROW_BY_ROW = {
    "consent_consent": "consents", "core_entry": "evidence", "core_mail": "mails", "register_dialogue": "dialogue",
    "register_holding": "holdings", "register_look": "looks", "register_placement": "places",
    "register_relation": "relations", "rights_request": "requests", "rights_restriction": "restrictions",
}  # fmt: skip


def _lacking(document: dict[str, Any], held: list[tuple[str, str]], on_file: dict[str, int]) -> Iterator[str]:
    """Kinds of data on file about the person that the file leaves out; counted in the tables themselves, before it was made."""
    given = {(one.get("field"), one.get("value")) for one in document.get("holdings", ())}
    yield from sorted({field for field, value in held if (field, value) not in given})
    named = {one.get("table"): one for one in document.get("tables", ())}
    for table, rows in ((table, rows) for table, rows in on_file.items() if rows):
        part = named.get(table, {}).get("part")
        is_short = table in _ROW_BY_ROW and len(document.get(_ROW_BY_ROW[table], ())) < rows
        if not part or part not in document or named[table].get("rows", 0) < rows or is_short:
            yield table


def _rows_on_file(person_id: UUID) -> dict[str, set[Any]]:
    """Every table that hangs on a person, with the keys of the rows of this one."""
    found = {}
    for model in holdings.our_models():
        names = {one.attname for one in model._meta.concrete_fields}
        column = next((one for one in ("person_id", "subject") if one in names), "")
        if column:
            found[model._meta.db_table] = set(
                model._base_manager.filter(**{column: person_id}).values_list("pk", flat=True)
            )
    return found
