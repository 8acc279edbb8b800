"""Organisations by name: found by keyed hash, named under the house key, gone with the last person there."""

import hmac
from collections.abc import Iterable
from hashlib import sha256
from uuid import UUID

from django.conf import settings

from lofte.core import blind, clock, many, vault
from lofte.features.register.models import Organisation, Placement


def id_of(name: str) -> UUID:
    """The same name, however it is spaced and cased, is the same organisation."""
    message = b"\0".join(
        (b"lofte/organisation/1", settings.LOFTE_SITE_ID.bytes, blind.normalise("name", name).encode())
    )
    return UUID(bytes=hmac.new(settings.LOFTE_BLIND_KEY, message, sha256).digest()[:16], version=4)


def remember(name: str) -> UUID:
    """The organisation of this name, made when there is none."""
    found = id_of(name)
    Organisation.objects.get_or_create(
        id=found, defaults={"sealed": vault.seal_for_house(found, name.encode()), "made_at": clock.now()}
    )
    return found


def name_of(organisation: UUID) -> str | None:
    row = Organisation.objects.filter(pk=organisation).first()
    return vault.open_for_house(row.id, row.sealed).decode() if row else None


def emptied(organisations: Iterable[UUID]) -> set[UUID]:
    """As `forget_empty`; which went."""
    asked = set(organisations)
    if not asked:
        return set()
    asked -= set(
        Placement.everyone.filter(organisation__in=many.among(asked)).values_list("organisation", flat=True).distinct()
    )
    found = set(Organisation.objects.filter(pk__in=many.among(asked)).values_list("pk", flat=True))
    many.delete(Organisation, "id", found)
    return found


def forget_empty(organisations: Iterable[UUID]) -> int:
    """Remove those of the organisations in which nobody has a place any more; returns how many went."""
    return len(emptied(organisations))
