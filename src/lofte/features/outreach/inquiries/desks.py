"""Whose desk an inquiry is on: a member of staff, everybody with a role, or nobody yet."""

from dataclasses import dataclass

from django.contrib.auth.models import User

from lofte.core import roles

WORKS = "inquiries.work"
NOBODY = ""


@dataclass(frozen=True, slots=True)
class Desk:
    """``key`` is ``staff:<id>`` or ``role:<name>``; ``name`` of the account, empty for a role; ``roles`` that let it work."""

    key: str
    name: str
    roles: tuple[str, ...]


def desks() -> list[Desk]:
    """Everybody and every role that may work with inquiries, by name."""
    working = {role for role, each in roles.declared().items() if WORKS in each.grants()}
    people = User.objects.filter(is_active=True, groups__name__in=working).distinct().order_by("username")
    found = [Desk(f"staff:{each.pk}", each.get_full_name() or each.username, _held(each, working)) for each in people]
    return [*found, *(Desk(f"role:{role}", "", (role,)) for role in roles.declared() if role in working)]


def desks_of(user: User) -> frozenset[str]:
    """The keys of what is on the desk of this account: its own, and that of its roles."""
    return frozenset({f"staff:{user.pk}", *(f"role:{role}" for role in roles.roles_of(user))})


def _held(user: User, working: set[str]) -> tuple[str, ...]:
    return tuple(role for role in roles.roles_of(user) if role in working)
