"""Remembers what was erased without knowing it: a value given again is recognised, and nothing else can be asked."""

import hmac
from collections.abc import Iterable
from datetime import datetime
from hashlib import sha256

from django.conf import settings

from lofte.core import clock, many
from lofte.features.register.models import ErasedMark


def remember(hashes: Iterable[str]) -> None:
    """Keep marks of the blind hashes of a person who is being erased."""
    for found in hashes:
        ErasedMark.objects.update_or_create(mark=_mark(found), defaults={"at": clock.now()})


def remember_all(hashes: Iterable[str]) -> None:
    """As `remember`, for the hashes of many people in one statement."""
    at = clock.now()
    rows = [{"mark": _mark(each), "at": at} for each in sorted(set(hashes))]
    many.write(ErasedMark, rows, "(mark) DO UPDATE SET at = excluded.at")


def when(found: str) -> datetime | None:
    """When the value of this blind hash was last erased, if ever."""
    return ErasedMark.objects.filter(pk=_mark(found)).values_list("at", flat=True).first()


def _mark(found: str) -> str:
    message = b"\0".join((b"lofte/erased/1", settings.LOFTE_SITE_ID.bytes, found.encode()))
    return hmac.new(settings.LOFTE_BLIND_KEY, message, sha256).hexdigest()
