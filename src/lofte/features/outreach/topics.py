"""What people can read about: the topics of the policy in a market, and which of them somebody wants.

A choice is kept as one value of the field ``topics``, separated by commas: ``product`` for the letter by e-mail, ``product.sms``
for another channel. No choice means every topic.
"""

from collections.abc import Iterable, Sequence
from uuid import UUID

from lofte.core import ports, publication
from lofte.kernel.problems import Place, Problem
from lofte.rules.model import Policy

FIELD = "topics"
EMAIL = "email"
ANYWHERE = ""


def of_market(market: str = ANYWHERE, purpose: str = "", channel: str = EMAIL) -> tuple[str, ...]:
    """The topics offered in a market (everywhere when empty), in the order of their ids: a publication keeps no other."""
    return tuple(sorted(_offered(publication.current().policy, market, purpose, channel)))


def _offered(policy: Policy, market: str, purpose: str, channel: str) -> list[str]:
    return [
        key
        for key, each in policy.topics.items()
        if channel in each.channels
        and (not market or not each.markets or market in each.markets)
        and (not purpose or each.purpose == purpose)
    ]


def demand(
    topics: Iterable[str], market: str = ANYWHERE, purpose: str = "", channel: str = EMAIL
) -> list[str]:  # fmt: skip
    """These topics, each once. Raises Problem `form.bad-value` for one that is not offered there."""
    wanted = list(dict.fromkeys(topics))
    known = of_market(market, purpose, channel)
    if stray := [each for each in wanted if each not in known]:
        raise Problem("form.bad-value", "there is no such topic", Place(key=stray[0][:64]), status=422)
    return wanted


def said(value: str, channel: str = EMAIL) -> tuple[str, ...]:
    """The topics a kept choice names for a channel."""
    parts = (each.partition(".") for each in value.split(",") if each)
    return tuple(topic for topic, _, over in parts if (over or EMAIL) == channel)


def wants(value: str, topic: str, channel: str = EMAIL) -> bool:
    """Whether a kept choice holds a topic; one that names nothing for the channel holds them all."""
    chosen = said(value, channel)
    return not chosen or topic in chosen


def chosen_by(person_id: UUID, purpose: str, *, by: str, channel: str = EMAIL) -> tuple[str, ...]:
    """What a subscriber chose; nothing chosen means every topic of the purpose."""
    kept = ports.register().read(person_id, purpose, (FIELD,), by=by).get(FIELD, "")
    return said(kept, channel) or of_market(_market_of(person_id)[0], purpose, channel)


def choose(
    person_id: UUID, purpose: str, topics: Sequence[str], *, source: str, by: str, channel: str = EMAIL
) -> tuple[str, ...]:
    """Replace what somebody wants to read over one channel; the other channels stay. An empty choice means all topics."""
    market, locale = _market_of(person_id)
    wanted = demand(topics, market, purpose, channel) or list(of_market(market, purpose, channel))
    kept = ports.register().read(person_id, purpose, (FIELD,), by=by).get(FIELD, "")
    others = [each for each in kept.split(",") if each and (each.partition(".")[2] or EMAIL) != channel]
    ours = [each if channel == EMAIL else f"{each}.{channel}" for each in wanted]
    ports.register().keep(
        person_id, {FIELD: ",".join([*ours, *others])}, purpose, source=source, market=market, locale=locale
    )
    return tuple(wanted)


def _market_of(person_id: UUID) -> tuple[str, str]:
    return ports.register().market_of(person_id) or ("", "")
