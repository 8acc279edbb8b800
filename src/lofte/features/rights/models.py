"""Tables of the rights: requests and their history, restrictions, questions in waiting, erasures under way."""

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

    Not reached by `person_id`: it must outlive the person's rows to be carried to its end after a crash. ``hand`` is the batch or
    the search that has it in hand; whoever takes it over writes another there, and the first then leaves it alone.
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
    hand = models.UUIDField(null=True)

    class Meta:
        indexes = [models.Index(fields=["hand", "state"], name="rights_erasure_hand")]


class Request(models.Model):
    """A person exercising a right, from the day it came until it is answered, and as a bare record for as long as the law asks.

    Not reached by `person_id`: it may come from somebody nobody knows yet, and outlives an erasure as what, when and how it ended.
    ``subject`` is who it is said to be from, and surely is once ``identified_at`` stands. ``owner`` is whose vault key seals the
    words: the subject's, or the request's own while there is no subject. ``due_on`` and ``notice_by`` follow from the law pack and
    are written anew by everything that moves them. ``hash`` is the blind index of the address a stranger wrote from, so that an
    erasure of whoever has that address finds it. ``turn`` counts what was done: whoever acts on an older one is told to look again.
    ``assignee`` is who has it on their desk: ``staff:<id>``, ``role:<name>`` or nobody.
    """

    class Right(models.TextChoices):
        ACCESS = "access"
        RECTIFICATION = "rectification"
        ERASURE = "erasure"
        PORTABILITY = "portability"
        WITHDRAWAL = "withdrawal"
        OBJECTION = "objection"
        RESTRICTION = "restriction"
        QUESTION = "question"
        COMPLAINT = "complaint"
        APPEAL = "appeal"

    class Channel(models.TextChoices):
        PORTAL = "portal"
        MAIL = "mail"
        PHONE = "phone"
        MEETING = "meeting"
        CHAT = "chat"
        POST = "post"

    class State(models.TextChoices):
        RECEIVED = "received"
        IDENTIFYING = "identifying"
        WORKING = "working"
        WAITING = "waiting"
        ANSWERED = "answered"
        REFUSED = "refused"
        DONE = "done"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    site_id = models.UUIDField(default=this_site, editable=False)
    reference = models.CharField(max_length=9, db_index=True)
    subject = models.UUIDField(null=True)
    owner = models.UUIDField(null=True)
    sealed = models.BinaryField(null=True)
    hash = models.CharField(max_length=64, blank=True, db_index=True)
    right = models.CharField(max_length=16, choices=Right.choices)
    purpose = models.CharField(max_length=64, blank=True)
    channel = models.CharField(max_length=12, choices=Channel.choices)
    market = models.CharField(max_length=2)
    locale = models.CharField(max_length=8)
    law = models.CharField(max_length=8)
    by = models.CharField(max_length=64)
    state = models.CharField(max_length=12, choices=State.choices, default=State.RECEIVED)
    outcome = models.CharField(max_length=32, blank=True)
    ends_itself = models.BooleanField(default=False)
    turn = models.PositiveIntegerField(default=0)
    assignee = models.CharField(max_length=64, blank=True)
    received_at = models.DateTimeField()
    identified_at = models.DateTimeField(null=True)
    extended_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)
    due_on = models.DateField()
    notice_by = models.DateField(null=True)
    noted_at = models.DateTimeField(default=clock.now)

    class Meta:
        indexes = [
            models.Index(fields=["state", "due_on"], name="rights_request_due"),
            models.Index(fields=["subject", "received_at"], name="rights_request_subject"),
            models.Index(fields=["closed_at"], name="rights_request_closed"),
        ]


class Step(models.Model):
    """One thing that happened to a request: who, when, and sealed, with which words. ``about`` is what was ordered by it: an
    erasure, a correction, a consent event, a restriction. Appended, never changed; the words go with the person."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    site_id = models.UUIDField(default=this_site, editable=False)
    request = models.UUIDField()
    kind = models.CharField(max_length=32)
    by = models.CharField(max_length=64)
    at = models.DateTimeField(default=clock.now)
    reason = models.CharField(max_length=64, blank=True)
    sealed = models.BinaryField(null=True)
    about = models.UUIDField(null=True, db_index=True)

    class Meta:
        indexes = [models.Index(fields=["request", "at"], name="rights_step_request")]


class Restriction(Personal):
    """From ``since`` to ``lifted_at`` a person's data may only be kept (GDPR 18). ``told_at`` is when they were told of its end."""

    request = models.UUIDField(null=True)
    by = models.CharField(max_length=64)
    since = models.DateTimeField(default=clock.now)
    told_at = models.DateTimeField(null=True)
    lifted_at = models.DateTimeField(null=True)

    class Meta(Personal.Meta):
        indexes = [models.Index(fields=["person", "lifted_at"], name="rights_restriction_person")]
