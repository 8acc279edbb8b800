"""Questions to the register. Each read of values names a purpose and who asks, is decided, and leaves a look, refused or not."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Q

from lofte.core import blind, clock, decisions, many, ports, publication, roles, vault
from lofte.core.models import BlindIndex, Person
from lofte.features.register import due, index
from lofte.features.register.models import Attachment, Dialogue, Holding, Look, Placement, Relation
from lofte.kernel.problems import Problem
from lofte.rules.model import Basis

_UNTIL_SOMEBODY_LOOKS = timedelta(days=366)  # a hold without an end or a review, which nobody can place


@dataclass(frozen=True, slots=True)
class Held:
    """One holding, opened. ``clock`` is the clock that runs for it, ``due`` when it must be gone."""

    id: UUID
    field: str
    value: str
    purpose: str
    basis: str
    source: str
    clock: str | None
    since: datetime
    due: datetime | None
    market: str
    locale: str
    publication: str
    wording: str


@dataclass(frozen=True, slots=True)
class Place:
    """A person's place in an organisation."""

    id: UUID
    organisation: UUID
    company: str
    title: str
    role: str
    market: str
    started_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class Said:
    """One entry of the dialogue. ``medium`` and ``direction`` are empty for words that came by another door (a form, a list)."""

    id: UUID
    text: str
    at: datetime
    medium: str
    direction: str
    by: str


@dataclass(frozen=True, slots=True)
class File:
    """What one purpose may see of a person, by one look: what is held, where they work and what was said, the latest first."""

    held: tuple[Held, ...]
    places: tuple[Place, ...]
    dialogue: tuple[Said, ...]
    relations: tuple[Relation, ...]


def person_of(field: str, value: str, country: str = "") -> UUID | None:
    """The one person a value belongs to, by blind index; None when nobody, or more than one, has it (or it is no value at all)."""
    shape = publication.current().policy.fields.get(field)
    if shape is None or not index.is_exact(shape):
        raise Problem("register.undeclared", f"people are not found by {field}", status=422)
    try:
        found = blind.blind_hash(field, blind.normalise(shape.kind, value, country))
    except Problem:
        return None
    people = list(BlindIndex.objects.filter(hash=found, field=field).values_list("person_id", flat=True)[:2])
    return people[0] if len(people) == 1 else None


def holdings_of(person_id: UUID, purpose: str, *, by: str, fields: Iterable[str] | None = None) -> tuple[Held, ...]:
    """What is held for a purpose, opened. ``portal`` as purpose (the person themself, GDPR 15) gives everything.

    Raises Problem `register.denied` with the reason when the purpose does not allow it; the attempt is kept.
    """
    rows = Holding.objects.of(person_id).order_by("purpose", "field", "since")
    if purpose not in decisions.BY_LAW:
        rows = rows.filter(purpose=purpose)
    if fields is not None:
        rows = rows.filter(field__in=list(fields))
    found = list(rows)
    demand(person_id, purpose, {row.field for row in found}, by=by)
    if not found:
        return ()
    opener = vault.opener(person_id)
    return tuple(_held(row, opener) for row in found)


def holdings_of_many(
    people: Sequence[UUID], purpose: str, *, by: str, fields: Iterable[str]
) -> dict[UUID, tuple[Held, ...]]:
    """As `holdings_of` for a list of people, in as many statements as for one; whom the purpose may not see is not in it."""
    rows = Holding.everyone.filter(person_id__in=many.among(people), field__in=list(fields)).order_by(
        "purpose", "field", "since"
    )
    if purpose not in decisions.BY_LAW:
        rows = rows.filter(purpose=purpose)
    found: dict[UUID, list[Holding]] = {each: [] for each in people}
    for row in rows:
        found[row.person_id].append(row)
    allowed = _allowed({person: {row.field for row in held} for person, held in found.items()}, purpose, by)
    openers = vault.openers([person for person in allowed if found[person]])
    return {  # who is being erased has no key any more
        person: tuple(_held(row, openers[person]) for row in found[person])
        for person in allowed
        if person in openers or not found[person]
    }


def _allowed(asked: Mapping[UUID, Iterable[str]], purpose: str, by: str) -> list[UUID]:
    """Those of whom the purpose may see the fields; everybody asked for gets a look, refused or not."""
    return [person for person, decided in look(asked, purpose, by=by).items() if decided.allowed]


def look(asked: Mapping[UUID, Iterable[str]], purpose: str, *, by: str) -> dict[UUID, decisions.Decision]:
    """Ask of each person whether the purpose may see these fields, and keep a look for each, refused or not."""
    people, published, at = list(asked), publication.current(), clock.now()
    role, may_state = roles.role_for(by, purpose)
    is_by_law = purpose in decisions.BY_LAW  # what the person said of uses does not matter then, and is not asked for
    standings = {} if is_by_law else ports.consents().standings_of(people)
    restricted = frozenset[UUID]() if is_by_law else ports.restricted_of(people)
    decided, looks = {}, []
    for person, fields in asked.items():
        shown = sorted(set(fields))
        decided[person] = found = decisions.decide(
            published, purpose, shown, standings.get(person, {}), restricted=person in restricted, may_state=may_state
        )
        looks.append(
            Look(
                person_id=person, by=by, role=role, purpose=purpose, fields=shown, allowed=found.allowed, reason=found.reason, at=at
            )
        )  # fmt: skip
    Look.everyone.bulk_create(looks)
    return decided


def file_of(person_id: UUID, purpose: str, *, by: str) -> File:
    """The person as this purpose may see them. Raises Problem `register.denied` as `holdings_of`; leaves one look."""
    held = holdings_of(person_id, purpose, by=by)
    fields = publication.current().policy.fields
    spoken = tuple(each for each in held if each.field in fields and fields[each.field].category == "dialogue")
    return File(held, _places(person_id, held), _dialogue(person_id, spoken), tuple(relations_of(person_id)))


def _places(person_id: UUID, held: tuple[Held, ...]) -> tuple[Place, ...]:
    """Places whose company is among what may be seen; open ones first, then the latest."""
    values = {each.id: each.value for each in held}
    rows = sorted(
        Placement.objects.of(person_id).filter(company__in=values),
        key=lambda each: (each.ended_at is not None, -each.started_at.timestamp()),
    )
    return tuple(
        Place(
            id=each.id, organisation=each.organisation, company=values[each.company], title=values.get(each.title, ""),
            role=values.get(each.role, ""), market=each.market, started_at=each.started_at, ended_at=each.ended_at,
        )
        for each in rows
    )  # fmt: skip


def _dialogue(person_id: UUID, spoken: tuple[Held, ...]) -> tuple[Said, ...]:
    how = {each.id: each for each in Dialogue.objects.of(person_id).filter(id__in=[each.id for each in spoken])}
    found = [
        Said(each.id, each.value, how[each.id].at, how[each.id].medium, how[each.id].direction, how[each.id].by)
        if each.id in how
        else Said(each.id, each.value, each.since, "", "", each.source)
        for each in spoken
    ]
    return tuple(sorted(found, key=lambda each: each.at, reverse=True))


def words_of(
    person_id: UUID, entries: Iterable[UUID], purpose: str, *, by: str, fields: Iterable[str] = ()
) -> dict[UUID, str]:
    """The words of some entries of the dialogue that are held for a purpose, by id; what has gone is not in it.

    ``fields`` are others the caller opens with it, so that one look says it all. Raises Problem `register.denied` as `holdings_of`.
    """
    found = Holding.objects.of(person_id).filter(id__in=list(entries))
    rows = list(found if purpose in decisions.BY_LAW else found.filter(purpose=purpose))
    demand(person_id, purpose, {*fields, *(row.field for row in rows)}, by=by)
    opener = vault.opener(person_id) if rows else None
    return {row.id: opener.open(row.id, row.sealed).decode() for row in rows} if opener else {}


def still_held(entries: Iterable[UUID]) -> frozenset[UUID]:
    """Those of some holdings that have not been erased."""
    return frozenset(Holding.everyone.filter(id__in=list(entries)).values_list("id", flat=True))


def gather(person_id: UUID, purpose: str, fields: Iterable[str], *, by: str) -> Mapping[str, str]:
    """The latest value of each field, whatever purpose it was given for: for a purpose that is about what others hold already, such
    as an authority's decision or a change of ownership. Raises Problem `register.denied` as `holdings_of`; leaves a look."""
    asked = sorted(set(fields))
    demand(person_id, purpose, asked, by=by)
    rows = list(Holding.objects.of(person_id).filter(field__in=asked).order_by("since"))
    opener = vault.opener(person_id) if rows else None
    return {row.field: opener.open(row.id, row.sealed).decode() for row in rows} if opener else {}


def kinds_held(person_id: UUID) -> frozenset[tuple[str, str]]:
    """Of what something is held, as (purpose, field); no value is opened."""
    return frozenset(Holding.objects.of(person_id).values_list("purpose", "field"))


def value_of(person_id: UUID, field: str, purpose: str, *, by: str) -> str | None:
    """One value for a purpose; by law (`rights`, `portal`) from whichever purpose holds it, the latest first."""
    found = holdings_of(person_id, purpose, by=by, fields=[field])
    return max(found, key=lambda each: each.since).value if found else None


def demand(person_id: UUID, purpose: str, fields: Iterable[str], *, by: str) -> None:
    """Ask whether the purpose may see these fields, keep the look, and raise Problem `register.denied` when it may not."""
    demand_of({person_id: fields}, purpose, by=by)


def demand_of(asked: Mapping[UUID, Iterable[str]], purpose: str, *, by: str) -> None:
    """As `demand` of many: refused when it is refused of one, with a look for each."""
    for decided in look(asked, purpose, by=by).values():
        if not decided.allowed:
            raise Problem(
                "register.denied",
                f"the purpose {purpose} may not use this: {decided.reason}",
                law=decided.law,
                status=403,
            )


def looks_of(person_id: UUID, limit: int = 500) -> list[Look]:
    return list(Look.objects.of(person_id).order_by("-at")[:limit])


def relations_of(person_id: UUID) -> list[Relation]:
    return list(Relation.objects.of(person_id).order_by("started_at"))


def market_of(person_id: UUID) -> tuple[str, str] | None:
    """Market and locale the person was last known in."""
    row = (
        Relation.objects.of(person_id).order_by("-started_at").first()
        or Holding.objects.of(person_id).order_by("-since").first()
    )
    return (row.market, row.locale) if row else None


def exists(person_id: UUID) -> bool:
    return Person.objects.filter(pk=person_id, provisional=False).exists()


def people_count() -> int:
    """People in the register; those who have not confirmed an address do not count."""
    return Person.objects.filter(provisional=False).count()


def people_for(purpose: str, after: UUID | None, limit: int) -> list[UUID]:
    """The next people with anything held for a purpose, in order of id; pass the last one to go on."""
    rows = Holding.everyone.filter(purpose=purpose)
    if after is not None:
        rows = rows.filter(person_id__gt=after)
    return list(rows.order_by("person_id").values_list("person_id", flat=True).distinct()[:limit])


def people_in(relations: Iterable[str], market: str, after: UUID | None, limit: int) -> list[UUID]:
    """The next people with an open relation of these kinds in a market, in order of id; pass the last one to go on."""
    rows = Relation.everyone.filter(relation__in=list(relations), market=market, ended_at__isnull=True)
    if after is not None:
        rows = rows.filter(person_id__gt=after)
    return list(rows.order_by("person_id").values_list("person_id", flat=True).distinct()[:limit])


def due_people(at: datetime, limit: int) -> list[UUID]:
    """People with a holding that must be gone by now, the longest overdue first."""
    rows = Holding.everyone.filter(due_at__lte=at).order_by("due_at", "person_id").values_list("person_id", flat=True)
    return list(dict.fromkeys(rows[: limit * 20]))[:limit]


def due_holdings(at: datetime) -> list[ports.DueHolding]:
    """Everything past its clock, the longest overdue first."""
    rows = Holding.everyone.filter(due_at__lte=at).order_by("due_at").values_list("person_id", "id", "due_at", "clock")
    return [ports.DueHolding(*row) for row in rows]


def due_counts(person_id: UUID, at: datetime) -> ports.DueCount:
    rows = list(Holding.objects.of(person_id).values_list("due_at", flat=True))
    return ports.DueCount(due=sum(each is not None and each <= at for each in rows), all=len(rows))


def kept_by_law(person_id: UUID, at: datetime) -> list[ports.KeptByLaw]:
    """As `kept_by_law_of` for one person."""
    return kept_by_law_of([person_id], at).get(person_id, [])


def kept_by_law_of(people: Sequence[UUID], at: datetime) -> dict[UUID, list[ports.KeptByLaw]]:
    """What the law keeps past an erasure (GDPR 17(3)): a legal obligation where a clock says until when, and what a hold covers.

    Of whom it keeps nothing is not in it.
    """
    keeper = ports.retention()
    holds = keeper.holds_of(people) if keeper else {}
    held = [each for each in people if holds.get(each)]
    by_statute = Q(basis=Basis.LEGAL_OBLIGATION.value, due_at__gt=at)
    rows = Holding.everyone.filter(by_statute | Q(person_id__in=many.among(held)), person_id__in=many.among(people))
    kept: dict[UUID, dict[UUID, ports.KeptByLaw]] = {}
    for row in rows.defer("sealed").order_by("id"):
        found = kept.setdefault(row.person_id, {})
        if row.basis == Basis.LEGAL_OBLIGATION.value and row.due_at is not None and row.due_at > at:
            found[row.id] = ports.KeptByLaw(row.id, row.purpose, row.clock, row.due_at)
        for hold in holds.get(row.person_id, ()):
            until = hold.until or hold.review_at or at + _UNTIL_SOMEBODY_LOOKS
            is_kept = hold.covers(row.field, row.purpose, row.market) and (hold.until is None or hold.until > at)
            if is_kept and (row.id not in found or found[row.id].until < until):
                found[row.id] = ports.KeptByLaw(row.id, row.purpose, due.HOLD, until)
    return {person: list(found.values()) for person, found in kept.items() if found}


def beside(person_id: UUID, holding_ids: frozenset[UUID]) -> Mapping[str, frozenset[UUID]]:
    """What belongs to some holdings and stays as long as they do, as rows by table: when a call was, the files of a letter."""
    said = Dialogue.objects.of(person_id).filter(id__in=holding_ids).values_list("id", flat=True)
    files = Attachment.objects.of(person_id).filter(dialogue__in=holding_ids).values_list("id", flat=True)
    return {"register_dialogue": frozenset(said), "register_attachment": frozenset(files)}


def hashes_of(person_id: UUID, holding_ids: frozenset[UUID]) -> frozenset[str]:
    """The blind index of some holdings, where they have one."""
    rows = Holding.objects.of(person_id).filter(id__in=holding_ids).exclude(hash="")
    return frozenset(rows.values_list("hash", flat=True))


def drifted(person_id: UUID) -> list[UUID]:
    """Holdings whose written deadline is not what the clocks say: a sign that somebody wrote past the verbs."""
    published, seen = publication.current(), due.surroundings(person_id)
    wrong = []
    for row in Holding.objects.of(person_id).defer("sealed"):
        found = due.due_of(row, seen, published)
        if row.due_at != (found.at if found else None):
            wrong.append(row.id)
    return wrong


def open_all(person_id: UUID, purpose: str, *, by: str) -> Mapping[UUID, Held]:
    """Every holding, opened for what the law demands of us: erasing, carrying a right elsewhere, searching our own stores.

    Where `holdings_of` raises for a person whose key is gone, this finds nothing. The look is kept as everywhere.
    """
    if purpose not in decisions.BY_LAW:
        raise Problem("register.undeclared", f"{purpose} does not open everything", law="GDPR 5(1)(b)", status=500)
    rows = list(Holding.objects.of(person_id))
    if not rows or not vault.has_key(person_id):
        return {}
    demand(person_id, purpose, {row.field for row in rows}, by=by)
    opener = vault.opener(person_id)
    return {row.id: _held(row, opener) for row in rows}


def _held(row: Holding, opener: vault.Opener) -> Held:
    return Held(
        id=row.id, field=row.field, value=opener.open(row.id, row.sealed).decode(), purpose=row.purpose, basis=row.basis,
        source=row.source, clock=row.clock or None, since=row.since, due=row.due_at, market=row.market, locale=row.locale,
        publication=row.publication, wording=row.wording,
    )  # fmt: skip
