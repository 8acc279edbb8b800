"""How often somebody may try, counted by keyed hash so that the counters name nobody. Shared by all processes."""

import hmac
from datetime import timedelta
from hashlib import sha256

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import F

from lofte.core import clock
from lofte.core.models import Counter


def allow(name: str, who: str, at_most: int, every: timedelta) -> bool:
    """Count one try of ``name`` by ``who`` (an address, a network) and say whether it is within the limit."""
    key, at = _key(name, who), clock.now()
    Counter.objects.filter(key=key, ends_at__lte=at).delete()
    if Counter.objects.filter(key=key, count__lt=at_most).update(count=F("count") + 1):
        return True
    if Counter.objects.filter(key=key).exists():
        return False
    try:
        with transaction.atomic():
            Counter.objects.create(key=key, count=1, ends_at=at + every)
    except IntegrityError:  # another started the same window: count within it
        return bool(Counter.objects.filter(key=key, count__lt=at_most).update(count=F("count") + 1))
    return True


def give_back(name: str, who: str) -> None:
    """Uncount one try: a check of our own must not use up what people at the same address may do."""
    Counter.objects.filter(key=_key(name, who), count__gt=0).update(count=F("count") - 1)


def _key(name: str, who: str) -> str:
    return hmac.new(settings.LOFTE_LIMITS_KEY, f"{name}\0{who}".encode(), sha256).hexdigest()


def remove_ended() -> int:
    gone, _ = Counter.objects.filter(ends_at__lte=clock.now()).delete()
    return gone
