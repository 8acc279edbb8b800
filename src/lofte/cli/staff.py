"""`lofte staff`: the people who may enter the console, and their roles. A password is made here and shown once.

Whoever can run this owns the installation; what is done is kept in the action log all the same.
"""

import argparse
import secrets
from pathlib import Path
from typing import TYPE_CHECKING

from lofte.cli import wiring
from lofte.kernel.problems import Problem

if TYPE_CHECKING:
    from django.contrib.auth.models import User

_ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789"  # no letters that read like each other
_GROUPS = 4
_GROUP_LENGTH = 5


_ACTIONS = """actions:
  list                       accounts, their roles, and whether a second factor is enrolled
  add NAME [--role ROLE ...] a new account; without a role it sees the promises and nothing else
  roles NAME [ROLE ...]      give these roles and take all others; none named: show what there is
  password NAME              a new password; sessions opened with the old one end
  reset-factor NAME          forget the second factor (telephone and codes are lost) and give a new password
  close NAME, reopen NAME    shut somebody out at once, or let them in again

Roles: docs/reference/roles.md. To take every role away: lofte staff roles NAME none"""


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = subparsers.add_parser(
        "staff",
        help="add staff, give roles and passwords, list them",
        description=__doc__,
        epilog=_ACTIONS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "action", choices=["list", "add", "roles", "password", "reset-factor", "close", "reopen"], help="what to do"
    )
    parser.add_argument("name", nargs="?", help="user name, for all but list")
    parser.add_argument("roles", nargs="*", metavar="ROLE", help="roles: the roles from now on")
    parser.add_argument("--role", action="append", default=[], metavar="ROLE", help="add: a role; may be given again")
    parser.add_argument(
        "--auditor", action="store_true", help="add: sees promises and their evidence, nothing about people"
    )
    wiring.add_home(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    wiring.enter(args.home)
    if args.action == "list":
        for name, held, has_second_factor in everyone():
            print(f"{name}\t{held}\t{'second factor' if has_second_factor else 'password only'}")
        return 0
    if not args.name:
        raise Problem("staff.no-name", f"staff {args.action} needs a name", way_out=f"lofte staff {args.action} NAME")
    if args.roles and args.action != "roles":
        raise Problem(
            "staff.no-such", f"staff {args.action} takes no roles after the name", way_out="For add: --role ROLE"
        )
    match args.action:
        case "roles":
            return _roles(args.name, args.roles)
        case "close" | "reopen":
            set_open(args.name, args.action == "reopen")
            print(f"{args.name} is {'open again' if args.action == 'reopen' else 'closed; sessions have ended'}")
            return 0
        case "add":
            password = add(args.name, roles=args.role, auditor=args.auditor)
        case "reset-factor":
            password = reset_factor(args.name)
        case _:
            password = renew(args.name)
    print(f"user: {args.name}\npassword: {password}")
    return 0


def _roles(name: str, wanted: list[str]) -> int:
    from lofte.core import roles

    user = _account(name)
    if wanted:
        roles.give(user, [] if wanted == ["none"] else wanted, by=roles.OPERATOR)
    held = roles.roles_of(user)
    for role in roles.declared():
        print(f"{'*' if role in held else ' '} {role}\t{roles.name(role, 'en-GB')}")
    return 0


def add(name: str, *, roles: "list[str] | tuple[str, ...]" = (), auditor: bool = False) -> str:
    """A new account; returns the password, which is kept nowhere. Raises Problem when the name is taken or a role is not there.

    An auditor is no member of staff: the account sees promises and their evidence where the policy lets auditors.
    """
    from django.contrib.auth.models import User
    from django.db import transaction

    from lofte.core import actions
    from lofte.core.accounts import AUDITORS
    from lofte.core.roles import OPERATOR, give

    if User.objects.filter(username=name).exists():
        raise Problem(
            "staff.taken", "a member of staff has this name", way_out=f"For a new password: lofte staff password {name}"
        )
    password = make_password()
    with transaction.atomic():
        user = User.objects.create_user(username=name, password=password, is_staff=True)
        actions.record("staff.added", OPERATOR, user=user.pk)
        give(user, [*roles, *([AUDITORS] if auditor else [])], by=OPERATOR)
    return password


def renew(name: str) -> str:
    """A new password; sessions opened with the old one end."""
    return _renew(_account(name), "staff.password-renewed")


def reset_factor(name: str) -> str:
    """Forget the second factor and its codes. The password is new too: whoever knows the old one must not enrol a factor first."""
    from allauth.mfa.models import Authenticator
    from django.db import transaction

    user = _account(name)
    with transaction.atomic():
        Authenticator.objects.filter(user=user).delete()
        return _renew(user, "staff.factor-reset")


def set_open(name: str, is_open: bool) -> None:
    """A closed account cannot sign in, and what is open in a browser is closed with it."""
    from django.db import transaction

    from lofte.core import actions
    from lofte.core.roles import OPERATOR

    user = _account(name)
    with transaction.atomic():
        user.is_active = is_open
        user.save(update_fields=["is_active"])
        actions.record("staff.reopened" if is_open else "staff.closed", OPERATOR, user=user.pk)


def _renew(user: "User", action: str) -> str:
    from django.db import transaction

    from lofte.core import actions
    from lofte.core.roles import OPERATOR

    password = make_password()
    with transaction.atomic():
        user.set_password(password)
        user.save(update_fields=["password"])
        actions.record(action, OPERATOR, user=user.pk)
    return password


def _account(name: str) -> "User":
    from django.contrib.auth.models import User

    user = User.objects.filter(username=name).first()
    if user is None:
        raise Problem("staff.unknown", "nobody of this name is staff", way_out="See them with: lofte staff list")
    return user


def everyone() -> list[tuple[str, str, bool]]:
    """User names, their roles, and whether a second factor is enrolled."""
    from allauth.mfa.utils import is_mfa_enabled
    from django.contrib.auth.models import User

    return [(user.username, _held(user), is_mfa_enabled(user)) for user in User.objects.order_by("username")]


def _held(user: "User") -> str:
    from lofte.core import roles

    if not user.is_active:
        return "closed"
    return ", ".join(roles.roles_of(user)) or "no role"


def first(home: Path, name: str) -> str:
    """The password of the first member of staff, made at the first start and kept in `<home>/keys` (mode 0600).

    For a demonstration or a first look: whoever can read that folder owns the installation anyway. Who comes first leads.
    """
    from django.contrib.auth.models import User

    from lofte.core.roles import LEAD, OPERATOR, give, roles_of

    kept = home / "keys" / f"first-password-of-{name}"
    user = User.objects.filter(username=name).first()
    if user is not None and not roles_of(user):
        give(user, [LEAD], by=OPERATOR)
    if user is not None and kept.exists():
        return kept.read_text().strip()
    password = renew(name) if user is not None else add(name, roles=[LEAD])
    kept.touch(mode=0o600)
    kept.write_text(password)
    return password


def make_password() -> str:
    """About 99 bits, in groups that a person can type from a screen."""
    groups = ("".join(secrets.choice(_ALPHABET) for _ in range(_GROUP_LENGTH)) for _ in range(_GROUPS))
    return "-".join(groups)
