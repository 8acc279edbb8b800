"""Tables of the newsletter: who asked and has not confirmed yet, issues, and what went to whom."""

from django.db import models

from lofte.core import clock
from lofte.core.models import Personal, new_id, this_site


class SignUp(Personal):
    """Somebody typed an address and nobody has confirmed it. Belongs to a provisional person; gone after two days at the latest.

    ``hash`` is the keyed hash of the address, so that erasing a person also finds what they (or somebody) asked and left open.
    """

    sealed = models.BinaryField()
    hash = models.CharField(max_length=64, db_index=True)
    form = models.CharField(max_length=64)
    market = models.CharField(max_length=2)
    locale = models.CharField(max_length=8)
    wording = models.CharField(max_length=64)
    publication = models.CharField(max_length=64)
    asked_at = models.DateTimeField(default=clock.now)
    expires_at = models.DateTimeField(db_index=True)


class Issue(models.Model):
    """One newsletter, in the languages it is written in. Written by staff, about nobody."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    site_id = models.UUIDField(default=this_site, editable=False)
    topic = models.CharField(max_length=64)
    purpose = models.CharField(max_length=64)
    contents = models.JSONField()
    state = models.CharField(max_length=8, default="draft")
    by = models.CharField(max_length=64)
    made_at = models.DateTimeField(default=clock.now)
    sent_at = models.DateTimeField(null=True)


class Delivery(Personal):
    """That an issue was queued for a person, or why it was not. Once a person and issue, however often the sending runs."""

    issue_id = models.UUIDField(db_index=True)
    mail_id = models.UUIDField(null=True)
    state = models.CharField(max_length=12)
    reason = models.CharField(max_length=32, blank=True)
    at = models.DateTimeField(default=clock.now)

    class Meta(Personal.Meta):
        constraints = [models.UniqueConstraint(fields=["person", "issue_id"], name="outreach_delivery_once")]
