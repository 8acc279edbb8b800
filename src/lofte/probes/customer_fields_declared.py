"""Which fields are held of customers, where they came from, and whether a test customer's undeclared item was taken in."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from lofte.features.register.models import Holding
from lofte.probes.instruments import canary, customer
from lofte.probes.probe import Probe
from lofte.probes.world import World
from lofte.rules.controls.customer_fields_declared import CustomerData


def _gather(world: World, parameters: Mapping[str, Any]) -> CustomerData:
    policy, walked = world.published.policy, canary.walk(world)
    purposes = customer.purposes_of(policy, str(parameters.get("relation", "")))
    rows = Holding.everyone.filter(purpose__in=purposes)
    held = set(rows.values_list("field", flat=True).distinct().order_by()) | set(walked.customer_fields)
    return CustomerData(
        declared=tuple(sorted({field for key in purposes for field in policy.purposes[key].fields})),
        held=tuple(sorted(held)),
        customers=rows.values("person_id").distinct().count() + bool(walked.customer_fields),
        holdings=rows.count() + len(walked.customer_fields),
        unsourced=rows.filter(source="").count(),
        took_extra=walked.tried.took_extra if walked.tried else None,
    )


PROBE = Probe("customer_fields_declared", every=timedelta(hours=3), gather=_gather)
