"""Each run of the sweep, holds, notices, and plans that were stopped. Runs and stops are about nobody."""

from django.db import models

from lofte.core import clock
from lofte.core.models import Personal, new_id, this_site


class Sweep(models.Model):
    """One run. ``rules`` names what the deadlines followed from (publication and general holds); ``stop`` what braked it.

    ``foreseen`` is how many people more the clocks would have taken in the month after it; ``unwarned`` went without having been
    asked, although their clock asks.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    site_id = models.UUIDField(default=this_site, editable=False)
    started_at = models.DateTimeField(default=clock.now, db_index=True)
    finished_at = models.DateTimeField(null=True)
    people = models.PositiveIntegerField(default=0)
    holdings = models.PositiveIntegerField(default=0)
    erased = models.PositiveIntegerField(default=0)
    left = models.PositiveIntegerField(default=0)
    publication = models.CharField(max_length=64, blank=True)
    rules = models.CharField(max_length=64, blank=True)
    foreseen = models.PositiveIntegerField(default=0)
    unwarned = models.PositiveIntegerField(default=0)
    stop = models.UUIDField(null=True)


class Hold(models.Model):
    """A reason in law to keep some fields of one person, or of everybody in a market, longer than their clocks say.

    ``statute`` is a kind of `holds.STATUTES`, ``citation`` the section relied on. Without an end there is a day of review.
    ``purposes`` and ``fields`` empty mean all of them; a general hold (no person) names its purposes. Not reached by `person_id`
    alone: holds are few, a general one has no person to hang on, and both are asked for together.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    site_id = models.UUIDField(default=this_site, editable=False)
    person_id = models.UUIDField(null=True, db_index=True)
    market = models.CharField(max_length=2, blank=True)
    statute = models.CharField(max_length=32)
    citation = models.CharField(max_length=160)
    fields = models.JSONField(default=list)
    purposes = models.JSONField(default=list)
    until = models.DateTimeField(null=True)
    review_at = models.DateTimeField(null=True)
    reviewer = models.CharField(max_length=32)
    placed_by = models.CharField(max_length=64)
    placed_at = models.DateTimeField(default=clock.now)
    reviewed_at = models.DateTimeField(null=True)
    released_by = models.CharField(max_length=64, blank=True)
    released_at = models.DateTimeField(null=True, db_index=True)


class Notice(Personal):
    """A person was asked, or could not be, whether to keep what a clock is about to take. Once for each end.

    ``due_at`` is that end; ``wait_until`` is set where they were asked too late, and puts the end off by the grace of the clock.
    """

    class State(models.TextChoices):
        ASKED = "asked"
        UNREACHED = "unreached"
        KEPT = "kept"

    warned_at = models.DateTimeField(default=clock.now)
    clock = models.CharField(max_length=64)
    due_at = models.DateTimeField()
    wait_until = models.DateTimeField(null=True)
    state = models.CharField(max_length=12, choices=State.choices)
    mail = models.UUIDField(null=True)
    answered_at = models.DateTimeField(null=True)

    class Meta(Personal.Meta):
        constraints = [models.UniqueConstraint(fields=["person", "clock", "due_at"], name="retention_notice_once")]


class Stop(models.Model):
    """A plan the brake stopped: whoever was due by ``at`` under ``rules``. `Planned` names them; two people let it go."""

    class State(models.TextChoices):
        WAITING = "waiting"
        RELEASED = "released"
        DONE = "done"
        VOID = "void"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    site_id = models.UUIDField(default=this_site, editable=False)
    at = models.DateTimeField()
    rules = models.CharField(max_length=64)
    reason = models.CharField(max_length=16)
    people = models.PositiveIntegerField()
    registered = models.PositiveIntegerField()
    foreseen = models.PositiveIntegerField(default=0)
    state = models.CharField(max_length=12, choices=State.choices, default=State.WAITING)
    made_at = models.DateTimeField(default=clock.now, db_index=True)
    approval = models.UUIDField(null=True)
    asked_by = models.CharField(max_length=64, blank=True)
    released_by = models.CharField(max_length=64, blank=True)
    released_at = models.DateTimeField(null=True)


class Planned(Personal):
    """Somebody in a stopped plan. Goes with the person, or with the plan."""

    stop = models.UUIDField()

    class Meta(Personal.Meta):
        constraints = [models.UniqueConstraint(fields=["stop", "person"], name="retention_planned_once")]
