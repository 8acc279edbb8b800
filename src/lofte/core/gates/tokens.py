"""Tokens by which other systems ask: 256 random bits, kept only as SHA-256, with scopes, an end and a rate."""

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from uuid import UUID

from django.db import transaction

from lofte.core import actions, clock, limits
from lofte.core.gates.models import Token
from lofte.kernel.problems import Problem

SCOPES = ("decide:use", "decide:send", "decide:share", "people:find")
"""What a token may be for: the three acts one can ask about, and naming a person by address instead of by handle."""
DEFAULT_DAYS, LONGEST_DAYS = 90, 366
DEFAULT_PER_MINUTE, MOST_PER_MINUTE = 600, 60_000
_PREFIX = "lofte_"  # so that scanners for leaked secrets know it when they see it
_UNKNOWN_PER_MINUTE = 60  # tries with a wrong token, by network address


@dataclass(frozen=True, slots=True)
class Asker:
    """The system behind a token."""

    id: UUID
    name: str
    scopes: frozenset[str]

    @property
    def actor(self) -> str:
        return f"token:{self.id}"

    def demand(self, scope: str) -> None:
        """Raises Problem `token.scope` (403) unless the token has the scope."""
        if scope not in self.scopes:
            raise Problem(
                "token.scope", f"this token has no scope {scope}", expected=scope, status=403,
                way_out="Ask whoever runs Löfte for a token with this scope.",
            )  # fmt: skip


def add(
    name: str, scopes: Iterable[str], *, by: str, days: int = DEFAULT_DAYS, per_minute: int = DEFAULT_PER_MINUTE
) -> str:
    """A new token, which is shown once and kept nowhere. Raises Problem `token.*` (422) for a scope or a length there is not."""
    wanted, name = list(dict.fromkeys(scopes)), name.strip()
    if not name or len(name) > 64 or "@" in name:
        raise _unfit("a token has the short name of a system, not of a person")
    if Token.objects.filter(name=name, revoked_at__isnull=True, expires_at__gt=clock.now()).exists():
        raise _unfit("a token of this name is in use", "another name, or revoke the other first")
    if not wanted or (unknown := [each for each in wanted if each not in SCOPES]):
        raise _unfit(
            f"there is no scope {unknown[0]}" if wanted else "a token has at least one scope", ", ".join(SCOPES)
        )
    if not 1 <= days <= LONGEST_DAYS:
        raise _unfit("a token lasts a day at least and a year at most", f"1 to {LONGEST_DAYS} days")
    if not 1 <= per_minute <= MOST_PER_MINUTE:
        raise _unfit("the rate is out of bounds", f"1 to {MOST_PER_MINUTE} a minute")
    secret, at = _PREFIX + secrets.token_urlsafe(32), clock.now()
    with transaction.atomic():
        row = Token.objects.create(
            hash=_hash(secret),
            name=name,
            scopes=wanted,
            per_minute=per_minute,
            made_by=by,
            expires_at=at + timedelta(days=days),
        )
        actions.record("token.added", by, token=str(row.pk), scopes=" ".join(wanted))
    return secret


def revoke(token: UUID, by: str) -> None:
    """It opens nothing from now on."""
    with transaction.atomic():
        if Token.objects.filter(pk=token, revoked_at__isnull=True).update(revoked_at=clock.now(), revoked_by=by):
            actions.record("token.revoked", by, token=str(token))


def named(name: str) -> Token:
    """The token of this name that is in use. Raises Problem `token.unknown`."""
    found = Token.objects.filter(name=name, revoked_at__isnull=True).order_by("-made_at").first()
    if found is None:
        raise Problem("token.unknown", "no token has this name", way_out="lofte token list", status=404)
    return found


def all_of() -> list[Token]:
    return list(Token.objects.order_by("revoked_at", "-made_at"))


def state_of(row: Token, at: datetime) -> str:
    if row.revoked_at is not None:
        return "revoked"
    return "expired" if row.expires_at <= at else "open"


def recognise(secret: str, caller: str) -> Asker:
    """Who asks. Raises Problem: 401 for a token that is wrong, revoked or over (one answer), 429 for one that asks too often."""
    at = clock.now()
    row = Token.objects.filter(hash=_hash(secret)).first() if secret.startswith(_PREFIX) else None
    if row is None or state_of(row, at) != "open":
        if not limits.allow("token.unknown", caller, _UNKNOWN_PER_MINUTE, timedelta(minutes=1)):
            raise _too_often()
        raise Problem(
            "token.invalid", "the token is missing, wrong, revoked or over", status=401,
            way_out="Send `Authorization: Bearer TOKEN`; lofte token add NAME makes one.",
        )  # fmt: skip
    if not limits.allow("token", row.pk.hex, row.per_minute, timedelta(minutes=1)):
        raise _too_often()
    if row.last_used != at.date():
        Token.objects.filter(pk=row.pk).update(last_used=at.date())
    return Asker(row.pk, row.name, frozenset(row.scopes))


def _hash(secret: str) -> str:
    return sha256(secret.encode()).hexdigest()


def _too_often() -> Problem:
    return Problem("token.too-often", "asked too often", status=429, way_out="Wait a minute.")


def _unfit(detail: str, expected: str = "") -> Problem:
    return Problem("token.unfit", detail, expected=expected, status=422)
