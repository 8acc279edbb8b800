"""Single-use tokens: 256 random bits, kept only as SHA-256 in a lookup table keyed by that hash, with purpose and expiry."""

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from uuid import UUID

from django.db.models import Q, QuerySet

from lofte.core import clock
from lofte.core.models import Code
from lofte.kernel.problems import Problem

TOKEN_BYTES = 32


@dataclass(frozen=True, slots=True)
class Opened:
    """What a token opens."""

    person_id: UUID
    market: str
    locale: str
    about: UUID | None
    expires_at: datetime | None


def hash_of(token: str) -> str:
    return sha256(token.encode()).hexdigest()


def issue(
    purpose: str, person_id: UUID, *, market: str, locale: str, lasts: timedelta | None,
    single_use: bool = True, about: UUID | None = None, token: str = "",
) -> str:  # fmt: skip
    """A new token for one purpose and person. ``lasts`` None: until the person is erased.

    ``token`` is given where it is made of a secret the holder has already and a few digits that were mailed.
    """
    token, at = token or secrets.token_urlsafe(TOKEN_BYTES), clock.now()
    Code.objects.create(
        hash=hash_of(token), purpose=purpose, person_id=person_id, market=market, locale=locale, about=about,
        single_use=single_use, made_at=at, expires_at=at + lasts if lasts else None,
    )  # fmt: skip
    return token


def issue_many(
    purpose: str, holders: Sequence[tuple[UUID, str, str]], *, about: UUID, make: Callable[[], str]
) -> list[str]:
    """As `issue` for many at once: (person, market, locale) each, tokens that serve until the person is erased."""
    tokens, at = [make() for _ in holders], clock.now()
    Code.objects.bulk_create(
        [
            Code(
                hash=hash_of(token), purpose=purpose, person_id=person, market=market, locale=locale, about=about,
                single_use=False, made_at=at,
            )
            for token, (person, market, locale) in zip(tokens, holders, strict=True)
        ],
        batch_size=500,
    )  # fmt: skip
    return tokens


def peek(token: str, purpose: str) -> Opened | None:
    """What the token would open now, changing nothing."""
    found = _usable(token, purpose).first()
    return _opened(found) if found else None


def redeem(token: str, purpose: str) -> Opened:
    """Use the token. Wrong, spent and expired are one answer: Problem `code.unknown`."""
    found = _usable(token, purpose).first()
    # The conditional UPDATE decides between two that redeem at once: only one of them changes the row.
    if found is None or not _usable(token, purpose).update(used_at=clock.now()):
        raise Problem("code.unknown", "this link is not valid, or no longer", way_out="Ask for a new one.", status=410)
    return _opened(found)


def point(token: str, purpose: str, person_id: UUID, about: UUID) -> None:
    """Let a token that stays open another while open something else: it was used, and may be used again."""
    Code.objects.filter(hash=hash_of(token), purpose=purpose).update(
        person_id=person_id, about=about, used_at=clock.now()
    )


def revoke(token: str, purpose: str) -> None:
    Code.objects.filter(hash=hash_of(token), purpose=purpose).delete()


def revoke_all(person_id: UUID, purpose: str) -> None:
    Code.objects.filter(person_id=person_id, purpose=purpose).delete()


def remove_expired() -> int:
    """Forget what can no longer be used (a duty)."""
    spent = Q(single_use=True, used_at__isnull=False)
    gone, _ = Code.objects.filter(Q(expires_at__lt=clock.now()) | spent).delete()
    return gone


def _usable(token: str, purpose: str) -> QuerySet[Code]:
    live = Q(expires_at__isnull=True) | Q(expires_at__gt=clock.now())
    fresh = Q(single_use=False) | Q(used_at__isnull=True)
    return Code.objects.filter(live, fresh, hash=hash_of(token), purpose=purpose)


def _opened(found: Code) -> Opened:
    return Opened(found.person_id, found.market, found.locale, found.about, found.expires_at)
