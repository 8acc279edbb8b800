"""Transfer tools on file and tokens of other systems. A row is never rewritten: it is ended, and another one follows."""

from django.db import models

from lofte.core import clock
from lofte.core.country import Kind
from lofte.core.models import new_id, this_site


class Tool(models.Model):
    """One thing that lets data go to a country, or stops it, with its dated proof. See `core.country.OnFile`.

    ``proof`` is the address where it was seen, ``digest`` the SHA-256 of a copy kept elsewhere. ``ended_on`` is the first day it
    no longer counts because somebody said so.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    site_id = models.UUIDField(default=this_site, editable=False)
    kind = models.CharField(max_length=16, choices=[(each.value, each.value) for each in Kind])
    recipient = models.CharField(max_length=64, blank=True)
    country = models.CharField(max_length=2, blank=True)
    reference = models.CharField(max_length=120)
    proof = models.CharField(max_length=500, blank=True)
    digest = models.CharField(max_length=64, blank=True)
    since = models.DateField()
    until = models.DateField(null=True)
    assessed = models.DateField(null=True)
    covers_hr = models.BooleanField(default=False)
    uk_since = models.DateField(null=True)
    uk_until = models.DateField(null=True)
    facts = models.JSONField(default=dict)
    recorded_by = models.CharField(max_length=64)
    recorded_at = models.DateTimeField(default=clock.now)
    ended_on = models.DateField(null=True)
    ended_by = models.CharField(max_length=64, blank=True)
    warned = models.DateField(null=True)


class Token(models.Model):
    """What another system shows to ask. Only the SHA-256 of its 256 random bits is kept."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    site_id = models.UUIDField(default=this_site, editable=False)
    hash = models.CharField(max_length=64, unique=True)
    name = models.CharField(max_length=64)
    scopes = models.JSONField()
    per_minute = models.PositiveIntegerField()
    made_by = models.CharField(max_length=64)
    made_at = models.DateTimeField(default=clock.now)
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)
    revoked_by = models.CharField(max_length=64, blank=True)
    last_used = models.DateField(null=True)
