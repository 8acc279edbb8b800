"""Makes a canary somebody the company deals with: contacted, a customer, spoken with. What is tried on it is tried on a whole
person.
"""

from collections.abc import Iterator
from uuid import UUID

from lofte.core import clock
from lofte.features.register import verbs as register
from lofte.rules.model import Basis, Policy

_SOURCE = "probe"
_GROUNDS = (Basis.CONTRACT, Basis.LEGITIMATE_INTEREST)  # what the company does by itself; consents the canary gives


def relation_of(policy: Policy, control_id: str = "customer_fields_declared") -> str:
    """The relation that a promise about customers speaks of; empty when the policy has none."""
    bound = (one for promise in policy.promises.values() for one in promise.controls if one.control == control_id)
    named = next((str(one.parameters.get("relation", "")) for one in bound), "")
    return named if named in policy.relations else ""


def purposes_of(policy: Policy, relation: str) -> tuple[str, ...]:
    """The purposes an agreement with somebody in this relation rests on."""
    declared = policy.relations.get(relation)
    return tuple(key for key in (declared.purposes if declared else ()) if policy.purposes[key].basis is Basis.CONTRACT)


def interests_of(policy: Policy) -> tuple[str, ...]:
    """Purposes that rest on a legitimate interest and that people stand under by being in some relation."""
    meant = {key for relation in policy.relations.values() for key in relation.purposes}
    return tuple(key for key, one in policy.purposes.items() if key in meant and one.basis is Basis.LEGITIMATE_INTEREST)


def sample(mark: str, address: str, name: str) -> dict[str, str]:
    """One telling value for each field the register could hold; nobody else has them."""
    return {
        "email": address,
        "name": name,
        "company": f"Canary {mark} Works",
        "title": f"Canary {mark} Keeper",
        "role": f"Canary {mark} Listener",
        "dialogue": f"Canary {mark} asked whether promises are kept here.",
    }


def furnish(policy: Policy, person_id: UUID, values: dict[str, str], market: str, locale: str) -> list[tuple[str, str]]:
    """Put the canary into the relation, with every declared field of it; returns what the register holds now beyond before."""
    relation = relation_of(policy)
    if relation:
        register.begin_relation(person_id, relation, market=market, locale=locale)
    put: list[tuple[str, str]] = []
    for purpose in [*purposes_of(policy, relation), *interests_of(policy)[:1]]:
        held = {key: value for key, value in values.items() if key in policy.purposes[purpose].fields}
        put += held.items()
        _hold(policy, person_id, purpose, held, market, locale)
    return put


def _hold(policy: Policy, person_id: UUID, purpose: str, held: dict[str, str], market: str, locale: str) -> None:
    rest, placed = dict(held), {}
    if "company" in rest:
        placed = {key: rest.pop(key) for key in register.PLACED if key in rest}
    said = list(_spoken(policy, rest))
    for field in said:
        words = rest.pop(field)
        register.note(
            person_id, words, purpose, medium="phone", direction="out", at=clock.now(), by=_SOURCE, market=market,
            locale=locale, field=field,
        )  # fmt: skip
    register.hold(person_id, rest, purpose, source=_SOURCE, market=market, locale=locale)
    if placed:
        register.place(person_id, placed, purpose, source=_SOURCE, market=market, locale=locale)


def _spoken(policy: Policy, held: dict[str, str]) -> Iterator[str]:
    return (field for field in held if policy.fields[field].category == "dialogue")
