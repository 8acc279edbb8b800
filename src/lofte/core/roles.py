"""Who may do what: roles as data (`roles.yaml`), each a Django group of the same name. Nothing is allowed that no role allows.

An installation replaces the shipped roles by `<home>/roles.yaml`, the whole file at once. A file with a fault lets nobody in
anywhere rather than somebody too far; the Problem says what is wrong in it.
"""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from importlib.resources import files
from io import StringIO
from pathlib import Path
from typing import Any, Literal

from django.conf import settings
from django.contrib.auth.models import Group, User
from django.db import transaction
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from lofte.core import actions, publication
from lofte.core.accounts import AUDITORS
from lofte.kernel.problems import Place, Problem
from lofte.rules.catalogue import LOCALES

PERMISSIONS = (
    "promises.read", "promises.check", "publications.read", "operation.read", "people.search", "people.read", "people.write",
    "people.export", "people.import", "people.merge", "requests.read", "requests.work", "requests.decide", "retention.read",
    "retention.hold", "retention.release", "inquiries.read", "inquiries.work", "sharing.read",
    "sharing.refer", "sharing.manage", "forms.read", "forms.manage", "events.read", "events.manage", "events.receive",
    "materials.read", "materials.manage", "campaigns.read", "campaigns.write", "campaigns.send", "records.read",
    "transfers.manage", "tokens.manage", "approvals.decide", "roles.manage",
)  # fmt: skip
BY_PASSWORD = frozenset(
    {
        "promises.read", "promises.check", "publications.read", "operation.read", "records.read", "retention.read", "events.read",
        "materials.read", "campaigns.read", "forms.read",
    }
)  # fmt: skip
"""What a password alone opens: nothing here is about a person."""
LEAD = "lead"
OPERATOR = "operator:shell"
"""The actor of what is done where the server runs: whoever can do that owns the installation anyway."""
_BEYOND_THE_POLICY = frozenset({"rights"})  # what the law asks staff to do, whether or not a policy names it


class Role(BaseModel):
    """One role as declared."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    permissions: Literal["*"] | list[str]
    purposes: Literal["*"] | list[str] = Field(default_factory=list)
    without: list[str] = Field(default_factory=list)
    second_factor: bool | Literal["always"]
    name: dict[str, str]

    def grants(self) -> frozenset[str]:
        return frozenset(PERMISSIONS if self.permissions == "*" else self.permissions)

    def may_state(self) -> frozenset[str]:
        """The purposes this role may look for, as the policy in force has them."""
        if self.purposes != "*":
            return frozenset(self.purposes)
        declared = publication.current().policy.purposes.items()
        ours = {key for key, purpose in declared if purpose.scope == "person"}
        return frozenset(ours | _BEYOND_THE_POLICY) - frozenset(self.without)

    def wants_second_factor(self, permission: str) -> bool:
        return self.second_factor == "always" or permission not in BY_PASSWORD


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    format: Literal["1"]
    roles: dict[str, Role] = Field(min_length=1)


# --- the roles there are --------------------------------------------------------------------------------------------


def declared() -> Mapping[str, Role]:
    """Every role by name, in the order of the file. Raises Problem `roles.unreadable` for a file with a fault."""
    own = Path(settings.LOFTE_HOME) / "roles.yaml"
    try:
        stamp = own.stat()
    except FileNotFoundError:
        return _shipped()
    return _read_file(own, stamp.st_mtime_ns, stamp.st_size)


@lru_cache(maxsize=1)
def _shipped() -> Mapping[str, Role]:
    return read((files("lofte.core") / "roles.yaml").read_text(encoding="utf-8"), "roles.yaml")


@lru_cache(maxsize=4)
def _read_file(file: Path, changed: int, size: int) -> Mapping[str, Role]:
    try:
        return read(file.read_text(encoding="utf-8"), "roles.yaml")
    except (OSError, UnicodeDecodeError) as error:
        raise _fault("roles.yaml", "", "the file of roles cannot be read") from error


def read(text: str, name: str) -> Mapping[str, Role]:
    """The roles of a file's text. Raises Problem `roles.unreadable` naming the first fault and its place."""
    try:
        content = YAML(typ="safe", pure=True).load(StringIO(text))
    except YAMLError as error:
        line = getattr(getattr(error, "problem_mark", None), "line", -1) + 1
        raise _fault(name, "", "the file of roles is not YAML", line=line) from error
    try:
        found = _File.model_validate(content)
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        key = ".".join(str(part) for part in first["loc"])
        raise _fault(name, key, first["msg"][:1].lower() + first["msg"][1:]) from error
    for role, each in found.roles.items():
        _examine(name, role, each)
    if not any("roles.manage" in each.grants() for each in found.roles.values()):
        raise _fault(name, "roles", "no role may manage roles", expected="roles.manage in the permissions of one")
    return found.roles


def _examine(file: str, role: str, each: Role) -> None:
    at = f"roles.{role}"
    if not role.replace("-", "").isalnum() or not role.isascii() or not role.islower() or len(role) > 32:
        raise _fault(file, at, "a role has a short name", expected="lower-case letters, digits and hyphens")
    if unknown := sorted(each.grants() - set(PERMISSIONS)):
        raise _fault(file, f"{at}.permissions", f"there is no permission {unknown[0]}", expected=", ".join(PERMISSIONS))
    if each.without and each.purposes != "*":
        raise _fault(file, f"{at}.without", "without takes away from all purposes", expected='purposes: "*"')
    if not each.second_factor and (reaching := sorted(each.grants() - BY_PASSWORD)):
        raise _fault(
            file, f"{at}.second_factor", f"{reaching[0]} reaches people, so a password alone is not enough",
            expected="second_factor: true", law="GDPR 32(1)(b)",
        )  # fmt: skip
    if role == AUDITORS and (beyond := sorted(each.grants() - {"promises.read", "publications.read"})):
        raise _fault(file, f"{at}.permissions", f"an auditor is not staff and cannot have {beyond[0]}")
    if missing := [locale for locale in LOCALES if not each.name.get(locale, "").strip()]:
        raise _fault(
            file, f"{at}.name", f"the role has no name in {missing[0]}", expected="a name in each of the five languages"
        )


def _fault(file: str, key: str, detail: str, expected: str = "", law: str = "", line: int = 0) -> Problem:
    return Problem(
        "roles.unreadable", detail, Place(file, line, key), expected, law=law, status=500,
        way_out="Mend the file in the data directory, or remove it to have the shipped roles; see docs/reference/roles.md.",
    )  # fmt: skip


def name(role: str, locale: str) -> str:
    """The role as people read it; its own id when the file no longer has it."""
    found = declared().get(role)
    return found.name.get(locale, role) if found else role


# --- who has them ---------------------------------------------------------------------------------------------------


def roles_of(user: Any) -> tuple[str, ...]:
    """The user's roles that exist, in the order of the file; none for an account that is closed."""
    if not getattr(user, "is_active", False) or user.pk is None:
        return ()
    groups = set(user.groups.values_list("name", flat=True))
    return tuple(role for role in declared() if role in groups)


def permissions_of(user: Any) -> frozenset[str]:
    known = declared()
    return frozenset().union(*(known[role].grants() for role in roles_of(user)))


def purposes_of(user: Any) -> frozenset[str]:
    """The purposes this user may state when looking at a person."""
    known = declared()
    reading = (known[role] for role in roles_of(user) if known[role].grants() - BY_PASSWORD)
    return frozenset().union(*(role.may_state() for role in reading))


def wants_second_factor(user: Any, permission: str) -> bool:
    """Whether this user must have shown a second factor to use this permission."""
    known = declared()
    return any(
        known[role].second_factor == "always"
        or (permission in known[role].grants() and known[role].wants_second_factor(permission))
        for role in roles_of(user)
    )


def demand(user: Any, permission: str) -> None:
    """Raises Problem `roles.not-allowed` (403) unless one of the user's roles has the permission."""
    if permission not in PERMISSIONS:
        raise ValueError(f"there is no permission {permission}")
    if permission not in permissions_of(user):
        raise Problem(
            "roles.not-allowed", f"none of this account's roles has {permission}", law="GDPR 32(4)", status=403,
            way_out="Ask somebody who manages roles.",
        )  # fmt: skip


# --- actors: staff as the register and the action log name them -----------------------------------------------------


def user_of(actor: str) -> User | None:
    """The account behind `staff:7`; None for code, a person, or nobody."""
    kind, _, number = actor.partition(":")
    if kind != "staff" or not number.isdecimal():
        return None
    return User.objects.filter(pk=int(number), is_active=True).first()


def role_for(actor: str, purpose: str) -> tuple[str, frozenset[str] | None]:
    """The role under which an actor looks for a purpose, and all purposes they may state; ("", None) for the person and for code.

    One statement. Of several roles that may state the purpose, the one with the fewest permissions says who looked.
    """
    if not actor.startswith("staff:"):
        return "", None
    number = actor.removeprefix("staff:")
    held = set()
    if number.isdecimal():
        held = set(Group.objects.filter(user__pk=int(number), user__is_active=True).values_list("name", flat=True))
    known = {role: each for role, each in declared().items() if role in held and each.grants() - BY_PASSWORD}
    may = {role: each.may_state() for role, each in known.items()}
    fitting = [role for role in known if purpose in may[role]] or list(known)
    role = min(fitting, key=lambda each: len(known[each].grants()), default="")
    return role, frozenset().union(*may.values())


# --- giving and taking ----------------------------------------------------------------------------------------------


def give(user: User, wanted: Iterable[str], *, by: str) -> tuple[str, ...]:
    """Set the user's roles to exactly these, and keep who did it. Groups that are no role are left alone."""
    known, asked = declared(), set(wanted)
    if unknown := sorted(asked - set(known)):
        raise Problem(
            "roles.unknown",
            f"there is no role {unknown[0]}",
            Place(key=unknown[0]),
            expected=", ".join(known),
            status=422,
        )
    if AUDITORS in asked and len(asked) > 1:
        raise Problem("roles.unfit", "an auditor comes from outside and has no other role", status=422)
    with transaction.atomic():
        before = roles_of(user)
        for role in known:
            group = (
                Group.objects.get_or_create(name=role)[0] if role in asked else Group.objects.filter(name=role).first()
            )
            if group is not None:
                (user.groups.add if role in asked else user.groups.remove)(group)
        if user.is_staff != (AUDITORS not in asked):
            user.is_staff = AUDITORS not in asked
            user.save(update_fields=["is_staff"])
        after = tuple(role for role in known if role in asked)
        if before != after:
            actions.record("roles.changed", by, user=user.pk, before=",".join(before), after=",".join(after))
    return after
