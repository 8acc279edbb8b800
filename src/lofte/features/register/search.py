"""Finding people: by exact address or number, by parts of a name, by organisation. Everything goes through the blind index.

Whoever is shown is read for a purpose that is stated, one look each; whom the purpose may not see is counted and not shown.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Exists, OuterRef

from lofte.core import blind, decisions, publication
from lofte.core.models import BlindIndex, Person
from lofte.features.register import index, organisations, reads
from lofte.features.register.models import Organisation, Placement
from lofte.features.register.verbs import PLACED
from lofte.kernel.problems import Problem
from lofte.rules.model import DataField

SHOWN = 25
_NUMBER = re.compile(r"\+?[0-9 ()./\-\u00a0\u2011]{5,30}")
_BRIEF = ("name", "email", "phone", "company", "title")


@dataclass(frozen=True, slots=True)
class Brief:
    """A person in a list. Empty texts where nothing is held for the purpose."""

    person: UUID
    name: str
    email: str
    phone: str
    company: str
    title: str


@dataclass(frozen=True, slots=True)
class Found:
    """``kind`` is how the words were understood: email, phone, name. ``withheld`` people may not be shown for the purpose."""

    kind: str
    people: tuple[Brief, ...] = ()
    withheld: int = 0
    has_more: bool = False
    organisation: UUID | None = None


@dataclass(frozen=True, slots=True)
class Colleague:
    """Somebody in an organisation: their title and role there, and since when; ``ended_at`` for who has left."""

    person: UUID
    name: str
    email: str
    title: str
    role: str
    started_at: datetime | None
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class House:
    """The people of an organisation as a purpose may see them; ``withheld`` are the others."""

    people: tuple[Colleague, ...]
    withheld: int


def find(sought: str, purpose: str, *, by: str) -> Found:
    """Who the words lead to. Raises Problem `register.undeclared` for a purpose the policy does not declare for persons."""
    declared = publication.current().policy.purposes.get(purpose)
    if purpose not in decisions.BY_LAW and (declared is None or declared.scope != "person"):
        raise Problem("register.undeclared", "the policy declares no such purpose for persons", status=422)
    kind = understood(sought)
    organisation = _house(sought, kind)
    people = candidates(sought, kind)
    found, withheld = briefs(people[:SHOWN], purpose, by=by)
    return Found(kind, found, withheld, len(people) > SHOWN, organisation)


def sole(sought: str) -> UUID | None:
    """The one person the words lead to, when they lead nowhere else. Nothing is opened: whoever goes there leaves the look."""
    kind = understood(sought)
    people = candidates(sought, kind)
    return people[0] if len(people) == 1 and _house(sought, kind) is None else None


def understood(sought: str) -> str:
    """Whether the words are an address, a number or a name."""
    text = sought.strip()
    if "@" in text:
        return "email"
    return "phone" if _NUMBER.fullmatch(text) and sum(letter.isdigit() for letter in text) >= 5 else "name"


def candidates(sought: str, kind: str) -> list[UUID]:
    """People by the index alone, one more than are shown at most; nothing is opened."""
    shapes = publication.current().policy.fields
    rows: list[UUID] = []
    for field, shape in shapes.items():
        if shape.indexed and shape.kind == kind:
            rows += _by_parts(field, sought) if kind == "name" else _by_value(field, shape, sought)
    confirmed = Person.objects.filter(pk__in=rows, provisional=False)
    return list(confirmed.order_by("pk").values_list("pk", flat=True)[: SHOWN + 1])


def briefs(people: Sequence[UUID], purpose: str, *, by: str) -> tuple[tuple[Brief, ...], int]:
    """The people as a list shows them, by name; and how many may not be shown for the purpose."""
    seen = reads.holdings_of_many(people, purpose, by=by, fields=_BRIEF)
    works = _works(seen)
    found = []
    for person, held in seen.items():
        latest = {each.field: each.value for each in sorted(held, key=lambda each: each.since)} | works.get(person, {})
        found.append(Brief(person, *(latest.get(field, "") for field in _BRIEF)))
    ranked = sorted(found, key=lambda each: (each.name == "", each.name.casefold(), each.email))
    return tuple(ranked), len(people) - len(found)


def _works(seen: Mapping[UUID, tuple[reads.Held, ...]]) -> dict[UUID, dict[str, str]]:
    """Company and title of the place each has now, where they have one."""
    values = {each.id: each.value for held in seen.values() for each in held}
    places = Placement.everyone.filter(person_id__in=list(seen), ended_at__isnull=True).order_by("started_at")
    return {
        each.person_id: {"company": values[each.company], "title": values.get(each.title, "") if each.title else ""}
        for each in places
        if each.company in values
    }


def colleagues(people: Sequence[UUID], organisation: UUID, purpose: str, *, by: str) -> House:
    """Those of the people whom the purpose knows in the organisation; one look each."""
    seen = reads.holdings_of_many(people, purpose, by=by, fields=("name", "email", *PLACED))
    places: dict[UUID, list[Placement]] = {each: [] for each in seen}
    for row in Placement.everyone.filter(person_id__in=list(seen), organisation=organisation):
        places[row.person_id].append(row)
    found = [
        colleague
        for person, held in seen.items()
        if (colleague := _as_colleague(person, organisation, held, places[person])) is not None
    ]
    ranked = sorted(found, key=lambda each: (each.ended_at is not None, each.name == "", each.name.casefold()))
    return House(tuple(ranked), len(people) - len(found))


def _as_colleague(
    person: UUID, organisation: UUID, held: tuple[reads.Held, ...], everywhere: Iterable[Placement]
) -> Colleague | None:
    values = {each.id: each.value for each in held}
    latest = {each.field: each.value for each in sorted(held, key=lambda each: each.since)}
    who = person, latest.get("name", ""), latest.get("email", "")
    places = [each for each in everywhere if each.company in values]
    if place := min(places, key=lambda each: (each.ended_at is not None, -each.started_at.timestamp()), default=None):
        title, role = (values.get(each, "") if each else "" for each in (place.title, place.role))
        return Colleague(*who, title, role, place.started_at, place.ended_at)
    if any(each.field == "company" and organisations.id_of(each.value) == organisation for each in held):
        return Colleague(*who, "", "", None, None)
    return None


def _house(sought: str, kind: str) -> UUID | None:
    """The organisation of exactly this name, if somebody there is in the register."""
    if kind != "name" or not sought.strip():
        return None
    found = organisations.id_of(sought)
    return found if Organisation.objects.filter(pk=found).exists() else None


def _by_value(field: str, shape: DataField, sought: str) -> list[UUID]:
    hashes = [blind.blind_hash(field, normal) for normal in blind.readings(shape.kind, sought)]
    rows = BlindIndex.objects.filter(hash__in=hashes).order_by()
    return list(rows.values_list("person_id", flat=True)[: 2 * SHOWN])


def _by_parts(field: str, sought: str) -> list[UUID]:
    """People who have every part. The rarest part is walked and the others asked for person by person, in the index alone."""
    hashes = sorted((blind.part_hash(field, part) for part in blind.parts(sought)), key=_how_many)
    if not hashes:
        return []
    rows = BlindIndex.objects.filter(hash=hashes[0]).order_by()
    for other in hashes[1:]:
        rows = rows.filter(Exists(BlindIndex.objects.filter(hash=other, person_id=OuterRef("person_id"))))
    return list(rows.values_list("person_id", flat=True)[: SHOWN + 1])


_ENOUGH = 100_000


def _how_many(found: str) -> int:
    """How many people have it; of a very common part no more are counted than tell which is the rarer."""
    return BlindIndex.objects.filter(hash=found).order_by().values("person_id")[:_ENOUGH].count()


def people_of(organisation: UUID, limit: int) -> list[UUID]:
    """Who is in an organisation, by the index: those with a place there and those whose company it is."""
    rows = BlindIndex.objects.filter(hash=index.house_key(organisation)).order_by("person_id")
    return list(rows.values_list("person_id", flat=True)[:limit])
