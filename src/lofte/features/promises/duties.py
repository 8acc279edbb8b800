"""Time passes without anybody checking: the public file is rewritten so that a proof that grew too old stops
counting.
"""

from datetime import datetime, timedelta

from lofte.core.evidence import has_log
from lofte.core.tasks import duty
from lofte.features.promises import verbs
from lofte.kernel.problems import Problem


@duty("promises.publish", every=timedelta(minutes=5))
def publish_board(at: datetime) -> None:
    if not has_log():
        return  # only the serving process writes the public file
    try:
        verbs.publish_board(at)
    except Problem as problem:
        if problem.code != "publication.none":
            raise
