"""Which copies there are: an operator's directory each, nothing personal."""

from django.db import models

from lofte.core import clock
from lofte.core.models import new_id, this_site


class Copy(models.Model):
    """A copy that was made. ``delete_by`` is when it must be gone, ``gone_at`` when it was; ``epochs`` are the epoch keys in it."""

    class What(models.TextChoices):
        DATA = "data"
        KEYS = "keys"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    site_id = models.UUIDField(default=this_site, editable=False)
    run = models.CharField(max_length=32, db_index=True)
    what = models.CharField(max_length=8, choices=What.choices)
    place = models.CharField(max_length=1000)
    made_at = models.DateTimeField(default=clock.now)
    bytes = models.BigIntegerField(default=0)
    log_size = models.BigIntegerField(default=0)
    epochs = models.JSONField(default=list)
    verified_at = models.DateTimeField(null=True)
    delete_by = models.DateTimeField(null=True)
    gone_at = models.DateTimeField(null=True)
