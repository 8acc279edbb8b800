"""What reached test people in every market before and after they confirmed, and whether a consent came before every delivery."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.db.models import OuterRef, Subquery

from lofte.features.consent.models import Consent
from lofte.features.outreach.models import Delivery
from lofte.probes.instruments.canary import flock, subscribers
from lofte.probes.probe import Probe
from lofte.probes.world import World
from lofte.rules.controls.newsletter_only_with_consent import Sends


def _gather(world: World, parameters: Mapping[str, Any]) -> Sends:
    purpose = parameters.get("purpose", "newsletter")
    before_it = Consent.everyone.filter(person_id=OuterRef("person_id"), purpose=purpose, at__lte=OuterRef("at"))
    said = Subquery(before_it.order_by("-ordinal").values("action")[:1])
    sent = Delivery.everyone.filter(state="queued")
    with_consent = sent.annotate(said=said).filter(said=Consent.Action.GRANTED).count()
    deliveries = sent.count()
    met = subscribers.walk(world)
    return Sends(
        expected=flock.markets(world), walks=met.joined, deliveries=deliveries, without_consent=deliveries - with_consent,
        to_dead=met.to_dead, choices=met.choices, opened=met.opened, followed=met.followed,
    )  # fmt: skip


PROBE = Probe("newsletter_only_with_consent", every=timedelta(hours=3), gather=_gather)
