"""The product keeps its own register by the rule it sells: every field of every table is declared, here, by the room that owns it.

A room declares its tables (`declare`) and, where rows are not reached by `person_id` alone, how it exports, erases and searches
(`register`). Whoever exports or erases a person walks this registry and needs to know no room by name.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.apps import apps
from django.db.models import Field, Model

from lofte.core import many


@dataclass(frozen=True, slots=True)
class Holds:
    """The field holds personal data: a policy field, for a purpose; both ``*`` where the row itself says which."""

    purpose: str
    field: str


@dataclass(frozen=True, slots=True)
class NotPersonal:
    """The field holds nothing personal, and why."""

    reason: str


Declared = Holds | NotPersonal

HANDLE = NotPersonal("a random handle that says nothing by itself and goes with the person's rows")
_HANDLES = frozenset({"id", "person", "person_id", "site_id"})

_declared: dict[type[Model], dict[str, Declared]] = {}


@dataclass(frozen=True, slots=True)
class Room:
    """``export`` gives what the access package shows of this room; ``erase`` removes what `person_id` does not reach
    (given the person and the keyed hashes of their values) and returns counts by table; ``search`` counts what is left;
    ``merge`` moves the room's rows to the first person from the second (see `core.merging`) and returns counts by table.
    ``erase_crowd`` is ``erase`` for many people in a few statements, with counts by person; without it they go one by one.
    """

    name: str
    export: Callable[[UUID], Mapping[str, Any]] | None = None
    erase: Callable[[UUID, frozenset[str]], Mapping[str, int]] | None = None
    search: Callable[[UUID, frozenset[str]], Mapping[str, int]] | None = None
    merge: Callable[[UUID, UUID], Mapping[str, int]] | None = None
    erase_crowd: Callable[[Mapping[UUID, frozenset[str]]], Mapping[UUID, Mapping[str, int]]] | None = None


_rooms: dict[str, Room] = {}


def declare(model: type[Model], **fields: Declared) -> None:
    """Say of each field of a table what it holds. ``id``, ``person`` and ``site_id`` are handles and need not be named."""
    _declared[model] = fields


def register(room: Room) -> None:
    _rooms[room.name] = room


def rooms() -> tuple[Room, ...]:
    return tuple(_rooms[name] for name in sorted(_rooms))


def declaration(model: type[Model], field: "Field[Any, Any]") -> Declared | None:
    """What was declared of a field, None when nobody did."""
    if field.name in _HANDLES:
        return HANDLE
    return _declared.get(model, {}).get(field.name)


def our_models() -> Iterator[type[Model]]:
    """Every table of every lofte room."""
    for config in apps.get_app_configs():
        if config.name.startswith("lofte."):
            yield from config.get_models()


def undeclared() -> list[str]:
    """Fields nobody declared, as ``app.Model.field``; an empty list is the promise."""
    return [
        f"{model._meta.label}.{field.name}"
        for model in our_models()
        for field in model._meta.concrete_fields
        if declaration(model, field) is None
    ]


def is_personal(model: type[Model]) -> bool:
    """Whether some field of the table holds personal data, or it hangs on a person."""
    names = {field.name for field in model._meta.concrete_fields}
    return bool(names & {"person", "person_id"}) or any(
        isinstance(each, Holds) for each in _declared.get(model, {}).values()
    )


def models_of_persons() -> Iterator[type[Model]]:
    """Tables whose rows are reached by ``person_id``."""
    for model in our_models():
        if any(field.attname == "person_id" for field in model._meta.concrete_fields):
            yield model


def erase_rows(
    person_id: UUID, hashes: frozenset[str] = frozenset(), spare: Mapping[str, frozenset[Any]] | None = None
) -> dict[str, int]:
    """Delete every row of the person in every room, the person last. Inside the caller's transaction; counts by table.

    ``spare`` names rows that must stay (primary keys by table); the person's own row stays with them.
    """
    counts: dict[str, int] = {}
    for room in rooms():
        if room.erase:
            for table, count in room.erase(person_id, hashes).items():
                counts[table] = counts.get(table, 0) + count
    for model in models_of_persons():
        table = model._meta.db_table
        rows = model._base_manager.filter(person_id=person_id).exclude(pk__in=(spare or {}).get(table, frozenset()))
        counts[table] = counts.get(table, 0) + rows._raw_delete(using="default")
    if not spare:
        person = apps.get_model("core", "Person")
        counts["core_person"] = person._base_manager.filter(pk=person_id)._raw_delete(using="default")
    return {table: count for table, count in counts.items() if count}


def erase_rows_of(people: Mapping[UUID, frozenset[str]]) -> dict[UUID, dict[str, int]]:
    """As `erase_rows` for many people at once, whole, each with the keyed hashes of their values. Counts by person and table."""
    counts: dict[UUID, dict[str, int]] = {each: {} for each in people}
    people = many.Batch(people)
    for room in rooms():
        for person_id, gone in _erased_in(room, people):
            for table, count in gone.items():
                counts[person_id][table] = counts[person_id].get(table, 0) + count
    person, known = apps.get_model("core", "Person"), many.stored(people)
    for model, by in [*((each, "person_id") for each in models_of_persons()), (person, "id")]:
        table = model._meta.db_table
        for stored, count in many.delete(model, by, people).items():
            mine = counts[known[stored]]
            mine[table] = mine.get(table, 0) + count
    return {each: {table: count for table, count in found.items() if count} for each, found in counts.items()}


def _erased_in(
    room: Room, people: Mapping[UUID, frozenset[str]]
) -> Iterable[tuple[UUID, Mapping[str, int]]]:  # fmt: skip
    if room.erase_crowd:
        return room.erase_crowd(people).items()
    return [(each, room.erase(each, hashes)) for each, hashes in people.items()] if room.erase else ()


def export_person(person_id: UUID, without: Collection[str] = ()) -> dict[str, Any]:
    """What each room shows of the person, by room; rooms in ``without`` are not asked (they are known to have no row of theirs)."""
    return {room.name: dict(room.export(person_id)) for room in rooms() if room.export and room.name not in without}
