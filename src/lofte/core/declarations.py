"""What the tables of core hold, and the duties of core."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.contrib.sessions.backends.db import SessionStore

from lofte.core import codes, evidence, limits, mail, merging, models, obligations, outbox, rotation
from lofte.core.holdings import Holds, NotPersonal, Room, declare, register
from lofte.core.keys.models import OwnerKey, Tombstone
from lofte.core.progress import verbs as progress
from lofte.core.progress.models import Work
from lofte.core.tasks import duty

_TECHNICAL = NotPersonal("says when and how the machine works, not who")
_CHOICE = NotPersonal("one of a few words of the policy or the code")
_LOG = NotPersonal("a place in the evidence log, which holds commitments only")

declare(models.Person, provisional=_TECHNICAL, made_at=Holds("*", "interest"))
declare(models.BlindIndex, entry=Holds("*", "*"), hash=Holds("*", "*"), field=_CHOICE)
declare(
    models.Code, hash=NotPersonal("SHA-256 of 256 random bits"), purpose=_CHOICE, market=_CHOICE, locale=Holds("*", "locale"),
    about=NotPersonal("the id of a row"), single_use=_TECHNICAL, made_at=_TECHNICAL, expires_at=_TECHNICAL, used_at=_TECHNICAL,
)  # fmt: skip
declare(
    models.Counter,
    key=NotPersonal("keyed hash under a key that serves nothing else"),
    count=_TECHNICAL,
    ends_at=_TECHNICAL,
)
declare(
    models.Outbox, bucket=_TECHNICAL, kind=_CHOICE, fact=NotPersonal("facts hold nothing personal; `add` is where they are made"),
    who=Holds("*", "handle"), policy=_LOG, about=NotPersonal("the id of a row"), made_at=_TECHNICAL, index=_LOG, handled=_TECHNICAL,
    attempts=_TECHNICAL, next_at=_TECHNICAL,
)  # fmt: skip
declare(models.Entry, kind=_CHOICE, index=_LOG, at=Holds("*", "interest"), about=NotPersonal("the id of a row"))
declare(
    models.Action, action=_CHOICE, actor=NotPersonal("person, system, sweep or a staff member's number"),
    details=NotPersonal("`actions.record` refuses what looks personal"), at=_TECHNICAL,
)  # fmt: skip
declare(
    models.Mail, letter=_CHOICE, purpose=_CHOICE, is_marketing=_CHOICE, sealed=Holds("*", "email"), state=_CHOICE, reason=_CHOICE,
    about=NotPersonal("the id of a row"), made_at=Holds("*", "dialogue"), next_at=_TECHNICAL, sent_at=Holds("*", "dialogue"),
    attempts=_TECHNICAL, lease=_TECHNICAL, address=Holds("*", "email"),
)  # fmt: skip
declare(
    models.Duty, name=_TECHNICAL, every_s=_TECHNICAL, next_due=_TECHNICAL, lease=_TECHNICAL, lease_until=_TECHNICAL,
    last_started=_TECHNICAL, last_finished=_TECHNICAL, last_error=_TECHNICAL, runs=_TECHNICAL, failures=_TECHNICAL,
)  # fmt: skip
declare(
    models.Obligation, subject=Holds("*", "handle"), owner=NotPersonal("whose vault key seals the row"), what=_CHOICE,
    system=_CHOICE, purpose=_CHOICE, about=NotPersonal("the id of a row"), state=_TECHNICAL, reason=_CHOICE, sealed=Holds("*", "*"),
    counts=NotPersonal("names of tables and numbers of rows"), left=NotPersonal("names of columns and numbers of rows"),
    attempts=_TECHNICAL, made_at=_TECHNICAL, due=_TECHNICAL, next_at=_TECHNICAL, lease=_TECHNICAL, lease_until=_TECHNICAL,
    verified_at=_TECHNICAL, evidence_index=_LOG,
)  # fmt: skip
declare(
    OwnerKey, owner=NotPersonal("a random handle"), epoch=_TECHNICAL, version=_TECHNICAL, wrapped=NotPersonal("a wrapped key"),
    made_at=_TECHNICAL,
)  # fmt: skip
declare(
    Work, name=_CHOICE, about=NotPersonal("the digest of a publication or the id of a row"), unit=_CHOICE, done=_TECHNICAL,
    total=_TECHNICAL, place=NotPersonal("where work goes on: names of tables, ids of rows and counts"), started_at=_TECHNICAL,
    moved_at=_TECHNICAL, finished_at=_TECHNICAL,
)  # fmt: skip
declare(Tombstone, mark=NotPersonal("keyed hash of a random handle that names nobody any more"), at=_TECHNICAL)

__all__ = ["mail", "rotation"]


@duty("outbox.drain", every=timedelta(seconds=1))
def drain(at: datetime) -> int:
    return outbox.drain() if evidence.has_log() and outbox.waiting() else 0


@duty("codes.remove_expired", every=timedelta(hours=1))
def remove_expired(at: datetime) -> int:
    return codes.remove_expired() + limits.remove_ended() + progress.forget_old(at)


def _export(person_id: UUID) -> dict[str, Any]:
    rows = (
        models.Mail.objects.of(person_id).order_by("made_at").values("made_at", "sent_at", "letter", "purpose", "state")
    )
    entries = models.Entry.objects.of(person_id).order_by("index").values("at", "kind", "index", "about")
    return {"mails": list(rows), "entries": list(entries)}


def _merge(keep: UUID, gone: UUID) -> dict[str, int]:
    """Letters, places in the log, links and facts on their way. The blind index is written anew by the register."""
    there = set(models.Entry.objects.of(keep).values_list("index", flat=True))
    doubled = models.Entry.objects.of(gone).filter(index__in=there).values_list("id", flat=True)
    return {
        "core_mail": merging.move(models.Mail, keep, gone, sealed=["sealed"]),
        "core_entry": merging.move(models.Entry, keep, gone, without=set(doubled)),
        "core_code": models.Code.objects.filter(person_id=gone).update(person_id=keep),
        "core_outbox": models.Outbox.objects.filter(person_id=gone).update(person_id=keep),
    }


register(Room("core", export=_export, merge=_merge))
register(
    Room(
        "obligations",
        export=lambda person_id: {"owed": obligations.shown_to(person_id)},
        erase=obligations.supersede,
        erase_crowd=obligations.supersede_crowd,
        merge=obligations.follow,
    )
)


@duty("sessions.clear_expired", every=timedelta(days=1))
def clear_expired_sessions(at: datetime) -> None:
    SessionStore.clear_expired()
