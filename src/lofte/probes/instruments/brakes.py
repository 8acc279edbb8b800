"""Whether one person could let go, or has let go, what the brake holds back. What is tried is taken back before anybody sees it."""

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import F

from lofte.core import approvals, clock
from lofte.features.retention import brake
from lofte.features.retention.models import Stop
from lofte.kernel.problems import Problem
from lofte.probes.instruments.staff import two_of_staff


class _UndoneError(Exception):
    """Ends the trial's transaction, whatever came of it."""


def let_alone() -> int:
    """Plans that were let go by whoever asked, or without anybody's name."""
    rows = Stop.objects.filter(state__in=[Stop.State.RELEASED, Stop.State.DONE])
    return rows.filter(released_by=F("asked_by")).count() + rows.filter(released_by="").exclude(asked_by="").count()


def is_loose() -> bool:
    """Whether a plan of nobody can be let go by one person: in a second session, and by a second account of theirs."""
    with two_of_staff("retention.release", "approvals.decide") as (one, other):
        same = User.objects.filter(pk__in=[one.partition(":")[2], other.partition(":")[2]])
        same.update(email="probe@invalid.example")
        return _lets_go(one, one) or _lets_go(one, other)


def _lets_go(asks: str, decides: str) -> bool:
    try:
        with transaction.atomic():
            plan = Stop.objects.create(
                at=clock.now(), rules=brake.rules_now(), reason="people", people=0, registered=0, made_at=clock.now()
            )
            approvals.decide(brake.ask(plan.id, asks), decides, True)
            raise _UndoneError
    except Problem:
        return False
    except _UndoneError:
        return True
