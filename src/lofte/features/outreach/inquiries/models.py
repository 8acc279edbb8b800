"""Tables of the inquiries: each with its history, and the addresses under which people answer.

What was said in letters stands in the register, as dialogue of the person; a step names the holding that keeps its words.
"""

from django.db import models

from lofte.core import clock
from lofte.core.models import Personal, this_site


class Inquiry(Personal):
    """One matter somebody wrote to us about, from the first letter to the last answer.

    ``due_on`` is the day by which we owe an answer; empty while the word is theirs. ``turn`` counts what was done: whoever acts on
    an older one is told to look again. ``assignee`` is who has it on their desk: ``staff:<id>``, ``role:<name>`` or nobody.
    ``sealed`` is what was typed into the form about the writer, and the token of the address they answer to. ``request`` is the
    request it became, when it was about rights.
    """

    class Kind(models.TextChoices):
        INQUIRY = "inquiry"
        APPLICATION = "application"
        SUPPLIER = "supplier"
        PARTNER = "partner"

    class State(models.TextChoices):
        OPEN = "open"  # we owe an answer
        ANSWERED = "answered"  # the word is theirs
        CLOSED = "closed"

    class Outcome(models.TextChoices):
        ANSWERED = "answered"
        NOTHING_ASKED = "nothing_asked"
        NOT_MEANT_FOR_US = "not_meant_for_us"
        HANDED_OVER = "handed_over"

    reference = models.CharField(max_length=9, db_index=True)
    kind = models.CharField(max_length=12, choices=Kind.choices)
    purpose = models.CharField(max_length=64)
    market = models.CharField(max_length=2)
    locale = models.CharField(max_length=8)
    form = models.CharField(max_length=64)
    sealed = models.BinaryField()
    state = models.CharField(max_length=10, choices=State.choices, default=State.OPEN)
    outcome = models.CharField(max_length=20, blank=True)
    turn = models.PositiveIntegerField(default=0)
    assignee = models.CharField(max_length=64, blank=True)
    received_at = models.DateTimeField(default=clock.now)
    latest_at = models.DateTimeField(default=clock.now)
    due_on = models.DateField(null=True)
    answered_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)
    request = models.UUIDField(null=True)

    class Meta(Personal.Meta):
        indexes = [
            models.Index(fields=["state", "due_on"], name="inquiries_inquiry_due"),
            models.Index(fields=["state", "market", "due_on"], name="inquiries_inquiry_market"),
            models.Index(fields=["person", "received_at"], name="inquiries_inquiry_person"),
        ]


class Step(Personal):
    """One thing that happened to an inquiry: who, when, and where its words are. Appended, never changed.

    ``dialogue`` is the holding with what was said to or by the person. ``sealed`` is what only this room knows: a note of ours, the
    Message-ID of a letter, another address it came from. ``mail`` is the letter in the queue.
    """

    inquiry = models.UUIDField()
    kind = models.CharField(max_length=20)
    by = models.CharField(max_length=64)
    at = models.DateTimeField(default=clock.now)
    reason = models.CharField(max_length=64, blank=True)
    dialogue = models.UUIDField(null=True)
    sealed = models.BinaryField(null=True)
    mail = models.UUIDField(null=True)

    class Meta(Personal.Meta):
        indexes = [
            models.Index(fields=["person", "inquiry", "at"], name="inquiries_step_person"),
            models.Index(fields=["inquiry", "at"], name="inquiries_step_inquiry"),
        ]


class ReplyAddress(models.Model):
    """Lookup: SHA-256 of the token in `reply+<token>@` -> the inquiry an answer belongs to. The token itself is sealed with it."""

    hash = models.CharField(primary_key=True, max_length=64)
    person = models.ForeignKey("core.Person", on_delete=models.DO_NOTHING, related_name="+")
    site_id = models.UUIDField(default=this_site, editable=False)
    inquiry = models.UUIDField()

    class Meta:
        indexes = [models.Index(fields=["person", "inquiry"], name="inquiries_address_person")]
