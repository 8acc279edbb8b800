"""`lofte staff`: the people who may enter the console. A password is made here and shown once, never typed as an argument."""

import argparse
import secrets
from pathlib import Path

from lofte.cli import wiring
from lofte.kernel.problems import Problem

_ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789"  # no letters that read like each other
_GROUPS = 4
_GROUP_LENGTH = 5


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = subparsers.add_parser("staff", help="add staff, give a new password, list them", description=__doc__)
    parser.add_argument("action", choices=["add", "password", "list"], help="what to do")
    parser.add_argument("name", nargs="?", help="user name, for add and password")
    parser.add_argument(
        "--auditor", action="store_true", help="add: sees promises and their evidence, nothing about people"
    )
    wiring.add_home(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    wiring.enter(args.home)
    if args.action == "list":
        for name, role, has_second_factor in everyone():
            print(f"{name}\t{role}\t{'second factor' if has_second_factor else 'password only'}")
        return 0
    if not args.name:
        raise Problem("staff.no-name", f"staff {args.action} needs a name", way_out=f"lofte staff {args.action} NAME")
    password = add(args.name, auditor=args.auditor) if args.action == "add" else renew(args.name)
    print(f"user: {args.name}\npassword: {password}")
    return 0


def add(name: str, *, auditor: bool = False) -> str:
    """A new account; returns the password, which is kept nowhere. Raises Problem when the name is taken.

    An auditor is no member of staff: the account sees promises and their evidence where the policy lets auditors.
    """
    from django.contrib.auth.models import Group, User

    from lofte.core.accounts import AUDITORS

    if User.objects.filter(username=name).exists():
        raise Problem(
            "staff.taken", "a member of staff has this name", way_out=f"For a new password: lofte staff password {name}"
        )
    password = make_password()
    user = User.objects.create_user(username=name, password=password, is_staff=not auditor)
    if auditor:
        user.groups.add(Group.objects.get_or_create(name=AUDITORS)[0])
    return password


def renew(name: str) -> str:
    """A new password; sessions opened with the old one end."""
    from django.contrib.auth.models import User

    user = User.objects.filter(username=name).first()
    if user is None:
        raise Problem("staff.unknown", "nobody of this name is staff", way_out="See them with: lofte staff list")
    password = make_password()
    user.set_password(password)
    user.save(update_fields=["password"])
    return password


def everyone() -> list[tuple[str, str, bool]]:
    """User names, staff or auditor, and whether a second factor is enrolled."""
    from allauth.mfa.utils import is_mfa_enabled
    from django.contrib.auth.models import User

    return [
        (user.username, "staff" if user.is_staff else "auditor", is_mfa_enabled(user))
        for user in User.objects.order_by("username")
    ]


def first(home: Path, name: str) -> str:
    """The password of the first member of staff, made at the first start and kept in `<home>/keys` (mode 0600).

    For a demonstration or a first look: whoever can read that folder owns the installation anyway.
    """
    from django.contrib.auth.models import User

    kept = home / "keys" / f"first-password-of-{name}"
    user = User.objects.filter(username=name).first()
    if user is not None and kept.exists():
        return kept.read_text().strip()
    password = renew(name) if user is not None else add(name)
    kept.touch(mode=0o600)
    kept.write_text(password)
    return password


def make_password() -> str:
    """About 99 bits, in groups that a person can type from a screen."""
    groups = ("".join(secrets.choice(_ALPHABET) for _ in range(_GROUP_LENGTH)) for _ in range(_GROUPS))
    return "-".join(groups)
