"""Many people at once, in few statements: what the clocks ask for, and what is held of those who must go."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Count

from lofte.core import decisions, many, ports, vault
from lofte.core.models import BlindIndex
from lofte.features.register import due, erased, index, lists, organisations
from lofte.features.register.models import Attachment, Dialogue, Holding, Likeness, Placement
from lofte.kernel.problems import Problem

_FEW = 50_000  # rows that are due: up to so many are followed one by one, above the whole index is read once


# --- what is due ----------------------------------------------------------------------------------------------------


def plan(at: datetime) -> ports.DuePlan:
    """Counts alone, by the deadlines as they are written. Reads no row of the table, only its indexes."""
    by_clock = dict(
        Holding.everyone.filter(due_at__lte=at).order_by("clock").values_list("clock").annotate(count=Count("*"))
    )
    holdings = sum(by_clock.values())
    people, whole = _people(at, _OF_FEW if holdings <= _FEW else _OF_ALL) if holdings else (0, 0)
    return ports.DuePlan(people, whole, holdings, by_clock)


# Who has something due, and how many of them nothing else. Both go along an index: by deadline, or by person.
_OF_FEW = """
    SELECT count(*), coalesce(sum(CASE WHEN due = held THEN 1 ELSE 0 END), 0) FROM (
        SELECT due, (SELECT count(*) FROM register_holding h WHERE h.person_id = d.person_id) AS held
        FROM (SELECT person_id, count(*) AS due FROM register_holding WHERE due_at <= %s GROUP BY person_id) d
    ) counted"""
_OF_ALL = """
    SELECT count(*), coalesce(sum(CASE WHEN due = held THEN 1 ELSE 0 END), 0) FROM (
        SELECT sum(CASE WHEN due_at <= %s THEN 1 ELSE 0 END) AS due, count(*) AS held
        FROM register_holding GROUP BY person_id
    ) counted WHERE due > 0"""


def _people(at: datetime, sql: str) -> tuple[int, int]:
    instant = next(field for field in Holding._meta.concrete_fields if field.name == "due_at")
    with connection.cursor() as cursor:
        cursor.execute(sql, [instant.get_db_prep_value(at, connection)])
        people, whole = cursor.fetchone()
    return int(people), int(whole)


def due_after(at: datetime, after: tuple[datetime, UUID] | None, limit: int) -> list[tuple[datetime, UUID]]:
    """The next deadlines that have passed, the longest overdue first, with whose they are; pass the last one to go on.

    Somebody with several comes several times.
    """
    asked: list[Any] = [many.stored_instant(at)]
    beyond = ""
    if after is not None:
        since = many.stored_instant(after[0])
        beyond, asked = "AND due_at >= %s AND (due_at > %s OR person_id > %s)", [*asked, since, since, after[1].hex]
    sql = (
        f"SELECT due_at, person_id FROM register_holding WHERE due_at <= %s {beyond} "  # noqa: S608  # texts of ours
        "ORDER BY due_at, person_id LIMIT %s"
    )
    known: dict[str, UUID] = {}
    found = []
    for instant, stored in many.select(Holding, ("due_at", "person_id"), sql, [*asked, limit]):
        if stored not in known:
            known[stored] = many.id_of(stored)
        found.append((many.instant(instant), known[stored]))
    return found


# --- what is held of those who go -----------------------------------------------------------------------------------


def open_crowd(people: Sequence[UUID], purpose: str, *, by: str) -> dict[UUID, list[tuple[str, str]]]:
    """(field, value) of everything that is held of each, as `reads.open_all`: for what the law demands of us.

    Nothing of whoever has no key any more. There is no look of it: the caller writes an order for each, by whom and why, and the
    looks go with the person in the next moment.
    """
    if purpose not in decisions.BY_LAW:
        raise Problem("register.undeclared", f"{purpose} does not open everything", law="GDPR 5(1)(b)", status=500)
    openers = vault.openers(people)
    values: dict[UUID, list[tuple[str, str]]] = {each: [] for each in people}
    known = many.stored(openers)
    for row_id, stored, field, sealed in many.rows_of(
        Holding, ("id", "person_id", "field", "sealed"), "person_id", openers
    ):
        person = known[stored]
        values[person].append((field, openers[person].open_row(many.bytes_of(row_id), sealed).decode()))
    return values


def erase(people: Mapping[UUID, frozenset[str]]) -> dict[UUID, dict[str, int]]:
    """What the register holds of these people beside what `person_id` reaches; as the room's `erase` does for one."""
    counts: dict[UUID, dict[str, int]] = {each: {} for each in people}
    places: dict[UUID, set[UUID]] = defaultdict(set)
    known = many.stored(people)
    for stored, organisation in many.rows_of(Placement, ("person_id", "organisation"), "person_id", people):
        places[many.id_of(organisation)].add(known[stored])
    for stored, count in many.delete(Placement, "person_id", people).items():
        counts[known[stored]]["register_placement"] = count
    many.delete(Likeness, "other", people)
    theirs = _only_of(people, frozenset().union(*people.values()))
    erased.remember_all(theirs)
    lists.let_go_of(theirs)
    for organisation in organisations.emptied(places):
        counts[min(places[organisation])].setdefault("register_organisation", 0)
        counts[min(places[organisation])]["register_organisation"] += 1
    return counts


def _only_of(people: Collection[UUID], hashes: Iterable[str]) -> frozenset[str]:
    """Those of the hashes that nobody beside these people is found by."""
    asked = frozenset(hashes)
    found = BlindIndex.objects.filter(hash__in=many.among_texts(asked)).exclude(person_id__in=many.among(people))
    return asked - frozenset(found.values_list("hash", flat=True))


# --- what goes of those who stay ------------------------------------------------------------------------------------


def drop_due(people: Sequence[UUID], at: datetime) -> dict[UUID, tuple[int, int]]:
    """Erase what is due of many, worked out anew at this moment; how many holdings went of each, and how many are left.

    Inside the caller's transaction.
    """
    due.refresh(people)
    rows = list(
        Holding.everyone.filter(person_id__in=many.among(people), due_at__lte=at).values_list(
            "id", "person_id", "field", named=True
        )
    )
    gone = [row.id for row in rows]
    Holding.everyone.filter(person_id__in=many.among(people), id__in=many.among(gone), due_at__lte=at)._raw_delete(
        using="default"
    )
    fields: dict[UUID, set[str]] = defaultdict(set)
    for row in rows:
        fields[row.person_id].add(row.field)
    index.forget_of(fields)
    drop_beside(list(fields), gone)
    left = dict(
        Holding.everyone.filter(person_id__in=many.among(people))
        .order_by()
        .values_list("person_id")
        .annotate(n=Count("id"))
    )
    counted = Counter(row.person_id for row in rows)
    return {person: (count, left.get(person, 0)) for person, count in counted.items()}


def drop_beside(people: list[UUID], gone: list[UUID]) -> None:
    """What stood beside the holdings that went: notes of when a call was and its files, places in organisations."""
    Dialogue.everyone.filter(person_id__in=many.among(people), id__in=many.among(gone))._raw_delete(using="default")
    Attachment.everyone.filter(person_id__in=many.among(people), dialogue__in=many.among(gone))._raw_delete(
        using="default"
    )
    places = Placement.everyone.filter(person_id__in=many.among(people))
    for field in ("title", "role"):
        places.filter(**{f"{field}__in": many.among(gone)}).update(**{field: None})
    left = set(places.filter(company__in=many.among(gone)).values_list("organisation", flat=True))
    places.filter(company__in=many.among(gone))._raw_delete(using="default")
    organisations.forget_empty(left)
