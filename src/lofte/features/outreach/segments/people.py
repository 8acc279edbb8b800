"""Who could be in a segment, and what is known of them as far as it asks: in batches, for its purpose, with a look for each."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from lofte.core import decisions, ports
from lofte.core.publication import current
from lofte.features.outreach import topics
from lofte.features.outreach.segments import sources
from lofte.features.outreach.segments.matching import Condition, Known, matches

BY = "segments"
"""Under which name the looks stand."""
_NOBODY = frozenset[str]()


def candidates(purpose: str, conditions: Sequence[Condition], after: UUID | None, limit: int) -> list[UUID]:
    """The next people who could match, in order of id: those of the relations it asks for, else all with data for the purpose."""
    related = next((each for each in conditions if each.of == "relation" and not each.without), None)
    if related is None:
        return ports.register().people_for(purpose, after, limit)
    asked = next((each.values for each in conditions if each.of == "market" and not each.without), None)
    found: set[UUID] = set()
    for market in asked or tuple(current().policy.markets):
        found.update(ports.register().people_in(related.values, market, after, limit))
    return sorted(found)[:limit]


def within(
    people: Sequence[UUID], purpose: str, conditions: Sequence[Condition], at: datetime, *, by: str = BY
) -> list[UUID]:
    """Those of these people who are in it, in the order given."""
    known = known_of(people, purpose, conditions, by=by)
    return [each for each in people if each in known and matches(conditions, known[each], at)]


def known_of(
    people: Sequence[UUID],
    purpose: str,
    conditions: Sequence[Condition],
    *,
    by: str = BY,
    own: ports.OwnFacts | None = None,
) -> dict[UUID, Known]:
    """What the conditions ask about each. Where they read data, whoever the purpose may not see is left out, whatever they ask.

    ``own`` is what somebody who looks at themself was shown already: it is not read, nor looked at, again.
    """
    uses = sorted({each.uses for each in conditions if each.uses})
    asks = {each.of for each in conditions}
    register = ports.register()
    values: Mapping[UUID, Mapping[str, str]] = {each: {} for each in people}
    if own is not None and uses:
        said = ports.consents().standings_of(people)
        values = {
            each: own.values.get(purpose, {})
            for each in people
            if decisions.decide(current(), purpose, uses, said.get(each, {}), restricted=own.is_restricted).allowed
        }
    elif uses:
        values = register.values_of(people, purpose, uses, by=by)
    there = list(values)
    everything = topics.of_market(purpose=purpose)  # who has chosen no topic reads about them all
    related = register.relations_of(there) if asks & {"market", "locale", "relation"} else {}
    signals: Mapping[UUID, Mapping[str, datetime]] = {}
    if "interest" in asks:
        signals = register.signals_of(there) if own is None else dict.fromkeys(there, own.signals)
    events = sources.asked_of("event", there) if "event" in asks else {}
    materials = sources.asked_of("material", there) if "material" in asks else {}
    return {
        each: Known(
            markets=frozenset(one.market for one in related.get(each, ())),
            locales=frozenset(one.locale for one in related.get(each, ())),
            relations=frozenset(one.relation for one in related.get(each, ())),
            topics=frozenset(topics.said(values[each].get(topics.FIELD, "")) or everything),
            interests=signals.get(each, {}), events=events.get(each, _NOBODY), materials=materials.get(each, _NOBODY),
            values=values[each],
        )
        for each in there
    }  # fmt: skip
