"""What came back: which letters did, which addresses are left alone since, and which incoming mail was taken already.

Of a bounce only what was read out of it is kept: it quotes the letter, with links that still open something.
"""

from django.db import models

from lofte.core import clock
from lofte.core.models import Personal


class Bounce(Personal):
    """One letter that came back, or was complained of. ``address`` is the keyed hash of where it had been sent."""

    class Kind(models.TextChoices):
        HARD = "hard"  # there is no such mailbox
        SOFT = "soft"  # it could not take the letter this time
        BLOCKED = "blocked"  # the receiver does not want mail like this, or from us
        COMPLAINT = "complaint"  # the person told their provider that it is unwanted

    mail = models.UUIDField()
    kind = models.CharField(max_length=12, choices=Kind.choices)
    status = models.CharField(max_length=12, blank=True)
    address = models.CharField(max_length=64, blank=True)
    at = models.DateTimeField(default=clock.now)

    class Meta(Personal.Meta):
        indexes = [models.Index(fields=["person", "address", "at"], name="mailing_bounce_address")]
        constraints = [models.UniqueConstraint(fields=["person", "mail", "kind"], name="mailing_bounce_once")]


class Suppression(Personal):
    """An address of a person that marketing no longer goes to; an empty ``address`` stands for every address of theirs."""

    address = models.CharField(max_length=64, blank=True)
    reason = models.CharField(max_length=12, choices=Bounce.Kind.choices)
    status = models.CharField(max_length=12, blank=True)
    at = models.DateTimeField(default=clock.now)

    class Meta(Personal.Meta):
        constraints = [models.UniqueConstraint(fields=["person", "address"], name="mailing_suppression_once")]


class Taken(models.Model):
    """Incoming mail that was handed to its room, so that a mail server that tries twice is answered twice and heard once."""

    hash = models.CharField(primary_key=True, max_length=64)
    at = models.DateTimeField(default=clock.now, db_index=True)
