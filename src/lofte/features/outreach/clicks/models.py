"""The table of links: one row a link and campaign, the same for everybody who got the letter."""

from django.db import models

from lofte.core.models import new_id, this_site


class Link(models.Model):
    """An address a campaign links to, and how often it was followed. ``digest`` is of the address: databases index no long text."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    site_id = models.UUIDField(default=this_site, editable=False)
    campaign = models.UUIDField()
    digest = models.CharField(max_length=64)
    address = models.TextField()
    count = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["campaign", "digest"], name="clicks_link_once")]
