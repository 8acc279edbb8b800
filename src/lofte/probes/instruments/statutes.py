"""A made-up customer whose relation ends, with one field under a hold and a record that a statute keeps: on supposed days
only what the law names is left, and after its day nothing.
"""

import secrets
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction

from lofte.core import clock, ports, roles
from lofte.core.models import Person
from lofte.features.register import verbs as register
from lofte.features.register.models import Holding, Relation
from lofte.features.retention import holds
from lofte.features.retention import verbs as retention
from lofte.kernel.problems import Problem
from lofte.probes.instruments import at_large, customer
from lofte.probes.world import World
from lofte.rules.clocks import add_period
from lofte.rules.controls.holds_named_in_law import StatuteWalk
from lofte.rules.floors import floor_of, record_of
from lofte.rules.model import Policy
from lofte.rules.packs import law_pack

_BY = "probe"
_CITATION = "Löfte Probe 1 §"
_DAY = timedelta(days=1)
_HELD_FOR = "P2Y"


class _UndoneError(Exception):
    """Ends a transaction in which something was let through that should not have been."""


def walk(world: World) -> StatuteWalk | None:
    """The walk of this round. None where the policy has no customers to try it on."""
    return world.once("statutes", lambda: _walk(world))


def record_of_customers(policy: Policy) -> str:
    """The purpose for which a statute keeps something of customers; empty where the policy has none."""
    relation = policy.relations.get(customer.relation_of(policy))
    return next((key for key in (relation.purposes if relation else ()) if policy.purposes[key].record), "")


def keeps_until(policy: Policy, market: str, purpose: str, at: datetime) -> datetime | None:
    """The last day the market's statute keeps a record of this purpose made now; None where it keeps none."""
    kind, here = policy.purposes[purpose].record, policy.markets[market]
    if kind is None:
        return None
    record = record_of(kind, at.date(), policy.controllers[here.controller].fiscal_year_end)
    floor = floor_of(law_pack(here.law), record, at.date())
    if floor is None or floor.keep_through is None:
        return None
    return datetime.combine(floor.keep_through, datetime.min.time(), UTC) + _DAY


def _walk(world: World) -> StatuteWalk | None:
    policy = world.published.policy
    relation = customer.relation_of(policy)
    agreed = next(iter(customer.purposes_of(policy, relation)), "")
    if not agreed or not policy.purposes[agreed].clock:
        return None
    market, locale = world.editions()[0]
    at_large.erase_left_behind(world)
    person_id, mark = register.welcome(), secrets.token_hex(6)
    at_large.note(world, person_id)
    try:
        values = customer.sample(mark, f"canary-{mark}@{world.canary_domain}", f"Canary {mark.capitalize()}")
        customer.furnish(policy, person_id, values, market, locale)
        record = record_of_customers(policy)
        if record:
            _put_on_file(policy, record, values, person_id, market, locale)
        trials, let_through = _try_lawless(person_id, agreed)
        return _lead(world, person_id, agreed, record, market, (trials, let_through))
    finally:
        at_large.erase(world, [person_id])


def _put_on_file(
    policy: Policy, purpose: str, values: dict[str, str], person_id: UUID, market: str, locale: str
) -> None:
    """What the statute keeps, whatever else of the customer goes."""
    declared = policy.purposes[purpose].fields
    held = {
        key: value for key, value in values.items() if key in declared and policy.fields[key].category != "dialogue"
    }
    register.hold(person_id, held, purpose, source=_BY, market=market, locale=locale)


def _try_lawless(person_id: UUID, purpose: str) -> tuple[int, tuple[str, ...]]:
    """Every kind of hold that keeps data without law or without end."""
    at, reviewer = clock.now(), sorted(roles.declared())[0]
    given: dict[str, Any] = {"by": _BY, "reviewer": reviewer, "purposes": (purpose,), "until": at + 90 * _DAY}
    ways: tuple[tuple[str, Callable[[], object]], ...] = (
        ("statute", lambda: holds.place(person_id, "custom", _CITATION, **given)),
        ("citation", lambda: holds.place(person_id, "accounting", " ", **given)),
        ("end", lambda: holds.place(person_id, "accounting", _CITATION, **(given | {"until": None}))),
        ("past", lambda: holds.place(person_id, "accounting", _CITATION, **(given | {"until": at - _DAY}))),
        ("wide", lambda: holds.place(None, "accounting", _CITATION, **(given | {"purposes": ()}))),
    )
    return len(ways), tuple(name for name, attempt in ways if not _is_refused(attempt))


def _is_refused(attempt: Callable[[], object]) -> bool:
    try:
        with transaction.atomic():
            attempt()
            raise _UndoneError
    except Problem:
        return True
    except _UndoneError:
        return False


def _lead(
    world: World, person_id: UUID, agreed: str, record: str, market: str, tried: tuple[int, tuple[str, ...]]
) -> StatuteWalk:
    policy, at = world.published.policy, clock.now()
    kept_one = sorted(_fields(person_id, agreed))[0]
    for row in Relation.objects.of(person_id).filter(ended_at__isnull=True):
        register.end_relation(person_id, row.id)
    ended = Relation.objects.of(person_id).order_by("-ended_at").values_list("ended_at", flat=True).first() or at
    struck = add_period(ended, policy.clocks[str(policy.purposes[agreed].clock)].period or "P0D")
    by_law = keeps_until(policy, market, record, at) if record else None
    until = add_period(max(struck, by_law or struck), _HELD_FOR)
    holds.place(
        person_id, "accounting", _CITATION, by=_BY, reviewer=sorted(roles.declared())[0], fields=(kept_one,),
        purposes=(agreed,), until=until,
    )  # fmt: skip
    recorded = _fields(person_id, record) if record and by_law else frozenset()
    lost, stayed = set[str](), set[str]()
    days = [struck + _DAY, *([by_law - 2 * _DAY] if by_law and by_law > struck + 3 * _DAY else [])]
    for day in days:
        _sweep(world, person_id, day)
        left = _fields(person_id, agreed)
        lost |= {f"{agreed}: {kept_one}"} if kept_one not in left else set()
        if by_law and day < by_law:
            lost |= {f"{record}: {field}" for field in recorded - _fields(person_id, record)}
        stayed |= {f"{agreed}: {field}" for field in left - {kept_one}}
    if by_law:
        _sweep(world, person_id, max(by_law, struck) + 2 * _DAY)
    ends = ports.register().due_counts(person_id, until + _DAY)
    outlived = bool(by_law and _fields(person_id, record)) or ends.due < ends.all
    return StatuteWalk(
        trials=tried[0], let_through=tried[1], lost=tuple(sorted(lost)), stayed=tuple(sorted(stayed)), outlived=outlived,
        held=True, recorded=bool(recorded),
    )  # fmt: skip


def _fields(person_id: UUID, purpose: str) -> frozenset[str]:
    rows = Holding.objects.of(person_id).filter(purpose=purpose)
    return frozenset(rows.values_list("field", flat=True))


def _sweep(world: World, person_id: UUID, at: datetime) -> None:
    at_large.forget(world, person_id)
    if Person.objects.filter(pk=person_id).exists():
        retention.sweep_one(person_id, at)
    if Person.objects.filter(pk=person_id).exists():
        at_large.note(world, person_id)
