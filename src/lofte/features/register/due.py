"""When each holding of a person must be gone, by the clocks of the publication in force."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from django.db import connections
from django.db.models import Field

from lofte.core import ports, publication
from lofte.core.retry import in_transaction
from lofte.features.register.models import Holding, Relation, Signal
from lofte.rules import clocks
from lofte.rules.model import Basis
from lofte.rules.published import Published

AT_ONCE = "withdrawal"


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Everything about a person that moves clocks. ``restricted`` stops them all: the person wants the data kept (GDPR 18(1))."""

    signals: Mapping[str, datetime]
    relations: tuple[Relation, ...]
    standings: Mapping[str, ports.Standing]
    restricted: bool = False


def surroundings(person_id: UUID) -> Surroundings:
    return Surroundings(
        signals=dict(Signal.objects.of(person_id).values_list("kind", "at")),
        relations=tuple(Relation.objects.of(person_id)),
        standings=ports.consents().standings(person_id),
        restricted=ports.is_restricted(person_id),
    )


@in_transaction
def refresh(people: Sequence[UUID]) -> int:
    """As `verbs.refresh_due` for many people at once, in a few statements; returns how many deadlines moved."""
    published, moved = publication.current(), list[tuple[Any, ...]]()
    around = _surroundings_of(people)
    connection = connections["default"]
    id_of, at_of = (_column(name).get_db_prep_value for name in ("id", "due_at"))
    rows = Holding.everyone.filter(person_id__in=people).values_list(
        "id", "person_id", "purpose", "since", "due_at", "clock", named=True
    )
    for row in rows:
        found = due_of(row, around[row.person_id], published)
        at, name = (found.at, found.clock) if found else (None, "")
        if (row.due_at, row.clock) != (at, name):
            moved.append((at_of(at, connection), name, id_of(row.id, connection), id_of(row.person_id, connection)))
    if moved:
        with connection.cursor() as cursor:
            cursor.executemany(
                "UPDATE register_holding SET due_at = %s, clock = %s WHERE id = %s AND person_id = %s", moved
            )
    return len(moved)


def _surroundings_of(people: Sequence[UUID]) -> Mapping[UUID, Surroundings]:
    signals: dict[UUID, dict[str, datetime]] = {each: {} for each in people}
    relations: dict[UUID, list[Relation]] = {each: [] for each in people}
    for person, kind, at in Signal.everyone.filter(person_id__in=people).values_list("person_id", "kind", "at"):
        signals[person][kind] = at
    for relation in Relation.everyone.filter(person_id__in=people):
        relations[relation.person_id].append(relation)
    said, restricted = ports.consents().standings_of(people), ports.restricted_of(people)
    return {
        each: Surroundings(signals[each], tuple(relations[each]), said.get(each, {}), each in restricted)
        for each in people
    }


class Aged(Protocol):
    """As much of a holding as its deadline follows from."""

    @property
    def purpose(self) -> str: ...
    @property
    def since(self) -> datetime: ...


def due_of(holding: Aged, seen: Surroundings, published: Published) -> clocks.Due | None:
    """The strictest deadline of a holding: the clock of its purpose, and at once when the ground it stood on was taken away."""
    if seen.restricted:
        return None
    purpose = published.policy.purposes.get(holding.purpose)
    if purpose is None:  # the policy no longer knows the purpose: nothing may be kept for it
        return clocks.Due(holding.since, "undeclared")
    said = seen.standings.get(holding.purpose)
    life = _life(holding, seen, published, said.at if said and said.action != "granted" else None)
    found = []
    if purpose.clock and purpose.clock in published.policy.clocks:
        found.append(clocks.due(purpose.clock, published.policy.clocks[purpose.clock], life))
    rests_on_will = purpose.basis in (Basis.CONSENT, Basis.LEGITIMATE_INTEREST)
    if rests_on_will and life.withdrawn:
        found.append(clocks.Due(life.withdrawn, AT_ONCE))
    return clocks.strictest(found)


def _life(holding: Aged, seen: Surroundings, published: Published, withdrawn: datetime | None) -> clocks.Life:
    serving = [each for each in seen.relations if _serves(each, holding.purpose, published)]
    ended = [each.ended_at for each in serving if each.ended_at]
    return clocks.Life(
        since=holding.since, signals=seen.signals, withdrawn=withdrawn,
        relation_open=any(each.ended_at is None for each in serving), relation_ended=max(ended, default=None),
    )  # fmt: skip


def _serves(relation: Relation, purpose: str, published: Published) -> bool:
    declared = published.policy.relations.get(relation.relation)
    return declared is not None and purpose in declared.purposes


def _column(name: str) -> "Field[Any, Any]":
    return next(field for field in Holding._meta.concrete_fields if field.name == name)
