"""How test people in every market left, what came afterwards, and whether anybody was written to after they had left."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.db.models import Exists, OuterRef, Subquery

from lofte.core.models import Mail
from lofte.features.consent.models import Consent
from lofte.probes.instruments.canary import flock, subscribers
from lofte.probes.probe import Probe
from lofte.probes.world import World
from lofte.rules.controls.withdrawal_at_once import Withdrawals

_HANDED_OVER = timedelta(minutes=5)  # a letter in the hands of the mail server cannot be called back


def _gather(world: World, parameters: Mapping[str, Any]) -> Withdrawals:
    met = subscribers.walk(world)
    return Withdrawals(
        expected=flock.markets(world), walks=met.left, midway=met.midway, complained=met.complained, after=_after()
    )


def _after() -> int:
    """Marketing letters that left although the last word of whoever got them was no, and had been for a while."""
    said = Consent.everyone.filter(person_id=OuterRef("person_id"), purpose=OuterRef("purpose"))
    begun = OuterRef("sent_at") - _HANDED_OVER
    last = said.filter(at__lte=begun).order_by("-ordinal").values("action")[:1]
    again = said.filter(at__gt=begun, at__lte=OuterRef("sent_at"), action=Consent.Action.GRANTED)
    sent = Mail.everyone.filter(is_marketing=True, state=Mail.State.SENT, sent_at__isnull=False)
    rows = sent.annotate(last=Subquery(last)).filter(~Exists(again), last=Consent.Action.WITHDRAWN)
    return int(rows.count())


PROBE = Probe("withdrawal_at_once", every=timedelta(hours=3), gather=_gather)
