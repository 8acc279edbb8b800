"""What gate and edge noted is written every few seconds, and forgotten when it is over."""

from datetime import datetime, timedelta

from lofte.core.tasks import duty
from lofte.features.findings import verbs


@duty("findings.flush", every=timedelta(seconds=5))
def write_down(at: datetime) -> None:
    verbs.flush(at)


@duty("findings.forget", every=timedelta(days=1))
def forget(at: datetime) -> None:
    verbs.forget(at)
