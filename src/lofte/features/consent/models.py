"""What persons said about purposes: appended, never changed. The latest event counts."""

from typing import Any

from django.db import models

from lofte.core import clock
from lofte.core.models import PersonalByIndex


class Consent(PersonalByIndex):
    """One event: a grant, a withdrawal or an objection, with the exact words shown.

    ``ordinal`` counts the person's events on the purpose; it is unique, so that two at once are put in order. ``channel`` is
    the one the event speaks of; empty for all of them, which a grant never does.
    """

    class Action(models.TextChoices):
        GRANTED = "granted"
        WITHDRAWN = "withdrawn"
        OBJECTED = "objected"

    purpose = models.CharField(max_length=64)
    channel = models.CharField(max_length=8, blank=True, default="")
    ordinal = models.PositiveIntegerField()
    action = models.CharField(max_length=12, choices=Action.choices)
    wording = models.CharField(max_length=64, blank=True)
    shown = models.CharField(max_length=64, blank=True)
    publication = models.CharField(max_length=64)
    market = models.CharField(max_length=2)
    locale = models.CharField(max_length=8)
    method = models.CharField(max_length=32)
    at = models.DateTimeField(default=clock.now)

    class Meta(PersonalByIndex.Meta):
        constraints = [models.UniqueConstraint(fields=["person", "purpose", "ordinal"], name="consent_in_order")]

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise TypeError("a consent event is appended, never changed")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> Any:
        raise TypeError("a consent event goes only with its person")
