"""Every verdict that was ever reached, a row each. The newest per promise and control is what stands."""

from django.db import models

from lofte.core import clock
from lofte.core.models import new_id, this_site


class Verdict(models.Model):
    """One control's verdict on one promise. Append-only; only ``evidence`` is filled in later, once the log has it."""

    class Status(models.TextChoices):
        KEPT = "kept"
        BROKEN = "broken"
        UNPROVED = "unproved"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    site_id = models.UUIDField(default=this_site, editable=False)
    promise = models.CharField(max_length=8)
    control = models.CharField(max_length=64)
    status = models.CharField(max_length=8, choices=Status.choices)
    reason = models.CharField(max_length=64)
    facts = models.JSONField(default=dict)
    publication = models.CharField(max_length=64, blank=True)
    at = models.DateTimeField(default=clock.now)
    evidence = models.BigIntegerField(null=True)

    class Meta:
        indexes = [models.Index(fields=["promise", "control", "at"], name="promises_newest")]
