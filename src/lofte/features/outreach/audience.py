"""Whom a campaign goes to, and why not to the others: decided for a stretch of people at once, at the moment of sending."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from lofte.core import clock, decisions, ports, publication
from lofte.core.decisions import Act, Decision, Question
from lofte.core.mailing import suppression
from lofte.features.outreach import topics
from lofte.features.outreach.models import Campaign, Delivery
from lofte.features.outreach.segments import reads as segments
from lofte.rules.addresses import who
from lofte.rules.clocks import add_period
from lofte.rules.marketing import Approach, Channel
from lofte.rules.model import OwnCustomers, Policy

BY = "outreach"
_FIELDS = ("email", "company", topics.FIELD)
_READ = 200
TOO_OFTEN = "too-often"


@dataclass(frozen=True, slots=True)
class Stretch:
    """The next people, the last one looked at, and whether there are more."""

    people: list[UUID]
    last: UUID | None
    is_end: bool
    looked: int


@dataclass(frozen=True, slots=True)
class Reached:
    """Somebody the letter goes to."""

    person_id: UUID
    address: str
    market: str
    locale: str


@dataclass(frozen=True, slots=True)
class Refused:
    """Somebody it does not go to; ``is_skipped`` where it is not for them anyway."""

    person_id: UUID
    reason: str
    is_skipped: bool = False


def after(campaign: Campaign, place: UUID | None, limit: int = _READ) -> Stretch:
    """The next people who may be meant: those of the segment, or everybody with anything held for the purpose."""
    if campaign.segment is not None:
        found = segments.stretch_after(campaign.segment, place, limit)
        return Stretch(found.people, found.last, found.is_end, found.looked)
    people = ports.register().people_for(campaign.purpose, place, limit)
    return Stretch(people, people[-1] if people else place, len(people) < limit, len(people))


def decided(campaign: Campaign, people: Sequence[UUID], *, is_capped: bool = True) -> list[Reached | Refused]:
    """Each of these people, with the address it goes to or why it does not: consent, the law of their market, what they chose."""
    judge = _Judge(campaign, people, is_capped=is_capped)
    return [judge.one(person) for person in people]


class _Judge:
    """What is known of a stretch of people, read once."""

    def __init__(self, campaign: Campaign, people: Sequence[UUID], *, is_capped: bool) -> None:
        self._campaign, self._at = campaign, clock.now()
        self._policy: Policy = publication.current().policy
        self._table = decisions.table()
        self._said = ports.consents().standings_of(people)
        self._restricted = ports.restricted_of(people)
        self._fields = frozenset(_FIELDS) & frozenset(self._policy.purposes[campaign.purpose].fields)
        self._may = {each: self._answer(each, Act.USE) for each in people}
        allowed = [each for each in people if self._may[each].allowed]
        register = ports.register()
        self._held: Mapping[UUID, Mapping[str, str]] = (
            register.values_of(allowed, campaign.purpose, self._fields, by=BY) if allowed else {}
        )
        self._relations = register.relations_of(allowed) if allowed else {}
        self._stops = suppression.stops_of(allowed)
        self._exception = next(
            (each for each in self._policy.outreach.own_customers if each.purpose == campaign.purpose), None
        )
        self._letters = _lately(allowed, self._policy, self._at) if is_capped else {}

    def one(self, person: UUID) -> Reached | Refused:
        if not self._may[person].allowed:
            return Refused(person, self._may[person].reason)
        held = self._held.get(person, {})
        market, locale = self._place(person)
        if why := self._not_for(held, market):
            return Refused(person, why, is_skipped=True)
        if not held.get("email"):
            return Refused(person, "no-address")
        may = self._answer(person, Act.SEND, market, self._approach(person, held))
        if not may.allowed:
            return Refused(person, may.reason)
        address = held["email"]
        if stop := self._stops.get((person, suppression.EVERYWHERE)) or self._stops.get(
            (person, suppression.hash_of(address))
        ):
            return Refused(person, stop)
        if self._is_enough(person):
            return Refused(person, TOO_OFTEN)
        if not self._campaign.contents.get(locale, {}).get("text"):
            return Refused(person, "no-translation")
        return Reached(person, address, market, locale)

    def _answer(self, person: UUID, act: Act, market: str = "", approach: Approach | None = None) -> Decision:
        question = Question(
            act, self._campaign.purpose, self._fields & {"email"}, market=market, approach=approach, channel=Channel.EMAIL.value
        )  # fmt: skip
        return self._table.answer(question, self._said.get(person, {}), person in self._restricted, self._at)

    def _place(self, person: UUID) -> tuple[str, str]:
        related = self._relations.get(person)
        if related:
            return related[0].market, related[0].locale
        return ports.register().market_of(person) or ("", "")

    def _not_for(self, held: Mapping[str, str], market: str) -> str:
        declared = self._policy.topics.get(self._campaign.topic)
        offered = self._campaign.markets or (declared.markets if declared else [])
        if offered and market not in offered:
            return "other-market"
        return "" if topics.wants(held.get(topics.FIELD, ""), self._campaign.topic) else "other-topic"

    def _approach(self, person: UUID, held: Mapping[str, str]) -> Approach:
        """What can be shown of the address. What cannot is left out, and the law then says no."""
        bought = self._bought(person, self._exception) if self._exception else None
        offered = date.fromisoformat(self._exception.no_offered_from) if self._exception else None
        return Approach(
            Channel.EMAIL, who(held["email"], held.get("company", "")), address_from="sale" if bought else "",
            address_obtained=bought, own_similar=self._exception is not None,
            optout_at_collection=bool(bought and offered and bought >= offered),
            optout_in_message=True, sender_shown=True, postal_address=True,  # `mail.MarketingLetter` and the foot of each letter
        )  # fmt: skip

    def _bought(self, person: UUID, exception: OwnCustomers) -> date | None:
        since = [each.since for each in self._relations.get(person, ()) if each.relation == exception.relation]
        return min(since).date() if since else None

    def _is_enough(self, person: UUID) -> bool:
        frequency = self._policy.outreach.frequency
        return frequency is not None and self._letters.get(person, 0) >= frequency.letters


def _lately(people: Sequence[UUID], policy: Policy, at: datetime) -> Mapping[UUID, int]:
    """How many letters each was sent within the period of the policy."""
    frequency = policy.outreach.frequency
    if frequency is None or not people:
        return {}
    longest = add_period(at, frequency.per) - at + timedelta(days=3)  # months are not equally long
    rows = Delivery.everyone.filter(person_id__in=people, state=Delivery.State.QUEUED, at__gt=at - longest)
    sent = rows.values_list("person_id", "at")
    return Counter(person for person, when in sent if add_period(when, frequency.per) > at)
