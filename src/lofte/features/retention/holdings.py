"""What this room holds: nothing about anybody."""

from lofte.core.holdings import NotPersonal, Room, declare, register
from lofte.features.retention import models, verbs

_RUN = NotPersonal("counts of a run, about nobody")

declare(
    models.Sweep, started_at=_RUN, finished_at=_RUN, people=_RUN, holdings=_RUN, erased=_RUN, left=_RUN, publication=_RUN,
)  # fmt: skip
register(Room("retention"))

__all__ = ["verbs"]
