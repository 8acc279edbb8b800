"""Tables of the register. Values are sealed; the rest says which field, for what, on which ground and until when."""

from django.db import models

from lofte.core import clock
from lofte.core.models import Personal


class Relation(Personal):
    """How the company knows the person: a key of the policy's relations, in a market, from a day to a day."""

    relation = models.CharField(max_length=64)
    market = models.CharField(max_length=2)
    locale = models.CharField(max_length=8)
    started_at = models.DateTimeField(default=clock.now)
    ended_at = models.DateTimeField(null=True)

    class Meta(Personal.Meta):
        indexes = [models.Index(fields=["person", "relation"], name="register_relation_person")]


class Holding(Personal):
    """One piece of personal data, sealed, with the purpose it serves and when it must be gone.

    ``hash`` is the blind index of the value where the field is one people are found by; ``due_at`` follows from the clocks and is
    written anew by everything that moves them.
    """

    field = models.CharField(max_length=64)
    purpose = models.CharField(max_length=64)
    basis = models.CharField(max_length=32)
    source = models.CharField(max_length=64)
    sealed = models.BinaryField()
    hash = models.CharField(max_length=64, blank=True)
    market = models.CharField(max_length=2)
    locale = models.CharField(max_length=8)
    publication = models.CharField(max_length=64)
    wording = models.CharField(max_length=64, blank=True)
    since = models.DateTimeField(default=clock.now)
    clock = models.CharField(max_length=64, blank=True)
    due_at = models.DateTimeField(null=True)

    class Meta(Personal.Meta):
        indexes = [
            models.Index(fields=["person", "purpose"], name="register_holding_person"),
            models.Index(fields=["due_at", "person"], name="register_holding_due"),
            models.Index(fields=["purpose", "person"], name="register_holding_purpose"),
        ]


class Signal(Personal):
    """The latest interest of each kind a person showed; earlier ones are not kept, because only the latest moves a clock."""

    kind = models.CharField(max_length=32)
    at = models.DateTimeField()
    purpose = models.CharField(max_length=64, blank=True)

    class Meta(Personal.Meta):
        constraints = [models.UniqueConstraint(fields=["person", "kind"], name="register_signal_once")]


class Look(Personal):
    """Somebody or something read a person's data, or was refused: who, for which purpose, which fields."""

    by = models.CharField(max_length=64)
    purpose = models.CharField(max_length=64)
    fields = models.JSONField(default=list)
    allowed = models.BooleanField()
    reason = models.CharField(max_length=64)
    at = models.DateTimeField(default=clock.now)

    class Meta(Personal.Meta):
        indexes = [models.Index(fields=["person", "at"], name="register_look_person")]
