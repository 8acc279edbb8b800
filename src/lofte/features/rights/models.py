"""Tables of the rights: questions in waiting, corrections in waiting, erasures under way."""

from django.db import models

from lofte.core import clock
from lofte.core.models import Personal, new_id, this_site


class Ask(models.Model):
    """Somebody asked for a link: an address, sealed, that may or may not be known. Lives for seconds, until a duty has looked."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    site_id = models.UUIDField(default=this_site, editable=False)
    sealed = models.BinaryField()
    market = models.CharField(max_length=2)
    locale = models.CharField(max_length=8)
    asked_at = models.DateTimeField(default=clock.now)


class Correction(Personal):
    """A new address that has not yet shown that it is the person's."""

    holding_id = models.UUIDField()
    sealed = models.BinaryField()
    asked_at = models.DateTimeField(default=clock.now)
    expires_at = models.DateTimeField(db_index=True)


class Erasure(models.Model):
    """An erasure from order to proof. While it runs it knows the person and, sealed, what to search for; afterwards only counts.

    Not reached by `person_id`: it must outlive the person's rows to be carried to its end after a crash.
    """

    class State(models.TextChoices):
        PLANNED = "planned"
        KEY_DESTROYED = "key_destroyed"
        ROWS_ERASED = "rows_erased"
        SHREDDED = "shredded"
        ELSEWHERE = "elsewhere"
        VERIFIED = "verified"
        RESIDUE = "residue"
        CLEAN = "clean"
        DONE = "done"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    site_id = models.UUIDField(default=this_site, editable=False)
    subject = models.UUIDField(null=True, unique=True)
    by = models.CharField(max_length=64)
    state = models.CharField(max_length=16, choices=State.choices, default=State.PLANNED)
    sealed = models.BinaryField(null=True)
    indexes = models.JSONField(default=list)
    counts = models.JSONField(default=dict)
    residue = models.JSONField(default=list)
    kept = models.JSONField(default=list)
    elsewhere = models.JSONField(default=list)
    searched = models.PositiveIntegerField(default=0)
    evidence_index = models.BigIntegerField(null=True)
    started_at = models.DateTimeField(default=clock.now)
    finished_at = models.DateTimeField(null=True)
    next_at = models.DateTimeField(default=clock.now, db_index=True)
