"""What the clocks will take, and when: for whoever warns, brakes, foretells and explains. Counts and handles, no value."""

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, date, datetime
from uuid import UUID

from django.db.models import Count, Exists, Max, Min, OuterRef, Q
from django.db.models.functions import TruncDate

from lofte.core import ports, publication
from lofte.features.register import due
from lofte.features.register.models import Holding

_SPARE = (due.HOLD, due.RESTRICTION, due.REQUEST)
_PAGE = 2_000  # people looked at in one go


def striking(at: datetime, without: Collection[str] = ()) -> int:
    """How many people have something that must be gone by now, by other clocks than these."""
    rows = Holding.everyone.filter(due_at__lte=at).exclude(clock__in=list(without))
    return int(rows.aggregate(people=Count("person_id", distinct=True))["people"])


def struck_people(at: datetime, without: Collection[str], after: UUID | None, limit: int) -> list[UUID]:
    """The next of those people, in order of id; pass the last one to go on."""
    rows = Holding.everyone.filter(due_at__lte=at).exclude(clock__in=list(without))
    if after is not None:
        rows = rows.filter(person_id__gt=after)
    return list(rows.order_by("person_id").values_list("person_id", flat=True).distinct()[:limit])


def ends_of(people: Sequence[UUID], at: datetime) -> Mapping[UUID, Mapping[str, datetime]]:
    """By which clocks something of each of these people must be gone by now, and since when."""
    found: dict[UUID, dict[str, datetime]] = {}
    rows = Holding.everyone.filter(person_id__in=people, due_at__lte=at).order_by()
    for person, name, end in rows.values_list("person_id", "clock").annotate(end=Min("due_at")):
        found.setdefault(person, {})[name] = end
    return found


def ending(
    name: str, since: datetime, until: datetime, after: UUID | None, limit: int
) -> list[tuple[UUID, datetime]]:  # fmt: skip
    """The next people of whom this clock takes something between two instants, in order of id, with when it first does."""
    rows = Holding.everyone.filter(clock=name, due_at__gt=since, due_at__lte=until)
    if after is not None:
        rows = rows.filter(person_id__gt=after)
    return list(rows.order_by("person_id").values_list("person_id").annotate(end=Min("due_at"))[:limit])


def purposes_ending(person_id: UUID, name: str, until: datetime) -> tuple[list[str], bool]:
    """For which purposes this clock takes something of a person by then, and whether that is all there is of them."""
    rows = Holding.objects.of(person_id)
    ends = rows.filter(clock=name, due_at__lte=until)
    purposes = sorted(set(ends.values_list("purpose", flat=True)))
    return purposes, not rows.filter(Q(due_at__gt=until) | Q(due_at__isnull=True)).exists()


def waiting_for_answers(limit: int) -> list[UUID]:
    """People whose clocks stand because they wait for the answer to a request: it may have been given since."""
    rows = Holding.everyone.filter(clock=due.REQUEST).order_by("person_id").values_list("person_id", flat=True)
    return list(rows.distinct()[:limit])


# --- the forecast ---------------------------------------------------------------------------------------------------


def calendar(until: datetime) -> list[ports.DueDay]:
    """By day and clock, how many holdings of how many people go until then. Days are counted in UTC."""
    rows = Holding.everyone.filter(due_at__lte=until).annotate(day=TruncDate("due_at", tzinfo=UTC))
    counted = rows.values("day", "clock").annotate(people=Count("person_id", distinct=True), holdings=Count("id"))
    return [
        ports.DueDay(each["day"], each["clock"], each["people"], each["holdings"])
        for each in counted.order_by("day", "clock")
    ]


def departures(until: datetime) -> Mapping[date, int]:
    """By day, how many people go whole until then: on the day the last of what is held of them goes."""
    more = Holding.everyone.filter(person_id=OuterRef("person_id")).filter(Q(due_at__gt=until) | Q(due_at__isnull=True))
    rows = Holding.everyone.filter(~Exists(more), due_at__lte=until).order_by().values_list("person_id")
    days: dict[date, int] = {}
    for _, last in rows.annotate(last=Max("due_at")).iterator():
        day = last.astimezone(UTC).date()
        days[day] = days.get(day, 0) + 1
    return days


def keepers(until: datetime) -> Mapping[tuple[str, str], int]:
    """Of people who lose something by then and stay: by the rule on the row and its law, how many have more that it keeps.

    What spares somebody whose time is up is `put_off`.
    """
    goes = Holding.everyone.filter(person_id=OuterRef("person_id"), due_at__lte=until)
    rows = Holding.everyone.filter(Exists(goes)).filter(Q(due_at__gt=until) | Q(due_at__isnull=True)).order_by()
    rows = rows.exclude(clock__in=_SPARE)
    found = dict(rows.exclude(clock=due.FLOOR).values_list("clock").annotate(people=Count("person_id", distinct=True)))
    kept: dict[tuple[str, str], int] = {(rule, ""): people for rule, people in found.items()}
    recorded = rows.filter(clock=due.FLOOR).values_list("purpose", "market")
    for purpose, market, people in recorded.annotate(people=Count("person_id", distinct=True)):
        key = (due.FLOOR, due.statute_of(purpose, market))
        kept[key] = kept.get(key, 0) + people
    return kept


def put_off(until: datetime) -> tuple[Mapping[tuple[str, str], int], int]:
    """People whose clock would take something by then and who are spared: by the rule that spares them and its law, and in all."""
    published, found, all_of_them = publication.current(), dict[tuple[str, str], int](), 0
    rows = Holding.everyone.filter(clock__in=(due.HOLD, due.RESTRICTION, due.REQUEST)).filter(
        Q(due_at__gt=until) | Q(due_at__isnull=True)
    )
    after: UUID | None = None
    while True:
        page = rows if after is None else rows.filter(person_id__gt=after)
        people = list(page.order_by("person_id").values_list("person_id", flat=True).distinct()[:_PAGE])
        if not people:
            return found, all_of_them
        around = due.surroundings_of(people)
        reasons: dict[UUID, set[tuple[str, str]]] = {}
        for row in rows.filter(person_id__in=people).defer("sealed"):
            ruling = due.ruling_of(row, around[row.person_id], published)
            if ruling and ruling.end <= until and ruling.clock in due.PUTS_OFF:
                reasons.setdefault(row.person_id, set()).add((ruling.clock, ruling.law))
        all_of_them += len(reasons)
        for each in reasons.values():
            for reason in each:
                found[reason] = found.get(reason, 0) + 1
        after = people[-1]


# --- why ------------------------------------------------------------------------------------------------------------


def why(person_id: UUID) -> list[ports.Why]:
    """Of everything that is held of a person: when it goes, by which rule, by which law. What goes first stands first."""
    published, around = publication.current(), due.surroundings(person_id)
    found = []
    for row in Holding.objects.of(person_id).defer("sealed"):
        ruling = due.ruling_of(row, around, published)
        waits_for = "" if ruling else _waits_for(row, around.relations)
        found.append(
            ports.Why(
                holding=row.id, field=row.field, purpose=row.purpose, market=row.market, since=row.since,
                due=ruling.at if ruling else None, rule=ruling.clock if ruling else waits_for, law=ruling.law if ruling else "",
                clock=ruling.by if ruling else str(published.policy.purposes[row.purpose].clock or ""),
                end=ruling.end if ruling else None, asked=ruling.asked if ruling else False,
            )
        )  # fmt: skip
    return sorted(found, key=lambda each: (each.due is None, each.due or each.since, each.purpose, each.field))


def _waits_for(row: Holding, relations: Sequence[due.Related]) -> str:
    return "relation" if any(each.ended_at is None for each in relations) else ""
