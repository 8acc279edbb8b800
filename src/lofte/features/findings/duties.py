"""What gate and edge noted is written every few seconds."""

from datetime import datetime, timedelta

from lofte.core.tasks import duty
from lofte.features.findings import verbs


@duty("findings.flush", every=timedelta(seconds=5))
def write_down(at: datetime) -> None:
    verbs.flush(at)
