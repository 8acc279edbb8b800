"""How long it is kept that somebody sent in a form: as long as something is held for its purpose, and no longer.

What rests on consent goes soon after the last of it; the rest is not looked at before the period of the purpose has passed.
"""

from datetime import datetime, timedelta
from uuid import UUID

from lofte.core import ports, publication
from lofte.core.retry import in_transaction
from lofte.core.tasks import duty
from lofte.features.outreach.forms.models import Arrival
from lofte.rules.clocks import add_period
from lofte.rules.model import Basis

SOON = timedelta(days=3)  # a newsletter has two days to be confirmed
AGAIN = {True: timedelta(days=1), False: timedelta(days=7)}  # by whether it rests on consent
_BATCH = 500


def first_look(purpose: str, at: datetime) -> datetime:
    """When to ask for the first time whether an arrival is still needed."""
    policy = publication.current().policy
    if _on_consent(purpose) or purpose not in policy.purposes:
        return at + SOON
    clock = policy.clocks.get(policy.purposes[purpose].clock or "")
    return add_period(at, clock.period) if clock and clock.period else at + SOON


@duty("forms.forget_arrivals", every=timedelta(hours=6))
def forget_arrivals(at: datetime) -> int:
    """Erase that a form was sent in, once nothing is held for its purpose any more."""
    rows = Arrival.everyone.filter(look_at__lte=at).order_by("look_at").values_list("person_id", "id", "purpose")
    return sum(_forget(person_id, row_id, purpose, at) for person_id, row_id, purpose in list(rows[:_BATCH]))


@in_transaction
def _forget(person_id: UUID, row_id: UUID, purpose: str, at: datetime) -> int:
    rows = Arrival.objects.of(person_id).filter(id=row_id)
    if any(held == purpose for held, _ in ports.register().kinds_held(person_id)):
        rows.update(look_at=at + AGAIN[_on_consent(purpose)])
        return 0
    return int(rows._raw_delete(using="default"))


def _on_consent(purpose: str) -> bool:
    declared = publication.current().policy.purposes.get(purpose)
    return declared is not None and declared.basis is Basis.CONSENT
