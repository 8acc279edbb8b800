"""Wrapped keys and the marks of destroyed ones. No personal data: an owner is a random id and a tombstone a keyed hash."""

from django.db import models


class OwnerKey(models.Model):
    """The 256-bit key of one owner (a person, or a piece of work in hand), wrapped by the key of an epoch."""

    owner = models.UUIDField(primary_key=True)
    epoch = models.CharField(max_length=32)
    version = models.PositiveSmallIntegerField(default=1)
    wrapped = models.BinaryField()
    made_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["epoch"], name="keys_owner_epoch")]


class Tombstone(models.Model):
    """An owner whose key was destroyed and must never be made again; found by keyed hash, so that it names nobody."""

    mark = models.CharField(primary_key=True, max_length=64)
    at = models.DateTimeField()
