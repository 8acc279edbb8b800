"""The row a piece of long work lives by."""

from django.db import models

from lofte.core import clock
from lofte.core.models import new_id, this_site


class Work(models.Model):
    """Long work, under way while ``finished_at`` is empty. Done so far and all there is to do, in ``unit``."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    site_id = models.UUIDField(default=this_site, editable=False)
    name = models.CharField(max_length=64)
    about = models.CharField(max_length=64, blank=True)
    unit = models.CharField(max_length=16)
    done = models.BigIntegerField(default=0)
    total = models.BigIntegerField(default=0)
    place = models.JSONField(default=dict)
    started_at = models.DateTimeField(default=clock.now)
    moved_at = models.DateTimeField(default=clock.now)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["name", "started_at"], name="progress_work_name")]
