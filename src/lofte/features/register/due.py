"""When each holding of a person must be gone, by the clocks of the publication in force."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from lofte.core import ports
from lofte.features.register.models import Holding, Relation, Signal
from lofte.rules import clocks
from lofte.rules.model import Basis
from lofte.rules.published import Published

AT_ONCE = "withdrawal"


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Everything about a person that moves clocks."""

    signals: Mapping[str, datetime]
    relations: tuple[Relation, ...]
    standings: Mapping[str, ports.Standing]


def surroundings(person_id: UUID) -> Surroundings:
    return Surroundings(
        signals=dict(Signal.objects.of(person_id).values_list("kind", "at")),
        relations=tuple(Relation.objects.of(person_id)),
        standings=ports.consents().standings(person_id),
    )


def due_of(holding: Holding, seen: Surroundings, published: Published) -> clocks.Due | None:
    """The strictest deadline of a holding: the clock of its purpose, and at once when the ground it stood on was taken away."""
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


def _life(holding: Holding, seen: Surroundings, published: Published, withdrawn: datetime | None) -> clocks.Life:
    serving = [each for each in seen.relations if _serves(each, holding.purpose, published)]
    ended = [each.ended_at for each in serving if each.ended_at]
    return clocks.Life(
        since=holding.since, signals=seen.signals, withdrawn=withdrawn,
        relation_open=any(each.ended_at is None for each in serving), relation_ended=max(ended, default=None),
    )  # fmt: skip


def _serves(relation: Relation, purpose: str, published: Published) -> bool:
    declared = published.policy.relations.get(relation.relation)
    return declared is not None and purpose in declared.purposes
