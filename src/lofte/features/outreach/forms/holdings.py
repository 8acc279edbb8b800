"""What this room holds: that somebody sent in a form, and with which words it was asked."""

from typing import Any
from uuid import UUID

from lofte.core.holdings import Holds, NotPersonal, Room, declare, register
from lofte.features.outreach.forms import arrivals, models

_POLICY = NotPersonal("a key or hash of the policy or of a form, or a word of the code")
_STAFF = NotPersonal("written by staff for everybody, about nobody")
_SENT = Holds("*", "interest")

declare(
    models.Built, form=_STAFF, state=_POLICY, draft=_STAFF, version=_POLICY, by=NotPersonal("a staff member's number"),
    made_at=_STAFF, changed_at=_STAFF,
)  # fmt: skip
declare(
    models.Version, digest=_POLICY, form=_STAFF, asked=_STAFF, publication=_POLICY, by=NotPersonal("a staff member's number"),
    published_at=_STAFF, retired_at=_STAFF,
)  # fmt: skip
declare(
    models.Arrival, form=_SENT, kind=_POLICY, purpose=_POLICY, version=_POLICY, wording=_POLICY, publication=_POLICY,
    market=_POLICY, locale=Holds("*", "locale"), page=_SENT, boxes=Holds("*", "choice"),
    about=NotPersonal("the id of an event or a material"), at=_SENT, look_at=_SENT,
)  # fmt: skip
declare(
    models.Once, hash=NotPersonal("a keyed hash that cannot be made again without what was sent; gone after a day"),
    say=_POLICY, reference=NotPersonal("a random number to quote; gone after a day"), at=NotPersonal("when a form came"),
)  # fmt: skip


def _export(person_id: UUID) -> dict[str, Any]:
    return {"sent": [dict(arrivals.shown(row)) for row in arrivals.of(person_id)]}


register(Room("forms", export=_export, merge=arrivals.follow))
