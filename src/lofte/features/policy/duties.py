"""The serving process publishes what `lofte publish` handed over, and fetches the pictures of held frames."""

from datetime import datetime, timedelta

from django.conf import settings

from lofte.core import evidence, publication
from lofte.core.tasks import duty
from lofte.features.policy import handover, posters


@duty("policy.publish", every=timedelta(seconds=1))
def publish_handed_over(at: datetime) -> None:
    if evidence.has_log():
        handover.take(settings.LOFTE_HOME, evidence.log(), at)


@duty("posters.fetch", every=timedelta(seconds=2))
def fetch_posters(at: datetime) -> None:
    """Fetches the pictures that stand in place of held frames, once, from the sources the policy names."""
    if (settings.LOFTE_HOME / "posters" / "wanted").is_dir():
        posters.fetch_wanted(settings.LOFTE_HOME, publication.current().policy, at)
