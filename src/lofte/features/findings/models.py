"""One row for each thing the policy does not describe, per market, however often it was seen."""

from django.db import models

from lofte.core.models import new_id, this_site


class Finding(models.Model):
    """Something undeclared that a page tried to load or keep.

    ``seen_by`` is gate (it was held) or browser (a CSP report).
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    site_id = models.UUIDField(default=this_site, editable=False)
    seen_by = models.CharField(max_length=16)
    kind = models.CharField(max_length=32)
    what = models.CharField(max_length=255)
    market = models.CharField(max_length=2, blank=True)
    page = models.CharField(max_length=255)
    times = models.PositiveBigIntegerField(default=0)
    first_seen = models.DateTimeField()
    last_seen = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["seen_by", "kind", "what", "market"], name="findings_once")]
