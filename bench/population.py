"""People who are nobody, the same for the same seed; names, addresses and numbers as in the Nordics, the UK and the US."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from ruamel.yaml import YAML

SEED = 2026
_PEOPLE_A_COMPANY = 12


@dataclass(frozen=True, slots=True)
class Somebody:
    id: UUID
    market: str
    locale: str
    name: str
    email: str
    phone: str
    company: str
    title: str
    role: str
    kind: str  # prospect, customer, subscriber, attendee
    notes: tuple[str, ...]
    is_subscriber: bool
    looks: int
    mails: int


@dataclass(frozen=True, slots=True)
class _Market:
    locale: str
    first: tuple[str, ...]
    last: tuple[str, ...]
    company: tuple[str, ...]
    form: str
    domain: str
    phone: str
    titles: tuple[str, ...]
    notes: tuple[str, ...]


def _markets() -> dict[str, _Market]:
    said: dict[str, dict[str, Any]] = YAML(typ="safe", pure=True).load(Path(__file__).with_name("people.yaml"))
    return {
        market: _Market(**{name: _frozen(each) for name, each in values.items()}) for market, values in said.items()
    }


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


_MARKETS = _markets()
_KINDS = ("prospect",) * 60 + ("customer",) * 25 + ("subscriber",) * 10 + ("attendee",) * 5
_ROLES = ("decides", "uses it", "pays the invoice", "")


def people(count: int, seed: int = SEED) -> Iterator[Somebody]:
    """So many people. Their ids come in order, as one import would not give them: a million rows then load in minutes."""
    rng = random.Random(seed)
    markets = list(_MARKETS)
    for number in range(count):
        yield _somebody(number, count, markets[number % len(markets)], rng)


def _somebody(number: int, count: int, market: str, rng: random.Random) -> Somebody:
    m, kind = _MARKETS[market], _KINDS[rng.randrange(len(_KINDS))]
    first, last = rng.choice(m.first), rng.choice(m.last)
    place = rng.randrange(max(1, count // _PEOPLE_A_COMPANY))
    company = f"{m.last[place % len(m.last)]} {m.company[place // len(m.last) % len(m.company)]} {place} {m.form}"
    head = (number << 64) // count
    return Somebody(
        id=UUID(bytes=head.to_bytes(8) + rng.randbytes(8), version=4), market=market, locale=m.locale, name=f"{first} {last}",
        email=f"{_plain(first)}.{_plain(last)}.{number}@{place}.{m.domain}".lower(),
        phone=m.phone.format(rng.randrange(10), f"{rng.randrange(1000):03}", f"{rng.randrange(100):02}", f"{rng.randrange(100):02}")
        if kind == "customer" or rng.random() < 0.6
        else "",
        company=company, title=rng.choice(m.titles), role=rng.choice(_ROLES), kind=kind,
        notes=tuple(rng.choice(m.notes) for _ in range(rng.randrange(4))) if kind in ("prospect", "customer") else (),
        is_subscriber=kind == "subscriber" or rng.random() < 0.3, looks=rng.randrange(4), mails=rng.randrange(3),
    )  # fmt: skip


_ASCII = str.maketrans("åäöøéëíáñóÅÄÖØÓâæ", "aaooeeianoAAOOOaa", "’-")


def _plain(name: str) -> str:
    return name.translate(_ASCII)
