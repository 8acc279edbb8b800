"""The serving process publishes what `lofte publish` handed over."""

from datetime import datetime, timedelta

from django.conf import settings

from lofte.core import evidence
from lofte.core.tasks import duty
from lofte.features.policy import handover


@duty("policy.publish", every=timedelta(seconds=1))
def publish_handed_over(at: datetime) -> None:
    if evidence.has_log():
        handover.take(settings.LOFTE_HOME, evidence.log(), at)
