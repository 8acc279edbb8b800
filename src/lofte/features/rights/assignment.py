"""Whose desk a request is on: a member of staff, everybody with a role, or nobody yet."""

from dataclasses import dataclass
from uuid import UUID

from django.contrib.auth.models import User

from lofte.core import actions, roles
from lofte.core.retry import in_transaction
from lofte.features.rights.ledger import add, change, open_row
from lofte.features.rights.models import Request
from lofte.kernel.problems import Place, Problem

WORKS = "requests.work"
NOBODY = ""


@dataclass(frozen=True, slots=True)
class Desk:
    """``key`` is ``staff:<id>`` or ``role:<name>``; ``name`` of the account, empty for a role; ``roles`` that let it work."""

    key: str
    name: str
    roles: tuple[str, ...]


@in_transaction
def assign(request_id: UUID, to: str, by: str) -> None:
    """Put an open request on a desk. Raises Problem `request.no-desk` for somebody who may not work with requests."""
    row = open_row(request_id)
    if to and to not in {each.key for each in desks()}:
        raise Problem("request.no-desk", "nobody there works with requests", Place(key="to"), status=422)
    if row.assignee == to:
        return
    change(row, assignee=to)
    add(row, "assigned", by, reason=to or "nobody")
    actions.record("request.assigned", by, to=to or "nobody")


def desks() -> list[Desk]:
    """Everybody and every role that may work with requests, by name."""
    working = {role for role, each in roles.declared().items() if WORKS in each.grants()}
    people = User.objects.filter(is_active=True, groups__name__in=working).distinct().order_by("username")
    found = [Desk(f"staff:{each.pk}", each.get_full_name() or each.username, _held(each, working)) for each in people]
    return [*found, *(Desk(f"role:{role}", "", (role,)) for role in roles.declared() if role in working)]


def desks_of(user: User) -> frozenset[str]:
    """The keys of what is on the desk of this account: its own, and that of its roles."""
    return frozenset({f"staff:{user.pk}", *(f"role:{role}" for role in roles.roles_of(user))})


def gone() -> frozenset[str]:
    """Desks with open requests whose owner has left or may no longer work with them: nobody does what lies there."""
    open_states = (
        Request.State.RECEIVED,
        Request.State.IDENTIFYING,
        Request.State.WORKING,
        Request.State.WAITING,
    )
    held = Request.objects.filter(state__in=open_states).exclude(assignee=NOBODY).values_list("assignee", flat=True)
    return frozenset(held.distinct()) - {each.key for each in desks()}


def _held(user: User, working: set[str]) -> tuple[str, ...]:
    return tuple(role for role in roles.roles_of(user) if role in working)
