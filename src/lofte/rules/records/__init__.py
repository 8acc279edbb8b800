"""Records of processing activities (GDPR 30(1)), drawn from a publication and from what is on file: nobody writes them by hand.

One record a market, since each market has its controller and its law. `activities` says what is done; `table` and `jsonld` give it
form. What is on file is handed in: agreements as `Going`, transfer tools as `Safeguard`.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from lofte.rules.checks.transfers import needs_tool
from lofte.rules.model import Basis, Binding, MarketId, Policy, Purpose, Recipient
from lofte.rules.packs import law_pack
from lofte.rules.published import Published

LETTER = {
    Basis.CONSENT: "a",
    Basis.CONTRACT: "b",
    Basis.LEGAL_OBLIGATION: "c",
    Basis.VITAL_INTERESTS: "d",
    Basis.PUBLIC_TASK: "e",
    Basis.LEGITIMATE_INTEREST: "f",
}
"""The letter of article 6(1) behind each basis."""

MEASURES = ("encryption", "keys", "access", "looks", "factor", "gate", "log", "erasure")
"""What secures the data (GDPR 30(1)(g), 32(1)), as this installation does it. Words: records.measure.<name>."""


@dataclass(frozen=True, slots=True)
class Going:
    """An agreement by which data goes to a recipient for some purposes."""

    recipient: str
    purposes: frozenset[str]
    country: str
    until: date | None


@dataclass(frozen=True, slots=True)
class Safeguard:
    """A transfer tool on file: ``kind`` as in `core.country.Kind`."""

    recipient: str
    country: str
    kind: str
    reference: str
    until: date | None


@dataclass(frozen=True, slots=True)
class Sending:
    """One transfer out of the free area: to whom, where, and by what. ``tool`` is empty where nothing is on file."""

    recipient: str
    country: str
    tool: str
    reference: str
    until: date | None


@dataclass(frozen=True, slots=True)
class Activity:
    """One purpose in one market: what article 30(1)(b) to (f) asks.

    ``people`` are relations, or ``visitor`` where it is about browsers; ``clocks`` say until when it is kept.
    """

    purpose: str
    basis: Basis
    scope: str
    people: tuple[str, ...]
    fields: tuple[str, ...]
    recipients: tuple[str, ...]
    systems: tuple[str, ...]
    sendings: tuple[Sending, ...]
    clocks: tuple[str, ...]

    @property
    def law(self) -> str:
        return f"GDPR 6(1)({LETTER[self.basis]})"


def activities(
    published: Published, market: MarketId, going: Iterable[Going] = (), safeguards: Iterable[Safeguard] = ()
) -> tuple[Activity, ...]:
    """Everything done in a market, in the order of the policy."""
    policy, agreed, kept = published.policy, tuple(going), tuple(safeguards)
    return tuple(_activity(policy, market, key, agreed, kept) for key in policy.purposes)


def _activity(
    policy: Policy, market: MarketId, key: str, going: Sequence[Going], safeguards: Sequence[Safeguard]
) -> Activity:
    purpose = policy.purposes[key]
    recipients = _recipients(policy, market, key, going)
    return Activity(
        purpose=key,
        basis=purpose.basis,
        scope=purpose.scope,
        people=_people(policy, key, purpose),
        fields=tuple(purpose.fields),
        recipients=recipients,
        systems=tuple(name for name, system in policy.systems.items() if set(system.fields) & set(purpose.fields)),
        sendings=tuple(_sendings(policy, market, key, recipients, going, safeguards)),
        clocks=_clocks(policy, key, purpose),
    )


def _people(policy: Policy, key: str, purpose: Purpose) -> tuple[str, ...]:
    """The relations the purpose belongs to; a purpose the law imposes meets everybody."""
    if purpose.scope == "browser":
        return ("visitor",)
    named = tuple(name for name, relation in policy.relations.items() if key in relation.purposes)
    return named or tuple(policy.relations)


def _clocks(policy: Policy, key: str, purpose: Purpose) -> tuple[str, ...]:
    if purpose.clock:
        return (purpose.clock,)
    named = [relation.clock for relation in policy.relations.values() if key in relation.purposes]
    return tuple(dict.fromkeys(named))


def _recipients(policy: Policy, market: MarketId, key: str, going: Sequence[Going]) -> tuple[str, ...]:
    """Who may receive data for a purpose: by its systems, tags and cookies, by agreement, or because a promise says so."""
    purpose = policy.purposes[key]
    found: list[str] = []
    if purpose.scope == "person":
        found += [
            system.recipient
            for system in policy.systems.values()
            if system.recipient and set(system.fields) & set(purpose.fields)
        ]
    found += [tag.recipient for tag in policy.tags.values() if tag.purpose == key]
    found += [
        cookie.provider for cookie in policy.cookies.values() if cookie.purpose == key and cookie.provider != "self"
    ]
    found += [each.recipient for each in going if key in each.purposes]
    found += [name for binding in _bindings(policy) if key in _said(binding) for name in _named(binding)]
    met = (name for name in dict.fromkeys(found) if name in policy.recipients)
    return tuple(name for name in met if _is_met(policy.recipients[name], market))


def _is_met(recipient: Recipient, market: MarketId) -> bool:
    return not recipient.markets or market in recipient.markets


def _bindings(policy: Policy) -> Iterator[Binding]:
    for promise in policy.promises.values():
        yield from promise.controls


def _said(binding: Binding) -> frozenset[str]:
    """The purposes a control speaks of."""
    one, many = binding.parameters.get("purpose", ""), binding.parameters.get("purposes", ())
    return frozenset(each for each in (one, *many) if isinstance(each, str))


def _named(binding: Binding) -> list[str]:
    return [each for each in binding.parameters.get("recipients", ()) if isinstance(each, str)]


def _sendings(
    policy: Policy,
    market: MarketId,
    key: str,
    recipients: Sequence[str],
    going: Sequence[Going],
    kept: Sequence[Safeguard],
) -> Iterator[Sending]:
    pack = law_pack(policy.markets[market].law)
    for name in recipients:
        recipient = policy.recipients[name]
        declared = {each.country: each for each in recipient.transfers}
        agreed = [each.country for each in going if each.recipient == name and key in each.purposes]
        for country in dict.fromkeys([recipient.country, *declared, *agreed]):
            if not needs_tool(pack, country):
                continue
            on_file = [each for each in kept if (each.recipient, each.country) == (name, country)]
            if on_file:
                yield from (Sending(name, country, each.kind, each.reference, each.until) for each in on_file)
            elif country in declared:
                said = declared[country]
                until = date.fromisoformat(said.valid_to) if said.valid_to else None
                yield Sending(name, country, said.tool.value, said.reference, until)
            else:
                yield Sending(name, country, "", "", None)
