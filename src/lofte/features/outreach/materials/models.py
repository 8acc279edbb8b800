"""Tables of materials: what can be asked for, the files behind it, and who was given a link to it until when."""

from django.db import models

from lofte.core import clock
from lofte.core.models import Personal, new_id, this_site


class Material(models.Model):
    """Something people ask for, in the markets and languages it is offered in. Written by staff, about nobody.

    ``words`` has title, summary and inside (Markdown) by locale, ``files`` the digest of a `File` by locale; the empty locale
    stands for every language without a file of its own. ``downloads`` is on how many days one link gives the file.
    """

    class State(models.TextChoices):
        DRAFT = "draft"
        PUBLISHED = "published"
        WITHDRAWN = "withdrawn"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    site_id = models.UUIDField(default=this_site, editable=False)
    slug = models.CharField(max_length=50, unique=True)
    markets = models.JSONField()
    words = models.JSONField()
    files = models.JSONField(default=dict)
    form = models.CharField(max_length=64)
    downloads = models.PositiveSmallIntegerField(default=5)
    state = models.CharField(max_length=12, choices=State.choices, default=State.DRAFT)
    by = models.CharField(max_length=64)
    made_at = models.DateTimeField(default=clock.now)
    changed_at = models.DateTimeField(default=clock.now)
    published_at = models.DateTimeField(null=True)
    withdrawn_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["state", "published_at"], name="materials_material_state")]


class File(models.Model):
    """A file somebody gave, named by the SHA-256 of its bytes. They lie among what is published; the row goes before they do."""

    digest = models.CharField(primary_key=True, max_length=64)
    site_id = models.UUIDField(default=this_site, editable=False)
    name = models.CharField(max_length=120)
    media_type = models.CharField(max_length=100)
    size = models.PositiveIntegerField()
    by = models.CharField(max_length=64)
    given_at = models.DateTimeField(default=clock.now)


class Grant(Personal):
    """That somebody asked for a material and was sent a link to it. Once a person and material; asked again, it is renewed.

    ``left`` counts the days on which the link still gives the file, ``ends_at`` is when it stops whatever is left, and ``due_at``
    from when nothing of it may be there. ``times`` counts the days on which somebody took it,
    ``counted_at`` is when the last began.
    """

    material_id = models.UUIDField()
    form = models.CharField(max_length=64)
    purpose = models.CharField(max_length=64)
    market = models.CharField(max_length=2)
    locale = models.CharField(max_length=8)
    left = models.PositiveSmallIntegerField()
    asked_at = models.DateTimeField(default=clock.now)
    ends_at = models.DateTimeField()
    due_at = models.DateTimeField(db_index=True)
    taken_at = models.DateTimeField(null=True)
    times = models.PositiveSmallIntegerField(default=0)
    counted_at = models.DateTimeField(null=True)

    class Meta(Personal.Meta):
        constraints = [models.UniqueConstraint(fields=["person", "material_id"], name="materials_grant_once")]
        indexes = [models.Index(fields=["material_id", "person"], name="materials_grant_of")]
