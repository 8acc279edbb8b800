"""How long a link lives, how long it is remembered that somebody asked, and what the decision says of using either."""

from datetime import timedelta
from uuid import UUID

from lofte.core import clock, ports, publication
from lofte.core.decisions import Act, Question, table
from lofte.rules import clocks

CONTROL = "materials_by_grant"
LINK_VALID = "P7D"  # where no promise says how long
KEPT = "P24M"  # where the purpose has no period of its own


def link_valid() -> str:
    """How long a link works: the shortest period a promise names."""
    promised = [
        str(each.parameters["link_valid"])
        for promise in publication.current().policy.promises.values()
        for each in promise.controls
        if each.control == CONTROL and each.parameters.get("link_valid")
    ]
    return min(promised, key=_lasts, default=LINK_VALID)


def link_lasts() -> timedelta:
    return _lasts(link_valid())


def kept(purpose: str) -> str:
    """How long it is remembered that somebody asked: as long as the clock of its purpose runs."""
    policy = publication.current().policy
    declared = policy.purposes.get(purpose)
    its_clock = policy.clocks.get(declared.clock or "") if declared else None
    return (its_clock.period if its_clock else None) or KEPT


def may(act: Act, person_id: UUID, purpose: str, market: str) -> bool:
    """What `decide` says of writing to this person, or of giving them the file, at this moment: an objection stops both."""
    question = Question(act, purpose, frozenset({"email"}), market=market)
    answered = table().answer(
        question, ports.consents().standings(person_id), ports.is_restricted(person_id), clock.now()
    )
    return answered.allowed


def _lasts(period: str) -> timedelta:
    at = clock.now()
    return clocks.add_period(at, period) - at
