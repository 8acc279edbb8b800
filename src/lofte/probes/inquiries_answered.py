"""How a test person in every market was answered, and what stands in the inboxes."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from lofte.features.outreach.inquiries import kinds
from lofte.features.outreach.inquiries.models import Inquiry
from lofte.probes.instruments.canary import flock, inquiries
from lofte.probes.probe import Probe
from lofte.probes.world import World
from lofte.rules.controls.inquiries_answered import Inquiries


def _gather(world: World, parameters: Mapping[str, Any]) -> Inquiries:
    walks = inquiries.walk(world, parameters.get("form", "inquiry"), parameters.get("within", "P30D"))
    at = world.now()
    owed = Inquiry.everyone.filter(state=Inquiry.State.OPEN, due_on__isnull=False).values_list("market", "due_on")
    days = [(kinds.today(market, at) - due).days for market, due in owed]
    unanswered = Inquiry.everyone.filter(outcome=Inquiry.Outcome.ANSWERED, answered_at__isnull=True)
    return Inquiries(
        expected=flock.markets(world), walks=walks, open=len(days), late=sum(each > 0 for each in days),
        longest_days=max(days, default=0), unanswered=unanswered.count(),
    )  # fmt: skip


PROBE = Probe("inquiries_answered", every=timedelta(hours=6), gather=_gather)
