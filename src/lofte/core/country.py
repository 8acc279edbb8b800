"""May data leave for that country and recipient today? The law packs' rule over what is on file here. Pure.

What is on file comes from two places: the published policy (clauses with the day they were assessed) and `core.gates`, where
staff record listings, clauses, confirmations and stops with their proof. A listing counts only with a dated proof of its own:
that the policy says *listed* lets nothing out. Unknown denies.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from types import MappingProxyType

from lofte.rules.model import MarketId, Policy, TransferTool
from lofte.rules.packs import law_pack
from lofte.rules.ruling import Ruling
from lofte.rules.transfers import Instrument, Listing, Shipment, may_send


class Kind(StrEnum):
    """What can be on file."""

    LISTING = "listing"  # the recipient stood on the Data Privacy Framework list
    CLAUSES = "clauses"  # standard clauses, GDPR 46(2)(c)
    RULES = "rules"  # binding corporate rules, GDPR 47
    SCOPE = "scope"  # what a decision's scope asks of the recipient is met (PIPEDA, LGPD, ...)
    CONFIRMATION = "confirmation"  # counsel confirmed a decision whose standing here is unsure
    STOP = "stop"  # from this day a decision is no longer relied on, whatever the Official Journal says


@dataclass(frozen=True, slots=True)
class OnFile:
    """One thing on file. ``since`` and ``until`` are its first and last day, both included; no ``until`` is open.

    ``reference`` names the list entry, the clauses or the decision; ``facts`` are what a scope asks (``subject_to: PIPEDA``).
    Without ``recipient`` it is about a decision and holds for every recipient (confirmation, stop).
    """

    kind: Kind
    since: date
    until: date | None = None
    recipient: str = ""
    country: str = ""
    reference: str = ""
    assessed: date | None = None
    covers_hr: bool = False
    uk_since: date | None = None
    uk_until: date | None = None
    facts: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    def holds(self, on: date) -> bool:
        return self.since <= on and (self.until is None or on <= self.until)


def may_leave(
    policy: Policy,
    on_file: Sequence[OnFile],
    market: MarketId,
    recipient: str,
    country: str,
    on: date,
    *,
    is_hr: bool = False,
) -> Ruling:
    """Whether data of this market may go to a recipient in a country on a day, by what, and by which law.

    The exporter is the market's controller, so the market's law pack rules.
    """
    pack = law_pack(policy.markets[market].law)
    about = [each for each in on_file if each.recipient in ("", recipient) and each.country in ("", country)]
    stops = {each.reference: each.since for each in about if each.kind is Kind.STOP and each.holds(on)}
    shipment = Shipment(
        country=country,
        facts={name: said for each in about if each.kind is Kind.SCOPE and each.holds(on) for name, said in each.facts.items()},
        is_hr=is_hr,
        listing=_listing(about, on),
        instruments=[*_declared(policy, recipient, country), *_recorded(about)],
        confirmed=frozenset(each.reference for each in about if each.kind is Kind.CONFIRMATION and each.holds(on)),
    )  # fmt: skip
    return may_send(pack, shipment, on, stops)


def countries_of(policy: Policy, recipient: str) -> tuple[str, ...]:
    """Where a recipient takes data, as the policy tells people: its own country, then every declared transfer."""
    declared = policy.recipients[recipient]
    return tuple(dict.fromkeys([declared.country, *(each.country for each in declared.transfers)]))


def _listing(about: Sequence[OnFile], on: date) -> Listing | None:
    """The listing that holds on the day; else the last one, so that the answer says *lapsed* and not *never*."""
    listings = sorted(
        (each for each in about if each.kind is Kind.LISTING), key=lambda each: (each.holds(on), each.since)
    )
    if not listings:
        return None
    found = listings[-1]
    return Listing(found.since, found.until or found.since, found.covers_hr, found.uk_since, found.uk_until)


_TOOLS = {Kind.CLAUSES: TransferTool.SCC, Kind.RULES: TransferTool.BCR}


def _recorded(about: Sequence[OnFile]) -> list[Instrument]:
    return [
        Instrument(_TOOLS[each.kind], each.since, each.assessed, each.until) for each in about if each.kind in _TOOLS
    ]


def _declared(policy: Policy, recipient: str, country: str) -> list[Instrument]:
    """Clauses and rules the publication itself carries, from the day it says they were assessed."""
    return [
        Instrument(each.tool, date.fromisoformat(each.assessed), date.fromisoformat(each.assessed), _day(each.valid_to))
        for each in policy.recipients[recipient].transfers
        if each.country == country and each.tool in _TOOLS.values() and each.assessed
    ]


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None
