"""When each holding of a person must be gone, by the clocks of the publication in force, and what puts that off.

The strictest clock wins. A statute that keeps a record wins over every clock, and keeps only what the purpose of the record names.
Later goes only what a hold keeps, what the person wants kept (restriction), what the answer to their request needs, and what they
were asked about too late. `ruling_of` says which of these it was.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Any, Protocol
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import connections

from lofte.core import clock, many, ports, publication
from lofte.core.retry import in_transaction
from lofte.features.register.models import Holding, Relation, Signal
from lofte.kernel.problems import Problem
from lofte.rules import clocks, floors
from lofte.rules.model import Basis, Purpose
from lofte.rules.packs import law_pack
from lofte.rules.published import Published

AT_ONCE = "withdrawal"
KEPT = "kept"
UNDECLARED = "undeclared"
FLOOR, HOLD, RESTRICTION, REQUEST = "floor", "hold", "restriction", "request"
"""What stands in the place of a clock where something else than a clock of the policy decides."""
ENDED = datetime(1970, 1, 1, tzinfo=UTC)
"""Since when somebody is held who was erased but for what holds keep: no clock of theirs is left."""
PUTS_OFF = (FLOOR, HOLD, RESTRICTION, REQUEST)


@dataclass(frozen=True, slots=True)
class Related:
    """As much of a relation as clocks follow from."""

    relation: str
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Everything about a person that moves clocks. ``restricted`` stops them all: the person wants the data kept (GDPR 18(1))."""

    signals: Mapping[str, datetime]
    relations: tuple[Related, ...]
    standings: Mapping[str, ports.Standing]
    restricted: bool = False
    holds: Sequence[ports.HeldBack] = ()
    graces: Mapping[str, datetime] = field(default_factory=dict)
    asking: bool = False
    today: date = field(default_factory=lambda: clock.now().date())
    attended: Mapping[str, ports.Attended] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Ruling:
    """When a holding must be gone and by which rule. ``at`` None: not as long as the rule stands.

    ``clock`` is the rule that decides: a clock of the policy, `AT_ONCE`, `UNDECLARED`, or one of `PUTS_OFF`. ``end`` is when its
    clock alone would take it, ``by`` that clock; ``law`` the statute or article; ``asked`` whether the end waits for an answer.
    """

    at: datetime | None
    clock: str
    law: str
    end: datetime
    by: str
    asked: bool = False


def surroundings(person_id: UUID) -> Surroundings:
    return surroundings_of([person_id])[person_id]


def refresh(people: Sequence[UUID]) -> int:
    """As `verbs.refresh_due` for many people at once, in a few statements; returns how many deadlines moved."""
    return _refreshed(people, clock.now())[0]


def judge(people: Sequence[UUID], at: datetime) -> dict[UUID, ports.DueCount]:
    """Work out every deadline of these people anew; how many holdings each has and how many are due. Who has none is not in it."""
    return _refreshed(people, at)[1]


@dataclass(frozen=True, slots=True)
class _Group:
    """Holdings of one person whose deadline follows from the same, and is written the same. ``field`` is empty where no hold asks.

    ``stored`` are person, since and deadline as the database gives them: there are many, and most are only compared.
    """

    person: UUID
    field: str
    purpose: str
    market: str
    since: datetime
    clock: str
    count: int
    stored: tuple[Any, Any, Any]


def _refreshed(people: Sequence[UUID], at: datetime) -> tuple[int, dict[UUID, ports.DueCount]]:
    """How many deadlines moved, and what is due of each by some instant. Mostly none moves, and nobody is kept waiting."""
    moved, counts = _judged(people, at)
    return _moved(people, at) if moved else (0, counts)


@in_transaction
def _moved(people: Sequence[UUID], at: datetime) -> tuple[int, dict[UUID, ports.DueCount]]:
    """The same, worked out again in the transaction that writes it."""
    moved, counts = _judged(people, at)
    lines = []
    for group, ends, name in moved:
        person, since, due_at = group.stored
        line = [many.stored_instant(ends), name, person, group.purpose, group.market, since, group.clock, due_at]
        lines.append([*line, group.field, group.field])
    if lines:
        with connections["default"].cursor() as cursor:
            cursor.executemany(
                "UPDATE register_holding SET due_at = %s, clock = %s WHERE person_id = %s AND purpose = %s AND market = %s"
                " AND since = %s AND clock = %s AND due_at IS NOT DISTINCT FROM %s AND (%s = '' OR field = %s)",
                lines,
            )
    return sum(group.count for group, *_ in moved), counts


def _judged(
    people: Sequence[UUID], at: datetime
) -> tuple[list[tuple[_Group, datetime | None, str]], dict[UUID, ports.DueCount]]:
    """What is not written as it should be, with what should be; and how much is due."""
    published, around, moved = publication.current(), surroundings_of(people), []
    all_of, due_of_each = Counter[UUID](), Counter[UUID]()
    for group in _groups(people, by_field=any(seen.holds for seen in around.values())):
        ends, name = written(ruling_of(group, around[group.person], published))
        all_of[group.person] += group.count
        if ends is not None and ends <= at:
            due_of_each[group.person] += group.count
        if (group.stored[2], group.clock) != (many.stored_instant(ends), name):
            moved.append((group, ends, name))
    return moved, {each: ports.DueCount(due=due_of_each[each], all=count) for each, count in all_of.items()}


def _groups(people: Sequence[UUID], *, by_field: bool) -> Iterator[_Group]:
    known = many.stored(people)
    columns = ("person_id", "purpose", "market", "since", "due_at", "clock", *(["field"] if by_field else []))
    for person, purpose, market, since, due_at, name, *fields, count in many.counted(
        Holding, columns, "person_id", people
    ):
        field = fields[0] if fields else ""
        yield _Group(known[person], field, purpose, market, many.instant(since), name, count, (person, since, due_at))


def leave_to_holds(person_id: UUID, holding_ids: Iterable[UUID]) -> None:
    """The person is erased and holds alone keep these: when the last of them ends, so does what it kept. A statute goes on."""
    rows = Holding.objects.of(person_id).filter(id__in=list(holding_ids))
    rows.exclude(basis=Basis.LEGAL_OBLIGATION.value).update(since=ENDED)
    refresh([person_id])


def surroundings_of(people: Sequence[UUID]) -> Mapping[UUID, Surroundings]:
    signals: dict[UUID, dict[str, datetime]] = {each: {} for each in people}
    relations: dict[UUID, list[Related]] = {each: [] for each in people}
    known = many.stored(people)
    for stored, kind, at in many.rows_of(Signal, ("person_id", "kind", "at"), "person_id", people):
        signals[known[stored]][kind] = many.instant(at)
    for stored, relation, ended_at in many.rows_of(
        Relation, ("person_id", "relation", "ended_at"), "person_id", people
    ):
        relations[known[stored]].append(Related(relation, many.instant(ended_at) if ended_at else None))
    said, restricted, asking = (
        ports.consents().standings_of(people),
        ports.restricted_of(people),
        ports.asking_of(people),
    )
    keeper = ports.retention()
    if said_so := [each for each in people if KEPT in signals[each]]:
        answers = keeper.answers_of(said_so) if keeper else {}
        for each in said_so:  # without a question of ours it is no answer
            signals[each] = (
                {**signals[each], KEPT: answers[each]} if each in answers else _without_answer(signals[each])
            )
    holds = keeper.holds_of(people) if keeper else {}
    graces = keeper.graces_of(people) if keeper else {}
    attended = ports.attended_of(people)
    today = clock.now().date()
    return {
        each: Surroundings(
            signals[each], tuple(relations[each]), said.get(each, {}), each in restricted, holds.get(each, ()),
            graces.get(each, {}), each in asking, today, attended.get(each, {}),
        )
        for each in people
    }  # fmt: skip


def _without_answer(signals: Mapping[str, datetime]) -> dict[str, datetime]:
    return {kind: at for kind, at in signals.items() if kind != KEPT}


class Aged(Protocol):
    """As much of a holding as its deadline follows from."""

    @property
    def field(self) -> str: ...
    @property
    def purpose(self) -> str: ...
    @property
    def market(self) -> str: ...
    @property
    def since(self) -> datetime: ...


def due_of(holding: Aged, seen: Surroundings, published: Published) -> clocks.Due | None:
    """When a holding must be gone and by what; None while nothing takes it."""
    found = ruling_of(holding, seen, published)
    return clocks.Due(found.at, found.clock) if found and found.at else None


def written(ruling: Ruling | None) -> tuple[datetime | None, str]:
    """A ruling as the holding's row has it: the last day and the name of the rule."""
    return (ruling.at, ruling.clock) if ruling else (None, "")


def ruling_of(holding: Aged, seen: Surroundings, published: Published) -> Ruling | None:
    """The rule that decides when a holding goes; None while no clock runs."""
    purpose = published.policy.purposes.get(holding.purpose)
    if purpose is None:  # the policy no longer knows the purpose: nothing may be kept for it
        return _put_off(Ruling(holding.since, UNDECLARED, "GDPR 5(1)(b)", holding.since, UNDECLARED), holding, seen)
    if holding.since == ENDED:
        return _put_off(Ruling(ENDED, AT_ONCE, "GDPR 17(1)", ENDED, AT_ONCE), holding, seen)
    end = _struck(holding, purpose, seen, published)
    if (floor := _floor(holding, purpose, published, seen.today)) is not None:
        by = end or clocks.Due(floor[0], purpose.clock or FLOOR)
        return _put_off(Ruling(floor[0], FLOOR, floor[1], by.at, by.clock), holding, seen)
    if end is None:
        return None
    law = "GDPR 7(3), 17(1)(b), 21" if end.clock == AT_ONCE else "GDPR 5(1)(e)"
    return _put_off(Ruling(end.at, end.clock, law, end.at, end.clock), holding, seen)


def _struck(holding: Aged, purpose: Purpose, seen: Surroundings, published: Published) -> clocks.Due | None:
    """The strictest deadline: the clock of the purpose, and at once when the ground it stood on was taken away."""
    said = seen.standings.get(holding.purpose)
    life = _life(holding, seen, published, said.at if said and said.action != "granted" else None)
    found = []
    if purpose.clock and purpose.clock in published.policy.clocks:
        found.append(clocks.due(purpose.clock, published.policy.clocks[purpose.clock], life))
    if attended := seen.attended.get(holding.purpose):  # an event says itself how long after its end
        found.append(clocks.Due(attended.until.get(holding.field, attended.rest), purpose.clock or AT_ONCE))
    rests_on_will = purpose.basis in (Basis.CONSENT, Basis.LEGITIMATE_INTEREST)
    if not (rests_on_will and life.withdrawn):
        return clocks.strictest(found)
    first = clocks.strictest([*found, clocks.Due(life.withdrawn, AT_ONCE)])
    # Whichever came first, the person has said so themselves: no brake and no question stands in the way of that.
    return clocks.Due(first.at, AT_ONCE) if first else None


def _put_off(ruling: Ruling, holding: Aged, seen: Surroundings) -> Ruling:
    """The same, later: because the person was asked too late, because a law holds it, or because they want it kept."""
    at, by = ruling.at, ruling.clock
    grace = seen.graces.get(ruling.by)
    if by == ruling.by and at is not None and grace is not None and grace > at:
        ruling = Ruling(grace, by, ruling.law, ruling.end, ruling.by, asked=True)
    for hold in seen.holds:
        if not hold.covers(holding.field, holding.purpose, holding.market) or ruling.at is None:
            continue
        if hold.until is None or hold.until > ruling.at:
            ruling = Ruling(hold.until, HOLD, hold.citation, ruling.end, ruling.by)
    if seen.restricted:
        return Ruling(None, RESTRICTION, "GDPR 18(1)", ruling.end, ruling.by)
    if seen.asking and ruling.by != AT_ONCE and ruling.at is not None:
        return Ruling(None, REQUEST, "GDPR 12(3)", ruling.end, ruling.by)
    return ruling


def _floor(holding: Aged, purpose: Purpose, published: Published, today: date) -> tuple[datetime, str] | None:
    """From when the statute that keeps a record no longer does, and its section; None where no statute of the market keeps it."""
    if purpose.record is None or holding.market not in published.policy.markets:
        return None
    market = published.policy.markets[holding.market]
    ends = published.policy.controllers[market.controller].fiscal_year_end
    return _floor_of(market.law, purpose.record, ends, holding.since.astimezone(UTC), today)


def statute_of(purpose: str, market: str) -> str:
    """The section that keeps the records of a purpose in a market; empty where none does."""
    published, at = publication.current(), clock.now()
    declared, place = published.policy.purposes.get(purpose), published.policy.markets.get(market)
    if declared is None or declared.record is None or place is None:
        return ""
    ends = published.policy.controllers[place.controller].fiscal_year_end
    found = _floor_of(place.law, declared.record, ends, at, at.date())
    return found[1] if found else ""


@lru_cache(maxsize=4096)
def _floor_of(law: str, kind: str, ends: str, since: datetime, today: date) -> tuple[datetime, str] | None:
    pack = law_pack(law)
    zone = ZoneInfo(pack.zone)
    record = floors.record_of(kind, since.astimezone(zone).date(), ends)
    try:
        floor = floors.floor_of(pack, record, today)
    except Problem:  # the law of that day is not in the pack: its clock alone decides, and `lofte check` says so
        return None
    if floor is None or floor.keep_through is None:
        return None
    free = floor.keep_through + timedelta(days=1)
    return datetime(free.year, free.month, free.day, tzinfo=zone).astimezone(UTC), floor.citation


def _life(holding: Aged, seen: Surroundings, published: Published, withdrawn: datetime | None) -> clocks.Life:
    serving = [each for each in seen.relations if _serves(each, holding.purpose, published)]
    ended = [each.ended_at for each in serving if each.ended_at]
    attended = seen.attended.get(holding.purpose)
    return clocks.Life(
        since=max(holding.since, attended.since) if attended else holding.since, signals=seen.signals, withdrawn=withdrawn,
        relation_open=any(each.ended_at is None for each in serving), relation_ended=max(ended, default=None),
    )  # fmt: skip


def _serves(relation: Related, purpose: str, published: Published) -> bool:
    declared = published.policy.relations.get(relation.relation)
    return declared is not None and purpose in declared.purposes
