"""Tables of newsletters and campaigns: who asked and has not confirmed yet, what is sent, and what went to whom."""

from django.db import models

from lofte.core import clock
from lofte.core.models import Personal, PersonalByIndex, new_id, this_site


class SignUp(Personal):
    """Somebody typed an address and nobody has confirmed it. Belongs to a provisional person; gone after two days at the latest.

    ``hash`` is the keyed hash of the address, so that erasing a person also finds what they (or somebody) asked and left open.
    ``shown`` names the words the consent is to, as `Published.wording` knows them.
    """

    sealed = models.BinaryField()
    hash = models.CharField(max_length=64, db_index=True)
    form = models.CharField(max_length=64)
    purpose = models.CharField(max_length=64, default="newsletter")
    channel = models.CharField(max_length=8, default="email")
    shown = models.CharField(max_length=64, default="form.newsletter")
    market = models.CharField(max_length=2)
    locale = models.CharField(max_length=8)
    wording = models.CharField(max_length=64)
    publication = models.CharField(max_length=64)
    asked_at = models.DateTimeField(default=clock.now)
    expires_at = models.DateTimeField(db_index=True)


class Campaign(models.Model):
    """One letter to many, in the languages it is written in. Written by staff, about nobody.

    It goes to those who want its topic, or to a segment. ``place`` is the last person looked at, ``step`` counts the stretches:
    of two senders that take the same stretch one changes the row, the other nothing. ``patience`` is for how many days from its
    beginning it is still worth reading: who has had as many letters as the policy allows gets it within them, or not at all (0:
    is left out at once). ``version`` counts what was written.
    """

    class State(models.TextChoices):
        DRAFT = "draft"
        SCHEDULED = "scheduled"
        SENDING = "sending"
        PAUSED = "paused"
        SENT = "sent"
        STOPPED = "stopped"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    site_id = models.UUIDField(default=this_site, editable=False)
    name = models.CharField(max_length=120, default="")
    topic = models.CharField(max_length=64)
    purpose = models.CharField(max_length=64)
    markets = models.JSONField(default=list)
    segment = models.UUIDField(null=True)
    contents = models.JSONField()
    state = models.CharField(max_length=12, choices=State.choices, default=State.DRAFT, db_index=True)
    by = models.CharField(max_length=64)
    made_at = models.DateTimeField(default=clock.now)
    changed_at = models.DateTimeField(default=clock.now)
    due_at = models.DateTimeField(null=True)
    started_at = models.DateTimeField(null=True)
    sent_at = models.DateTimeField(null=True)
    place = models.UUIDField(null=True)
    step = models.PositiveIntegerField(default=0)
    looked = models.PositiveIntegerField(default=0)
    is_at_end = models.BooleanField(default=False)
    halted = models.CharField(max_length=64, blank=True)
    patience = models.PositiveSmallIntegerField(default=7)
    version = models.PositiveIntegerField(default=0)


class Delivery(PersonalByIndex):
    """That a campaign was queued for a person, or why it was not. Once a person and campaign, however often the sending runs."""

    class State(models.TextChoices):
        QUEUED = "queued"
        SUPPRESSED = "suppressed"  # the person, the law or the policy does not let it go
        SKIPPED = "skipped"  # it is not for them: another topic, market or language
        WAITING = "waiting"  # taken out of the queue by a pause; decided anew when the sending goes on
        PUT_OFF = "put_off"  # had as many letters as the policy allows; decided anew now and then while it is current

    campaign_id = models.UUIDField()
    mail_id = models.UUIDField(null=True)
    state = models.CharField(max_length=12, choices=State.choices)
    reason = models.CharField(max_length=32, blank=True)
    at = models.DateTimeField(default=clock.now)

    class Meta(PersonalByIndex.Meta):
        constraints = [models.UniqueConstraint(fields=["person", "campaign_id"], name="outreach_delivery_once")]
        indexes = [models.Index(fields=["campaign_id", "state"], name="outreach_delivery_by_state")]
