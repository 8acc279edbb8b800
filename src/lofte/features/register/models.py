"""Tables of the register. Values are sealed; the rest says which field, for what, on which ground and until when."""

from django.db import models

from lofte.core import clock
from lofte.core.models import Personal, PersonalByIndex, new_id, this_site


class Relation(PersonalByIndex):
    """How the company knows the person: a key of the policy's relations, in a market, from a day to a day."""

    relation = models.CharField(max_length=64)
    market = models.CharField(max_length=2)
    locale = models.CharField(max_length=8)
    started_at = models.DateTimeField(default=clock.now)
    ended_at = models.DateTimeField(null=True)

    class Meta(Personal.Meta):
        indexes = [models.Index(fields=["person", "relation"], name="register_relation_person")]


class Holding(PersonalByIndex):
    """One piece of personal data, sealed, with the purpose it serves and when it must be gone.

    ``hash`` is the blind index of the value where the field is one people are found by; ``due_at`` follows from the clocks and is
    written anew by everything that moves them.
    """

    field = models.CharField(max_length=64)
    purpose = models.CharField(max_length=64)
    basis = models.CharField(max_length=32)
    source = models.CharField(max_length=64)
    sealed = models.BinaryField()
    hash = models.CharField(max_length=64, blank=True)
    market = models.CharField(max_length=2)
    locale = models.CharField(max_length=8)
    publication = models.CharField(max_length=64)
    wording = models.CharField(max_length=64, blank=True)
    since = models.DateTimeField(default=clock.now)
    clock = models.CharField(max_length=64, blank=True)
    due_at = models.DateTimeField(null=True)

    class Meta(Personal.Meta):
        indexes = [
            # who has how much of which, and until when; what is due, by which clock: both answered without reading the table
            models.Index(fields=["person", "purpose", "due_at"], name="register_holding_of"),
            models.Index(fields=["due_at", "person", "clock"], name="register_holding_struck"),
            models.Index(fields=["purpose", "person"], name="register_holding_purpose"),
        ]


class Signal(PersonalByIndex):
    """The latest interest of each kind a person showed; earlier ones are not kept, because only the latest moves a clock.

    ``source`` is where it was noticed: ``link:open``, ``form:newsletter``, ``dialogue``, ``notice:<id>``.
    """

    kind = models.CharField(max_length=32)
    at = models.DateTimeField()
    purpose = models.CharField(max_length=64, blank=True)
    source = models.CharField(max_length=64, blank=True)

    class Meta(Personal.Meta):
        constraints = [models.UniqueConstraint(fields=["person", "kind"], name="register_signal_once")]


class Look(PersonalByIndex):
    """Somebody or something read a person's data, or was refused: who, for which purpose, which fields.

    ``role`` is the role a member of staff had then; it is what the person sees.
    """

    by = models.CharField(max_length=64)
    role = models.CharField(max_length=32, blank=True)
    purpose = models.CharField(max_length=64)
    fields = models.JSONField(default=list)
    allowed = models.BooleanField()
    reason = models.CharField(max_length=64)
    at = models.DateTimeField(default=clock.now)

    class Meta(Personal.Meta):
        indexes = [models.Index(fields=["person", "at"], name="register_look_person")]


class Organisation(models.Model):
    """Where people work. The id is a keyed hash of the normalised name, so that one name is one organisation.

    The name is sealed with the house key, because a sole trader's is a person's; the row goes with the last person there.
    """

    id = models.UUIDField(primary_key=True, editable=False)
    site_id = models.UUIDField(default=this_site, editable=False)
    sealed = models.BinaryField()
    made_at = models.DateTimeField(default=clock.now)


class Placement(PersonalByIndex):
    """A person's place in an organisation, for a purpose in a market, from a day to a day.

    What is said of the person stands in holdings, named here by their ids: the organisation's name as the person's company, their
    title and their role. The place goes when the company goes.
    """

    organisation = models.UUIDField(db_index=True)
    purpose = models.CharField(max_length=64)
    market = models.CharField(max_length=2)
    company = models.UUIDField()
    title = models.UUIDField(null=True)
    role = models.UUIDField(null=True)
    started_at = models.DateTimeField(default=clock.now)
    ended_at = models.DateTimeField(null=True)

    class Meta(Personal.Meta):
        indexes = [models.Index(fields=["person", "organisation"], name="register_placement_person")]


class Dialogue(PersonalByIndex):
    """One letter, call, meeting or message: how, which way, when and with whom of us. The holding of the same id has its words."""

    class Medium(models.TextChoices):
        MAIL = "mail"
        PHONE = "phone"
        MEETING = "meeting"
        CHAT = "chat"
        POST = "post"

    class Direction(models.TextChoices):
        IN = "in"
        OUT = "out"

    medium = models.CharField(max_length=12, choices=Medium.choices)
    direction = models.CharField(max_length=4, choices=Direction.choices)
    at = models.DateTimeField()
    by = models.CharField(max_length=64)

    class Meta(Personal.Meta):
        indexes = [models.Index(fields=["person", "at"], name="register_dialogue_person")]


class Attachment(Personal):
    """A file that came with an entry of the dialogue, which it names and goes with. Its name and content are sealed.

    No rule takes somebody else out of a file, so it goes out in a copy only once somebody who opened it (``opened_by``) said so.
    ``wanted_at`` is when a copy was asked for that it should have been in.
    """

    class State(models.TextChoices):
        LOOKING = "looking"
        GIVEN = "given"
        WITHHELD = "withheld"

    dialogue = models.UUIDField()
    sealed_name = models.BinaryField()
    sealed = models.BinaryField()
    kind = models.CharField(max_length=64)
    size = models.PositiveIntegerField()
    by = models.CharField(max_length=64)
    at = models.DateTimeField(default=clock.now)
    state = models.CharField(max_length=8, choices=State.choices, default=State.LOOKING)
    opened_by = models.CharField(max_length=64, blank=True)
    judged_by = models.CharField(max_length=64, blank=True)
    judged_at = models.DateTimeField(null=True)
    wanted_at = models.DateTimeField(null=True)

    class Meta(Personal.Meta):
        indexes = [
            models.Index(fields=["person", "dialogue"], name="register_attachment_person"),
            models.Index(fields=["state", "wanted_at"], name="register_attachment_wanted"),
        ]


class Likeness(Personal):
    """Two people who may be one: ``person`` and ``other``, why it seems so, and, once somebody looked, that they are not.

    Named once a pair, by the smaller id; nothing is ever merged by itself.
    """

    other = models.UUIDField(db_index=True)
    reason = models.CharField(max_length=16)
    found_at = models.DateTimeField(default=clock.now, db_index=True)
    settled_by = models.CharField(max_length=64, blank=True)
    settled_at = models.DateTimeField(null=True)

    class Meta(Personal.Meta):
        constraints = [models.UniqueConstraint(fields=["person", "other"], name="register_likeness_once")]


class Merged(Personal):
    """Another record turned out to be this person: under which handle it went, who said so, and what stood there twice.

    ``sealed`` holds what was the same in both and is kept once: field, purpose, source and since when, of the one that went.
    """

    gone = models.UUIDField(db_index=True)
    by = models.CharField(max_length=64)
    at = models.DateTimeField(default=clock.now)
    counts = models.JSONField(default=dict)
    sealed = models.BinaryField(null=True)


class ErasedMark(models.Model):
    """A value that was erased with its person, as a keyed hash of its keyed hash: catches it when a list brings it back."""

    mark = models.CharField(primary_key=True, max_length=64)
    at = models.DateTimeField(default=clock.now)


class Import(models.Model):
    """How far a file has come. Written with each batch in its own transaction, so that a killed import goes on where it was."""

    id = models.UUIDField(primary_key=True, editable=False)
    site_id = models.UUIDField(default=this_site, editable=False)
    purpose = models.CharField(max_length=64)
    market = models.CharField(max_length=2)
    source = models.CharField(max_length=64)
    by = models.CharField(max_length=64)
    rows = models.PositiveIntegerField()
    done = models.PositiveIntegerField(default=0)
    counts = models.JSONField(default=dict)
    started_at = models.DateTimeField(default=clock.now)
    finished_at = models.DateTimeField(null=True)


class ListInHand(models.Model):
    """A list somebody gave in the console: judged, waiting for their word, or being taken in. Gone within an hour of the last step.

    Of many people and reached by none of them: everything the file says is sealed under a key of its own that goes with the row.
    ``told`` is what was found of its first ``judged`` rows.
    """

    class State(models.TextChoices):
        JUDGING = "judging"
        JUDGED = "judged"
        ORDERED = "ordered"
        DONE = "done"
        STOPPED = "stopped"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    site_id = models.UUIDField(default=this_site, editable=False)
    by = models.CharField(max_length=64)
    sealed = models.BinaryField()
    purpose = models.CharField(max_length=64)
    market = models.CharField(max_length=2)
    locale = models.CharField(max_length=8)
    source = models.CharField(max_length=64)
    relation = models.CharField(max_length=64, blank=True)
    new_ground_since = models.DateField(null=True)
    leave_out_refused = models.BooleanField(default=False)
    state = models.CharField(max_length=8, choices=State.choices, default=State.JUDGED)
    problem = models.CharField(max_length=64, blank=True)
    ledger = models.UUIDField(null=True)
    rows = models.PositiveIntegerField()
    judged = models.PositiveIntegerField(default=0)
    told = models.BinaryField(null=True)
    expires_at = models.DateTimeField(db_index=True)
