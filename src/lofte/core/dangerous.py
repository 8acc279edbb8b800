"""The acts of core that two people must agree on, and what the requests for them hold."""

from datetime import datetime, timedelta

from django.contrib.auth.models import User

from lofte.core import approvals, clock, models, roles, tasks
from lofte.core.holdings import Holds, NotPersonal, Room, declare, register
from lofte.core.tasks import duty
from lofte.kernel.problems import Problem

_STAFF = NotPersonal("a staff member's number")
_TECHNICAL = NotPersonal("says when and how it was asked and decided")

declare(
    models.Approval, act=NotPersonal("one of a few words of the code"), about=Holds("*", "handle"), also=Holds("*", "handle"),
    details=NotPersonal("`approvals.ask` refuses what looks personal"), asked_by=_STAFF, asked_at=_TECHNICAL,
    expires_at=_TECHNICAL, state=_TECHNICAL, decided_by=_STAFF, decided_at=_TECHNICAL,
)  # fmt: skip
register(Room("approvals", erase=approvals.forget, merge=approvals.follow, erase_crowd=approvals.forget_crowd))


@duty("approvals.expire", every=timedelta(hours=1))
def expire_approvals(at: datetime) -> int:
    """Ends requests for approval that nobody decided, or used, in time."""
    return approvals.expire(at)


def _change_roles(approved: approvals.Approved) -> None:
    """``user`` is a staff member's number, ``roles`` the names they shall have from now on, comma between."""
    user = User.objects.filter(pk=approved.details["user"]).first()
    if user is None:
        raise Problem("staff.unknown", "the account is no longer there", status=409)
    wanted = [role for role in str(approved.details["roles"]).split(",") if role]
    roles.give(user, wanted, by=approved.decided_by)


def _rotate_soon(approved: approvals.Approved) -> None:
    """The rotation itself runs as a duty: it walks every key and must not hold the approval's transaction open."""
    tasks.hurry("vault.rotate_epoch", clock.now())


approvals.act("roles.change", _change_roles, needs="roles.manage")
approvals.act("vault.rotate", _rotate_soon, needs="roles.manage")
