"""Tables of the forms: those built in the console with every version of them, what arrived, and double posts.

The forms of the policy are in no table: they are in the publication.
"""

from django.db import models

from lofte.core import clock
from lofte.core.models import Personal, this_site


class Built(models.Model):
    """A form made in the console: its draft, and which version of it people see now. About nobody."""

    class State(models.TextChoices):
        DRAFT = "draft"
        PUBLISHED = "published"
        RETIRED = "retired"

    form = models.CharField(primary_key=True, max_length=40)
    site_id = models.UUIDField(default=this_site, editable=False)
    state = models.CharField(max_length=10, choices=State.choices, default=State.DRAFT)
    draft = models.JSONField()
    version = models.CharField(max_length=64, blank=True)
    by = models.CharField(max_length=64)
    made_at = models.DateTimeField(default=clock.now)
    changed_at = models.DateTimeField(default=clock.now)


class Version(models.Model):
    """What one version of a console form asked and said, named by the digest of it. Appended, never changed."""

    digest = models.CharField(primary_key=True, max_length=64)
    site_id = models.UUIDField(default=this_site, editable=False)
    form = models.CharField(max_length=40, db_index=True)
    asked = models.JSONField()
    publication = models.CharField(max_length=64)
    by = models.CharField(max_length=64)
    published_at = models.DateTimeField(default=clock.now)
    retired_at = models.DateTimeField(null=True)


class Arrival(Personal):
    """That a person sent in a form: which version with which words, from which page, which boxes stood there and which were ticked.

    What was written is with whoever the form is for, and in the register. ``look_at`` is when to ask whether it is still needed.
    """

    form = models.CharField(max_length=64)
    kind = models.CharField(max_length=16)
    purpose = models.CharField(max_length=64)
    version = models.CharField(max_length=64)
    wording = models.CharField(max_length=64)
    publication = models.CharField(max_length=64)
    market = models.CharField(max_length=2)
    locale = models.CharField(max_length=8)
    page = models.CharField(max_length=300, blank=True)
    boxes = models.JSONField(default=list)
    about = models.UUIDField(null=True)
    at = models.DateTimeField(default=clock.now)
    look_at = models.DateTimeField(default=clock.now, db_index=True)

    class Meta(Personal.Meta):
        indexes = [models.Index(fields=["person", "at"], name="forms_arrival_person_at")]


class Once(models.Model):
    """Lookup: the keyed hash of what was sent and the number its page gave it -> the answer, so that a double post counts once.

    Names nobody, and goes after a day.
    """

    hash = models.CharField(primary_key=True, max_length=64)
    say = models.CharField(max_length=64, blank=True)
    reference = models.CharField(max_length=64, blank=True)
    at = models.DateTimeField(default=clock.now, db_index=True)
