"""The segments staff have described. Who is in one is never kept: it is worked out anew from what is held, each time."""

from django.db import models

from lofte.core import clock
from lofte.core.models import new_id, this_site


class Segment(models.Model):
    """A group of people by what they have in common, for one purpose. Written by staff, about nobody in particular.

    ``count`` is how many were in it at ``counted_at``; while a count runs, ``tally`` is how many it has found and ``place`` how far
    it has come. ``wanted_at`` is when the count was asked for, None when nobody waits for one.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    site_id = models.UUIDField(default=this_site, editable=False)
    name = models.CharField(max_length=120)
    purpose = models.CharField(max_length=64)
    conditions = models.JSONField()
    by = models.CharField(max_length=64)
    made_at = models.DateTimeField(default=clock.now)
    changed_at = models.DateTimeField(default=clock.now)
    put_away_at = models.DateTimeField(null=True)
    count = models.PositiveIntegerField(null=True)
    beside = models.PositiveIntegerField(default=0)
    counted_at = models.DateTimeField(null=True)
    wanted_at = models.DateTimeField(null=True, db_index=True)
    tally = models.PositiveIntegerField(default=0)
    looked_at = models.PositiveIntegerField(default=0)
    place = models.UUIDField(null=True)
