"""Agreements on file, what went to whom, what was called back, and the cases of authorities and successors.

Only `Disclosure` and `Member` are about a person. What outlives an erasure (`Recall`) names a reference and nobody.
"""

from django.db import models

from lofte.core import clock
from lofte.core.models import Personal, new_id, this_site


class Agreement(models.Model):
    """An agreement with one company, of one of the policy's recipients. The document is sealed for the house.

    ``without_payment`` is always true, and the database holds it to that: what is paid for is a sale, and there is no such path.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    site_id = models.UUIDField(default=this_site, editable=False)
    recipient = models.CharField(max_length=64)
    partner = models.CharField(max_length=120)
    services = models.JSONField(default=list)
    purposes = models.JSONField()
    fields = models.JSONField()
    country = models.CharField(max_length=2)
    signed = models.DateField()
    expires = models.DateField()
    review_at = models.DateField()
    reviewer = models.CharField(max_length=64)
    without_payment = models.BooleanField(default=True)
    sealed_name = models.BinaryField()
    sealed = models.BinaryField()
    kind = models.CharField(max_length=100)
    digest = models.CharField(max_length=64)
    sealed_contact = models.BinaryField()
    endpoint = models.URLField(max_length=300, blank=True)
    sealed_secret = models.BinaryField(null=True)
    by = models.CharField(max_length=64)
    at = models.DateTimeField(default=clock.now)
    ended_at = models.DateTimeField(null=True)
    warned_at = models.DateTimeField(null=True)
    evidence_index = models.BigIntegerField(null=True)

    class Meta:
        indexes = [models.Index(fields=["recipient", "expires"], name="sharing_agreement_recipient")]
        constraints = [
            models.CheckConstraint(condition=models.Q(without_payment=True), name="sharing_agreement_never_sold"),
            models.CheckConstraint(condition=models.Q(expires__gte=models.F("signed")), name="sharing_agreement_ends"),
        ]


class Disclosure(Personal):
    """What of one person goes, or went, to somebody else, and on what ground. Written, and logged, before anything leaves.

    ``reference`` is random: the recipient is given it with the data, and is told it again when the data must go.
    """

    class State(models.TextChoices):
        RECORDED = "recorded"  # decided and written down; nothing has left
        HANDED_OVER = "handed_over"
        CANCELLED = "cancelled"
        RECALLED = "recalled"

    agreement = models.UUIDField(null=True)
    case = models.UUIDField(null=True)
    reference = models.CharField(max_length=16)
    recipient = models.CharField(max_length=64)
    name = models.CharField(max_length=120)
    purpose = models.CharField(max_length=64)
    fields = models.JSONField()
    basis = models.CharField(max_length=32)
    country = models.CharField(max_length=2)
    market = models.CharField(max_length=2)
    ground = models.CharField(max_length=64)
    law = models.CharField(max_length=120)
    promise = models.CharField(max_length=8, blank=True)
    told = models.CharField(max_length=12)
    mail = models.UUIDField(null=True)
    state = models.CharField(max_length=12, choices=State.choices, default=State.RECORDED)
    by = models.CharField(max_length=64)
    at = models.DateTimeField(default=clock.now)
    evidence_index = models.BigIntegerField(null=True)
    handed_at = models.DateTimeField(null=True)
    handed_by = models.CharField(max_length=64, blank=True)

    class Meta(Personal.Meta):
        indexes = [
            models.Index(fields=["person", "at"], name="sharing_disclosure_person"),
            models.Index(fields=["state", "at"], name="sharing_disclosure_state"),
            models.Index(fields=["agreement", "state"], name="sharing_disclosure_agreement"),
            models.Index(fields=["case", "state"], name="sharing_disclosure_case"),
        ]


class Recall(models.Model):
    """Somebody who was given data is told to erase it, restrict it or stop (GDPR 19). Knows a reference, never a person."""

    class What(models.TextChoices):
        ERASE = "erase"
        RESTRICT = "restrict"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    site_id = models.UUIDField(default=this_site, editable=False)
    what = models.CharField(max_length=12, choices=What.choices, default=What.ERASE)
    reason = models.CharField(max_length=16)
    agreement = models.UUIDField(null=True, db_index=True)
    case = models.UUIDField(null=True, db_index=True)
    recipient = models.CharField(max_length=64)
    name = models.CharField(max_length=120)
    reference = models.CharField(max_length=16, db_index=True)
    made_at = models.DateTimeField(default=clock.now)
    due = models.DateTimeField(db_index=True)
    told_at = models.DateTimeField(null=True)
    tellings = models.PositiveSmallIntegerField(default=0)
    confirmed_at = models.DateTimeField(null=True)
    confirmed_by = models.CharField(max_length=64, blank=True)


class Case(models.Model):
    """One decision of an authority, or one merger or sale: who receives, whom and what it covers, its document, who released it."""

    class Kind(models.TextChoices):
        AUTHORITY = "authority"
        MERGER = "merger"

    class State(models.TextChoices):
        OPEN = "open"  # scope and document may still change
        NOTICED = "noticed"  # people are told, or have been; the period runs
        RELEASED = "released"  # two people have released it; what leaves is being written down
        READY = "ready"  # everything is in the log and may be handed over
        CLOSED = "closed"
        WITHDRAWN = "withdrawn"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    site_id = models.UUIDField(default=this_site, editable=False)
    reference = models.CharField(max_length=16)
    kind = models.CharField(max_length=12, choices=Kind.choices)
    recipient = models.CharField(max_length=64)
    name = models.CharField(max_length=120)
    country = models.CharField(max_length=2)
    market = models.CharField(max_length=2)
    purpose = models.CharField(max_length=64)
    fields = models.JSONField()
    relations = models.JSONField(default=list)
    law = models.CharField(max_length=120)
    decision = models.CharField(max_length=120, blank=True)
    decided_on = models.DateField(null=True)
    sealed_name = models.BinaryField(null=True)
    sealed = models.BinaryField(null=True)
    file_kind = models.CharField(max_length=100, blank=True)
    digest = models.CharField(max_length=64, blank=True)
    sealed_contact = models.BinaryField(null=True)
    tells = models.BooleanField(default=True)
    state = models.CharField(max_length=12, choices=State.choices, default=State.OPEN)
    notice_began = models.DateTimeField(null=True)
    noticed_on = models.DateField(null=True)
    free_from = models.DateField(null=True)
    released_by = models.JSONField(default=list)
    released_at = models.DateTimeField(null=True)
    place = models.UUIDField(null=True)
    counts = models.JSONField(default=dict)
    by = models.CharField(max_length=64)
    at = models.DateTimeField(default=clock.now)
    closed_at = models.DateTimeField(null=True)
    evidence_index = models.BigIntegerField(null=True)

    class Meta:
        indexes = [models.Index(fields=["state", "at"], name="sharing_case_state")]


class Member(Personal):
    """One person a case covers, and how far it has come with them."""

    class State(models.TextChoices):
        LISTED = "listed"
        NOTICED = "noticed"
        UNREACHED = "unreached"  # has no address: told by post or left out
        LEFT_OUT = "left_out"
        DISCLOSED = "disclosed"

    case = models.UUIDField()
    state = models.CharField(max_length=12, choices=State.choices, default=State.LISTED)
    reason = models.CharField(max_length=64, blank=True)
    noticed_at = models.DateTimeField(null=True)
    mail = models.UUIDField(null=True)
    disclosure = models.UUIDField(null=True)

    class Meta(Personal.Meta):
        constraints = [models.UniqueConstraint(fields=["person", "case"], name="sharing_member_once")]
        indexes = [models.Index(fields=["case", "state", "person"], name="sharing_member_case")]
