"""What the tables of the gates hold, and the duty that warns before a transfer tool runs out."""

from datetime import datetime, timedelta

from lofte.core.gates import tools
from lofte.core.gates.models import Token, Tool
from lofte.core.holdings import NotPersonal, declare
from lofte.core.tasks import duty

_RECIPIENT = NotPersonal("about a company the policy names, not a person")
_STAFF = NotPersonal("a staff member's number")
_SYSTEM = NotPersonal("about another system, not a person")

declare(
    Tool, kind=_RECIPIENT, recipient=_RECIPIENT, country=_RECIPIENT, reference=_RECIPIENT, proof=_RECIPIENT, digest=_RECIPIENT,
    since=_RECIPIENT, until=_RECIPIENT, assessed=_RECIPIENT, covers_hr=_RECIPIENT, uk_since=_RECIPIENT, uk_until=_RECIPIENT,
    facts=_RECIPIENT, recorded_by=_STAFF, recorded_at=_RECIPIENT, ended_on=_RECIPIENT, ended_by=_STAFF, warned=_RECIPIENT,
)  # fmt: skip
declare(
    Token, hash=NotPersonal("SHA-256 of 256 random bits"), name=_SYSTEM, scopes=_SYSTEM, per_minute=_SYSTEM, made_by=_STAFF,
    made_at=_SYSTEM, expires_at=_SYSTEM, revoked_at=_SYSTEM, revoked_by=_STAFF, last_used=_SYSTEM,
)  # fmt: skip


@duty("transfers.warn", every=timedelta(hours=6))
def warn(at: datetime) -> int:
    """Leaves an entry in the log for each transfer tool that nears its end, and for each that is over."""
    return tools.warn(at.date())
