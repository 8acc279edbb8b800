"""Who may be in the register twice: the same number, or the same name in the same organisation. Found by keyed hashes alone.

Nothing is opened and nothing merged: pairs are proposed to staff, who settle that they are two, or ask for them to be made one.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import combinations, pairwise
from uuid import UUID

from django.db.models import Count, Q

from lofte.core import clock, publication
from lofte.core.models import BlindIndex, Person
from lofte.core.retry import in_transaction
from lofte.core.tasks import duty
from lofte.features.register import index
from lofte.features.register.models import Likeness

PHONE, NAME = "phone", "name"
_SHARED = 4  # more people than this with one number: a switchboard
_LARGEST_HOUSE = 2_000  # people of one organisation who are compared with each other
_PAGE = 500
_LEAST_PARTS = 2  # one word is no name two people could be known by


@dataclass(frozen=True, slots=True)
class Pair:
    """Two people who may be one, and why it seems so: ``phone`` or ``name``."""

    one: UUID
    other: UUID
    reason: str


def alike(person_id: UUID) -> list[Pair]:
    """Who may be the same person as this one, as things stand now, without those somebody settled."""
    own = index.of(person_id)
    settled = _settled(person_id)
    found: dict[UUID, str] = {}
    for field in _fields(NAME):
        if len(own.get(field, ())) >= _LEAST_PARTS:
            for house in sorted(own.get(index.COMPANY, ())):
                known = _parts_in(house, field)
                found |= {each: NAME for each, parts in known.items() if _is_like(parts, own[field])}
    for field in _fields(PHONE):
        for number in own.get(field, ()):
            people = _having(field, number)
            if len(people) <= _SHARED:
                found |= dict.fromkeys(people, PHONE)
    there = set(Person.objects.filter(pk__in=found, provisional=False).values_list("pk", flat=True))
    return [
        Pair(person_id, each, why)
        for each, why in sorted(found.items(), key=lambda item: item[0].bytes)
        if each != person_id and each in there and each not in settled
    ]


def proposed(limit: int = 50) -> list[Pair]:
    """Pairs the nightly search found and nobody has settled, the latest first."""
    rows = Likeness.everyone.filter(settled_at__isnull=True).order_by("-found_at", "id")[:limit]
    return [Pair(row.person_id, row.other, row.reason) for row in rows]


def count_proposed() -> int:
    return Likeness.everyone.filter(settled_at__isnull=True).count()


@in_transaction
def settle(one: UUID, other: UUID, *, by: str) -> None:
    """Somebody looked: these are two people. They are not proposed again."""
    low, high = _in_order(one, other)
    rows = Likeness.objects.of(low).filter(other=high)
    if not rows.update(settled_at=clock.now(), settled_by=by):
        Likeness.objects.create(
            person_id=low, other=high, reason=NAME, found_at=clock.now(), settled_at=clock.now(), settled_by=by
        )


@duty("register.find_duplicates", every=timedelta(days=1))
def find(at: datetime) -> int:
    """Walk the index for pairs and propose the new ones; what is no longer alike is forgotten. Returns how many are new.

    Each step is small and the whole is idempotent: killed anywhere, the next run finds the rest.
    """
    seen, fresh = set[tuple[UUID, UUID]](), 0
    for pair in _pairs():
        low, high = _in_order(pair.one, pair.other)
        if (low, high) not in seen:
            seen.add((low, high))
            fresh += _propose(low, high, pair.reason, at)
    for row in list(Likeness.everyone.filter(settled_at__isnull=True, found_at__lt=at)):
        if (row.person_id, row.other) not in seen:
            Likeness.objects.of(row.person_id).filter(id=row.id, settled_at__isnull=True).delete()
    return fresh


def _propose(low: UUID, high: UUID, reason: str, at: datetime) -> int:
    if Likeness.objects.of(low).filter(other=high).exists():
        return 0
    if Person.objects.filter(pk__in=(low, high), provisional=False).count() < 2:
        return 0
    Likeness.objects.create(person_id=low, other=high, reason=reason, found_at=at)
    return 1


def _pairs() -> Iterator[Pair]:
    for field in _fields(PHONE):
        for number in _shared_numbers(field):
            for one, other in combinations(_having(field, number), 2):
                yield Pair(one, other, PHONE)
    for house in _houses():
        for field in _fields(NAME):
            yield from _namesakes(_parts_in(house, field))


def _namesakes(known: dict[UUID, frozenset[str]]) -> Iterator[Pair]:
    """People of one organisation whose names have the same parts, or whose one name has all parts of the other's."""
    holders: dict[str, list[UUID]] = defaultdict(list)
    for person, parts in known.items():
        for part in parts:
            holders[part].append(person)
    for person, parts in known.items():
        if len(parts) < _LEAST_PARTS:
            continue
        rarest = min(parts, key=lambda part: len(holders[part]))
        for other in holders[rarest]:
            if other != person and parts <= known[other]:
                yield Pair(person, other, NAME)


def _is_like(one: frozenset[str], other: Iterable[str]) -> bool:
    parts = frozenset(other)
    return min(len(one), len(parts)) >= _LEAST_PARTS and (one <= parts or parts <= one)


def _parts_in(house: str, field: str) -> dict[UUID, frozenset[str]]:
    """The parts of the names of the people in one organisation."""
    people = list(BlindIndex.objects.filter(hash=house).order_by().values_list("person_id", flat=True)[:_LARGEST_HOUSE])
    found: dict[UUID, set[str]] = defaultdict(set)
    for start in range(0, len(people), _PAGE):
        rows = BlindIndex.objects.filter(person_id__in=people[start : start + _PAGE], field=field)
        for person, part in rows.values_list("person_id", "hash"):
            found[person].add(part)
    return {person: frozenset(parts) for person, parts in found.items()}


def _shared_numbers(field: str) -> Iterator[str]:
    """Hashes of numbers that a few people have, by stretches of the index so that memory is bounded."""
    stretches = [f"{start:02x}" for start in range(256)] + ["g"]
    for low, high in pairwise(stretches):
        few = list(_shared(low, high, _SHARED))
        for start in range(0, len(few), _PAGE):
            rows = BlindIndex.objects.filter(hash__in=few[start : start + _PAGE], field=field)
            yield from dict.fromkeys(rows.order_by().values_list("hash", flat=True))


def _houses() -> Iterator[str]:
    """Organisations with more than one person, by stretches."""
    stretches = [f"{index.HOUSE}{start:02x}" for start in range(256)] + [f"{index.HOUSE}g"]
    for low, high in pairwise(stretches):
        yield from list(_shared(low, high, _LARGEST_HOUSE))


def _shared(low: str, high: str, most: int) -> Iterator[str]:
    rows = BlindIndex.objects.filter(hash__gte=low, hash__lt=high).order_by().values("hash")
    counted = rows.annotate(people=Count("person_id")).filter(people__gt=1, people__lte=most)
    return counted.values_list("hash", flat=True).iterator()


def _having(field: str, found: str) -> list[UUID]:
    rows = BlindIndex.objects.filter(hash=found, field=field).order_by("entry")
    return list(rows.values_list("person_id", flat=True)[: _SHARED + 1])


def _fields(kind: str) -> list[str]:
    shapes = publication.current().policy.fields
    return [field for field, shape in shapes.items() if shape.indexed and shape.kind == kind]


def _settled(person_id: UUID) -> set[UUID]:
    rows = Likeness.everyone.filter(Q(person_id=person_id) | Q(other=person_id), settled_at__isnull=False)
    return {row.other if row.person_id == person_id else row.person_id for row in rows}


def _in_order(one: UUID, other: UUID) -> tuple[UUID, UUID]:
    low, high = sorted((one, other), key=lambda each: each.bytes)
    return low, high
