"""What the register refused to the canary, and whether anything on file was read, kept or sent without a declared purpose."""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

from django.db import connections

from lofte.core import decisions, holdings, publication
from lofte.core.models import Mail
from lofte.features.register.models import Holding, Look
from lofte.kernel.problems import Problem
from lofte.probes.instruments import canary, customer
from lofte.probes.probe import Probe
from lofte.probes.world import World
from lofte.rules.controls.purpose_limited import Uses


def _gather(world: World, parameters: Mapping[str, Any]) -> Uses:
    tried = canary.walk(world).tried
    known = _ever_declared(world) | set(decisions.BY_LAW)
    allowed = Look.everyone.filter(allowed=True)
    return Uses(
        trials=tried.trials if tried else 0,
        gave=tuple(tried.gave) if tried else (),
        looks=allowed.count(),
        purposeless=allowed.exclude(purpose__in=known).count(),
        stray_mails=Mail.everyone.exclude(purpose__in=known).count(),
        holdings=Holding.everyone.count(),
        strays=tuple(_strays(world)),
        undeclared=(*holdings.undeclared(), *_unknown_columns()),
    )


def _ever_declared(world: World) -> set[str]:
    """Purposes of this version and of every earlier one: what was read then was read by the policy of the day."""
    known = set(world.published.policy.purposes)
    for manifest in (world.home / "published" / "publications").glob("*.json"):
        try:
            known |= set(publication.load(world.home, manifest.stem).policy.purposes)
        except Problem:
            continue  # that a version cannot be read is another promise's matter
    return known


def _strays(world: World) -> Iterator[str]:
    """Holdings beyond their purpose's declaration. What a customer relation rests on has a promise of its own."""
    policy = world.published.policy
    elsewhere = customer.purposes_of(policy, customer.relation_of(policy))
    pairs = Holding.everyone.exclude(purpose__in=elsewhere).values_list("purpose", "field").distinct().order_by()
    for purpose, field in sorted(pairs):
        declared = policy.purposes.get(purpose)
        if declared is None or field not in declared.fields:
            yield f"{purpose}: {field}"


def _unknown_columns() -> Iterator[str]:
    """Columns that the database really has in our tables, and no model knows."""
    for model in holdings.our_models():
        connection = connections[_database_of(model)]
        with connection.cursor() as cursor:
            there = {one.name for one in connection.introspection.get_table_description(cursor, model._meta.db_table)}
        for column in sorted(there - {field.column for field in model._meta.concrete_fields}):
            yield f"{model._meta.db_table}.{column}"


def _database_of(model: Any) -> str:
    return str(model._base_manager.db)


PROBE = Probe("purpose_limited", every=timedelta(hours=3), gather=_gather)
