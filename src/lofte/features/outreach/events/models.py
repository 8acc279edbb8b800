"""Tables of events: what is announced, who has a place or waits for one, what they answered, and what has been let go of."""

from django.db import models

from lofte.core import clock
from lofte.core.models import Personal, new_id, this_site


class Event(models.Model):
    """Something people come to, in the markets and languages it is announced in. Written by staff, about nobody.

    ``contents`` has title, lead, text (Markdown) and place by locale. ``keep`` says how long after the end answers are kept,
    ``retention`` where a field is kept shorter or longer than that. One that is not listed is for those who got its address.
    ``taken`` counts the places given away; every change of who has one begins by raising ``turn``, so that those of one event
    follow each other. ``sequence`` counts what people must be told of; ``has_news`` stands while some may not have been.
    """

    class State(models.TextChoices):
        DRAFT = "draft"
        PUBLISHED = "published"
        CANCELLED = "cancelled"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    site_id = models.UUIDField(default=this_site, editable=False)
    slug = models.CharField(max_length=64, unique=True)
    markets = models.JSONField()
    contents = models.JSONField()
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField(db_index=True)
    zone = models.CharField(max_length=64)
    closes_at = models.DateTimeField(null=True)
    online = models.CharField(max_length=300, blank=True)
    capacity = models.PositiveIntegerField()
    has_waiting_list = models.BooleanField(default=True)
    is_listed = models.BooleanField(default=True)
    form = models.CharField(max_length=64)
    keep = models.CharField(max_length=16)
    retention = models.JSONField(default=dict)
    reminders = models.JSONField(default=list)
    state = models.CharField(max_length=12, choices=State.choices, default=State.DRAFT)
    taken = models.PositiveIntegerField(default=0)
    turn = models.PositiveIntegerField(default=0)
    sequence = models.PositiveIntegerField(default=0)
    has_news = models.BooleanField(default=False)
    by = models.CharField(max_length=64)
    made_at = models.DateTimeField(default=clock.now)
    published_at = models.DateTimeField(null=True)
    cancelled_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["state", "starts_at"], name="events_event_ahead")]


class Registration(Personal):
    """Somebody's place at an event, or their place in the queue for one. Once a person and event.

    ``reference`` is what they show at the door; random, so that it says nothing by itself. ``due_at`` is from when nothing of it
    may be there; each answer has its own. ``told`` is the event's ``sequence`` that they know of.
    """

    class State(models.TextChoices):
        REGISTERED = "registered"
        WAITING = "waiting"
        LEFT = "left"

    event_id = models.UUIDField()
    purpose = models.CharField(max_length=64)
    market = models.CharField(max_length=2)
    locale = models.CharField(max_length=8)
    wording = models.CharField(max_length=64)
    version = models.CharField(max_length=64)
    reference = models.CharField(max_length=16)
    state = models.CharField(max_length=12, choices=State.choices)
    made_at = models.DateTimeField(default=clock.now)
    placed_at = models.DateTimeField(null=True)
    left_at = models.DateTimeField(null=True)
    reminded_at = models.DateTimeField(null=True)
    checked_in_at = models.DateTimeField(null=True)
    told = models.PositiveIntegerField(default=0)
    due_at = models.DateTimeField(db_index=True)

    class Meta(Personal.Meta):
        constraints = [models.UniqueConstraint(fields=["person", "event_id"], name="events_registration_once")]
        indexes = [models.Index(fields=["event_id", "state", "made_at"], name="events_registration_queue")]


class Answer(Personal):
    """One field of a registration, sealed, with the instant from which it must no longer exist."""

    registration = models.UUIDField()
    event_id = models.UUIDField()
    field = models.CharField(max_length=64)
    sealed = models.BinaryField()
    due_at = models.DateTimeField(db_index=True)

    class Meta(Personal.Meta):
        constraints = [models.UniqueConstraint(fields=["person", "registration", "field"], name="events_answer_once")]
        indexes = [models.Index(fields=["event_id", "field", "due_at"], name="events_answer_event")]


class Purge(models.Model):
    """That what one event had of one field was let go of: how many answers, how many a law or request still keeps, and the proof.

    A later one for the same event and field is about what was kept then.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    site_id = models.UUIDField(default=this_site, editable=False)
    event_id = models.UUIDField(db_index=True)
    field = models.CharField(max_length=64)
    gone = models.PositiveIntegerField()
    left = models.PositiveIntegerField()
    kept = models.PositiveIntegerField()
    at = models.DateTimeField(default=clock.now)
    evidence_index = models.BigIntegerField(null=True)
