"""What this room holds, and its side of `core.ports`."""

from lofte.core import ports
from lofte.core.holdings import Holds, NotPersonal, Room, declare, register
from lofte.features.rights import merging, models, verbs

_POLICY = NotPersonal("a key of the policy")
_WORK = NotPersonal("how far the work has come; counts and names of tables, never values")
_WHEN = NotPersonal("when work was done, about nobody once it is")

declare(models.Ask, sealed=Holds("rights", "email"), market=_POLICY, locale=_POLICY, asked_at=_WHEN)
declare(
    models.Correction, holding_id=NotPersonal("the id of a row"), sealed=Holds("rights", "email"),
    asked_at=Holds("rights", "dialogue"), expires_at=Holds("rights", "dialogue"),
)  # fmt: skip
declare(
    models.Erasure, subject=Holds("erasure", "handle"), by=NotPersonal("person, sweep or a staff member's number"), state=_WORK,
    sealed=Holds("erasure", "*"), indexes=NotPersonal("places in the evidence log, forgotten when they are shredded"), counts=_WORK,
    residue=_WORK, kept=_WORK, elsewhere=_WORK, searched=_WORK, evidence_index=_WORK,
    started_at=_WHEN, finished_at=_WHEN, next_at=_WHEN,
)  # fmt: skip


class _Eraser:
    """This room as `core.ports.Eraser`."""

    erase = staticmethod(verbs.erase)


ports.provide("eraser", _Eraser())
register(Room("rights", merge=merging.merge))
