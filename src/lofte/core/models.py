"""Shared nouns and the rows the engine room lives by. Rules of the schema: docs/decisions/0007-schema-for-any-size.md.

Every personal row carries `person_id` and `site_id` and is reached through that person; uniqueness across persons lives only in
lookup tables whose primary key is the hash itself; ids are UUIDs made in Python; there is no sequence, trigger or stored routine.
"""

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, ClassVar

from django.conf import settings
from django.db import models

from lofte.core import clock
from lofte.kernel import ids
from lofte.kernel.problems import Problem


def new_person_id() -> uuid.UUID:
    return ids.person_id(os.urandom(16))


def new_id() -> uuid.UUID:
    """An id for a child row: time-ordered, it stands second after the person."""
    return ids.ordered_id(int(clock.now().timestamp() * 1000), os.urandom(10))


def this_site() -> uuid.UUID:
    return settings.LOFTE_SITE_ID


_bare: ContextVar[tuple[uuid.UUID, frozenset[str]] | None] = ContextVar("lofte.models.bare", default=None)


@contextmanager
def without_rows(person_id: uuid.UUID, tables: frozenset[str]) -> Iterator[None]:
    """While it lasts, these tables are not asked about the person: who has just counted knows that nothing of theirs is there."""
    made = _bare.set((person_id, tables))
    try:
        yield
    finally:
        _bare.reset(made)


class PersonalManager(models.Manager[Any]):
    """Reaches rows only through their person: `of(person_id)`. What walks all persons says so with `everyone`."""

    def of(self, person_id: uuid.UUID) -> models.QuerySet[Any]:
        if not isinstance(person_id, uuid.UUID):
            raise TypeError("a person is named by a UUID")
        rows: models.QuerySet[Any] = models.QuerySet(self.model, using=self._db)
        bare = _bare.get()
        if bare is not None and bare[0] == person_id and self.model._meta.db_table in bare[1]:
            return rows.none()
        return rows.filter(person_id=person_id)

    def create(self, **values: Any) -> Any:
        if "person_id" not in values:
            raise TypeError("a personal row belongs to a person: give person_id")
        return models.QuerySet(self.model, using=self._db).create(**values)

    def get_queryset(self) -> models.QuerySet[Any]:
        raise Problem(
            "register.no-person", f"{self.model.__name__} was asked for without a person",
            way_out="Use objects.of(person_id), or everyone where the walk over all persons is meant.", status=500,
        )  # fmt: skip


class Personal(models.Model):
    """Base of each row that belongs to one person. `person` never changes; every UPDATE names it."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    person = models.ForeignKey("core.Person", on_delete=models.DO_NOTHING, related_name="+")
    site_id = models.UUIDField(default=this_site, editable=False)

    objects: ClassVar[PersonalManager] = PersonalManager()
    everyone: ClassVar[models.Manager[Any]] = models.Manager()

    class Meta:
        abstract = True
        default_manager_name = "everyone"

    def _do_update(self, base_qs: Any, *rest: Any, **named: Any) -> Any:
        return super()._do_update(base_qs.filter(person_id=self.person_id), *rest, **named)


PersonalModel = Personal


class PersonalByIndex(Personal):
    """As `Personal`, for tables with an index of their own that begins with the person: a second one would only cost writing."""

    person = models.ForeignKey("core.Person", on_delete=models.DO_NOTHING, related_name="+", db_index=False)

    class Meta(Personal.Meta):
        abstract = True


class Person(models.Model):
    """A human. The id is random and says nothing; all that is known hangs on it in other tables.

    ``provisional`` while nobody has confirmed that the address given is theirs; such a person counts for nothing.
    """

    id = models.UUIDField(primary_key=True, default=new_person_id, editable=False)
    site_id = models.UUIDField(default=this_site, editable=False)
    provisional = models.BooleanField(default=False)
    made_at = models.DateTimeField(default=clock.now)


class BlindIndex(models.Model):
    """Lookup: keyed hash of a normalised value -> person. The hash is the key, so that exact lookup is one shard.

    ``entry`` equals ``hash`` where the field names one person (an address); where people may share a value, the person is mixed in.
    """

    entry = models.CharField(primary_key=True, max_length=64)
    hash = models.CharField(max_length=64)
    field = models.CharField(max_length=64)
    person = models.ForeignKey(Person, on_delete=models.DO_NOTHING, related_name="+")
    site_id = models.UUIDField(default=this_site, editable=False)

    class Meta:
        # answers who has a hash, and who has two, without reading the table
        indexes = [models.Index(fields=["hash", "person"], name="core_blindindex_found")]


class Code(models.Model):
    """Lookup: SHA-256 of a token mailed or shown to somebody -> what it opens. The token itself is kept nowhere."""

    hash = models.CharField(primary_key=True, max_length=64)
    purpose = models.CharField(max_length=32)
    person = models.ForeignKey(Person, on_delete=models.DO_NOTHING, related_name="+")
    site_id = models.UUIDField(default=this_site, editable=False)
    market = models.CharField(max_length=2)
    locale = models.CharField(max_length=8)
    about = models.UUIDField(null=True)
    single_use = models.BooleanField(default=True)
    made_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True, db_index=True)
    used_at = models.DateTimeField(null=True)


class Counter(models.Model):
    """How often something was tried in a window; the key is a keyed hash, so that nobody is named."""

    key = models.CharField(primary_key=True, max_length=64)
    count = models.PositiveIntegerField(default=0)
    ends_at = models.DateTimeField(db_index=True)


class Outbox(models.Model):
    """A fact on its way to the evidence log and to whoever subscribed. Deleted when both are done.

    ``person`` is only a handle on the way; the sealed ``who`` goes to the log beside the fact, never into it.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    bucket = models.PositiveSmallIntegerField(default=0)
    kind = models.CharField(max_length=64)
    fact = models.JSONField()
    who = models.JSONField(null=True)
    policy = models.CharField(max_length=64, blank=True)
    person_id = models.UUIDField(null=True, db_index=True)
    about = models.UUIDField(null=True)
    site_id = models.UUIDField(default=this_site, editable=False)
    made_at = models.DateTimeField(default=clock.now)
    index = models.BigIntegerField(null=True)
    handled = models.JSONField(default=list)
    attempts = models.PositiveIntegerField(default=0)
    next_at = models.DateTimeField(default=clock.now, db_index=True)


class Entry(PersonalByIndex):
    """Which entries of the evidence log are about this person."""

    kind = models.CharField(max_length=64)
    index = models.BigIntegerField()
    at = models.DateTimeField()
    about = models.UUIDField(null=True)

    class Meta(PersonalByIndex.Meta):
        indexes = [models.Index(fields=["person", "at"], name="core_entry_person_at")]
        constraints = [models.UniqueConstraint(fields=["person", "index"], name="core_entry_once")]


class Action(models.Model):
    """What somebody did, with a stable name. Nothing personal beyond a staff member's id: people are in Look and Entry."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    site_id = models.UUIDField(default=this_site, editable=False)
    action = models.CharField(max_length=64, db_index=True)
    actor = models.CharField(max_length=64)
    details = models.JSONField(default=dict)
    at = models.DateTimeField(default=clock.now, db_index=True)


class Mail(PersonalByIndex):
    """One letter in the queue. What it says and to whom is sealed under the person's key and removed once it is sent."""

    class State(models.TextChoices):
        QUEUED = "queued"
        SENDING = "sending"
        SENT = "sent"
        SUPPRESSED = "suppressed"
        FAILED = "failed"

    letter = models.CharField(max_length=64)
    purpose = models.CharField(max_length=64)
    is_marketing = models.BooleanField(default=False)
    sealed = models.BinaryField(null=True)
    state = models.CharField(max_length=12, choices=State.choices, default=State.QUEUED)
    reason = models.CharField(max_length=64, blank=True)
    about = models.UUIDField(null=True)
    made_at = models.DateTimeField(default=clock.now)
    next_at = models.DateTimeField(default=clock.now)
    sent_at = models.DateTimeField(null=True)
    attempts = models.PositiveIntegerField(default=0)
    lease = models.CharField(max_length=32, blank=True)
    address = models.CharField(max_length=64, blank=True)  # keyed hash: which address a bounce speaks of

    class Meta(PersonalByIndex.Meta):
        indexes = [
            models.Index(fields=["state", "is_marketing", "next_at"], name="core_mail_due"),
            models.Index(fields=["person", "made_at"], name="core_mail_person"),
        ]


class Duty(models.Model):
    """A recurring chore the law or the house demands. An overdue one is a row anybody can see."""

    name = models.CharField(primary_key=True, max_length=64)
    every_s = models.PositiveIntegerField()
    next_due = models.DateTimeField(db_index=True)
    lease = models.CharField(max_length=32, blank=True)
    lease_until = models.DateTimeField(null=True)
    last_started = models.DateTimeField(null=True)
    last_finished = models.DateTimeField(null=True)
    last_error = models.CharField(max_length=200, blank=True)
    runs = models.PositiveIntegerField(default=0)
    failures = models.PositiveIntegerField(default=0)


class Obligation(models.Model):
    """One act owed to another system, from the moment it is owed until it was read back there. See `core.obligations`.

    Names its person by handle only, with no foreign key: an erasure elsewhere outlives the person's rows here. ``owner`` is whose
    vault key seals the rest: the person's, or the erasure's own. The row goes when it has served.
    """

    class What(models.TextChoices):
        ERASE = "erase"
        CORRECT = "correct"
        EXPORT = "export"
        RESTRICT = "restrict"
        WITHDRAW = "withdraw"
        SHARE = "share"

    class State(models.TextChoices):
        OPEN = "open"
        CLAIMED = "claimed"
        DONE = "done"
        VERIFIED = "verified"
        FAILED = "failed"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    site_id = models.UUIDField(default=this_site, editable=False)
    subject = models.UUIDField()
    owner = models.UUIDField()
    what = models.CharField(max_length=12, choices=What.choices)
    system = models.CharField(max_length=64)
    purpose = models.CharField(max_length=64, blank=True)
    about = models.UUIDField()
    state = models.CharField(max_length=12, choices=State.choices, default=State.OPEN)
    reason = models.CharField(max_length=64, blank=True)
    sealed = models.BinaryField(null=True)
    counts = models.JSONField(default=dict)
    left = models.JSONField(default=list)
    attempts = models.PositiveIntegerField(default=0)
    made_at = models.DateTimeField(default=clock.now)
    due = models.DateTimeField()
    next_at = models.DateTimeField(default=clock.now)
    lease = models.CharField(max_length=32, blank=True)
    lease_until = models.DateTimeField(null=True)
    verified_at = models.DateTimeField(null=True)
    evidence_index = models.BigIntegerField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["subject", "what", "system", "purpose", "about"], name="core_obligation_once"
            )
        ]
        indexes = [
            models.Index(fields=["state", "next_at"], name="core_obligation_next"),
            models.Index(fields=["about"], name="core_obligation_about"),
        ]


class Approval(models.Model):
    """A dangerous act that one member of staff asked for and another decides. See `core.approvals`.

    Names people by handle only, with no foreign key; an erasure takes the handles out and leaves the rest.
    """

    class State(models.TextChoices):
        WAITING = "waiting"
        APPROVED = "approved"
        DONE = "done"
        DECLINED = "declined"
        WITHDRAWN = "withdrawn"
        EXPIRED = "expired"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    site_id = models.UUIDField(default=this_site, editable=False)
    act = models.CharField(max_length=64)
    about = models.UUIDField(null=True, db_index=True)
    also = models.UUIDField(null=True, db_index=True)
    details = models.JSONField(default=dict)
    asked_by = models.CharField(max_length=64)
    asked_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    state = models.CharField(max_length=12, choices=State.choices, default=State.WAITING)
    decided_by = models.CharField(max_length=64, blank=True)
    decided_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["state", "expires_at"], name="core_approval_state")]
