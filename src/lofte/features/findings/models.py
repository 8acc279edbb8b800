"""One row for each third party met on our pages and each thing kept, per market, however often: the live inventory."""

from django.db import models

from lofte.core.models import new_id, this_site


class Finding(models.Model):
    """Something a page tried to load or keep; whether it is declared is asked of the policy in force when somebody looks.

    ``seen_by`` is gate (it stood in the page we sent) or browser (a report, which anybody can send). ``settled_as`` is what staff
    said of it: ``removed`` from the site, so that it is an alarm again when it comes back, or ``noise`` of visitors' browsers.
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
    settled_at = models.DateTimeField(null=True)
    settled_as = models.CharField(max_length=16, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["seen_by", "kind", "what", "market"], name="findings_once")]
