"""Each run of the sweep, with what it found and did. About nobody."""

from django.db import models

from lofte.core import clock
from lofte.core.models import new_id, this_site


class Sweep(models.Model):
    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    site_id = models.UUIDField(default=this_site, editable=False)
    started_at = models.DateTimeField(default=clock.now, db_index=True)
    finished_at = models.DateTimeField(null=True)
    people = models.PositiveIntegerField(default=0)
    holdings = models.PositiveIntegerField(default=0)
    erased = models.PositiveIntegerField(default=0)
    left = models.PositiveIntegerField(default=0)
    publication = models.CharField(max_length=64, blank=True)
