"""Files that came with what was said: sealed under the person's key, shown as downloads only, gone with the entry they belong to.

Into a person's own copy a file goes only once a member of staff has opened it and judged that nobody else's data is in it
(GDPR 15(4)). Raises `Problem`: `register.no-attachment`, `register.too-large`, `register.too-many`, `register.bad-value`,
`register.look-first`.
"""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from lofte.core import actions, clock, publication, vault
from lofte.core.models import new_id
from lofte.core.retry import in_transaction
from lofte.features.register import reads
from lofte.features.register.models import Attachment, Holding
from lofte.kernel.problems import Place, Problem

State = Attachment.State
LARGEST = 5_000_000  # bytes
MOST = 10  # files of one entry
_LONGEST_NAME = 120
_OCTETS = "application/octet-stream"
_KINDS = {
    "csv": "text/csv", "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "eml": "message/rfc822", "gif": "image/gif", "ics": "text/calendar", "jpeg": "image/jpeg", "jpg": "image/jpeg",
    "ods": "application/vnd.oasis.opendocument.spreadsheet", "odt": "application/vnd.oasis.opendocument.text",
    "pdf": "application/pdf", "png": "image/png", "txt": "text/plain", "vcf": "text/vcard", "webp": "image/webp",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Attached:
    """One file as it is listed."""

    id: UUID
    dialogue: UUID
    name: str
    kind: str
    size: int
    by: str
    at: datetime
    state: str


@dataclass(frozen=True, slots=True)
class Wanted:
    """A file somebody must look at before its person gets it. Its name is not told: only who looks opens it."""

    id: UUID
    person: UUID
    kind: str
    size: int
    wanted_at: datetime


@in_transaction
def attach(person_id: UUID, dialogue: UUID, name: str, content: bytes, *, by: str) -> UUID:
    """Keep a file with an entry of the dialogue. Of its name the last part is kept, and its ending says what it is."""
    if not content:
        raise Problem("register.bad-value", "the file is empty", Place(key="file"), status=422)
    if len(content) > LARGEST:
        raise Problem("register.too-large", "the file is larger than 5 MB", Place(key="file"), status=413)
    holding = Holding.objects.of(person_id).filter(id=dialogue).first()
    shape = publication.current().policy.fields.get(holding.field) if holding else None
    if shape is None or shape.category != "dialogue":
        raise Problem("register.no-holding", "there is no such entry of this person's dialogue", status=404)
    if Attachment.objects.of(person_id).filter(dialogue=dialogue).count() >= MOST:
        raise Problem("register.too-many", f"an entry has at most {MOST} files", Place(key="file"), status=422)
    row_id, key, safe = new_id(), vault.opener(person_id), _name(name)
    Attachment.objects.create(
        id=row_id, person_id=person_id, dialogue=dialogue, sealed_name=key.seal(row_id, safe.encode()),
        sealed=key.seal(_record(row_id), content), kind=_KINDS.get(safe.rpartition(".")[2].lower(), _OCTETS), size=len(content),
        by=by, at=clock.now(),
    )  # fmt: skip
    return row_id


def of(person_id: UUID, dialogue: Iterable[UUID]) -> list[Attached]:
    """The files of some entries, without their content. Whoever asks has shown that they may see the entries."""
    rows = list(Attachment.objects.of(person_id).filter(dialogue__in=list(dialogue)).defer("sealed").order_by("at"))
    if not rows:
        return []
    key = vault.opener(person_id)
    return [_seen(row, key) for row in rows]


def of_person(person_id: UUID) -> list[Attached]:
    """Every file of a person, for their own copy."""
    rows = list(Attachment.objects.of(person_id).defer("sealed").order_by("at"))
    key = vault.opener(person_id) if rows else None
    return [_seen(row, key) for row in rows] if key else []


def content_of(person_id: UUID, attachment: UUID) -> tuple[Attached, bytes]:
    """One file for the person themself (GDPR 15(3)); the portal has asked who they are. Leaves a look, their own."""
    row = Attachment.objects.of(person_id).filter(id=attachment, state=State.GIVEN).first()
    if row is None:
        raise _none()
    entry = Holding.objects.of(person_id).filter(id=row.dialogue).first()
    reads.demand(person_id, "portal", [entry.field] if entry else [], by="person")
    key = vault.opener(person_id)
    return _seen(row, key), key.open(_record(row.id), row.sealed)


def open_one(person_id: UUID, attachment: UUID, purpose: str, *, by: str) -> tuple[Attached, bytes]:
    """One file with its content, for a purpose that holds the entry it came with. Leaves a look; raises as `reads.holdings_of`."""
    row = Attachment.objects.of(person_id).filter(id=attachment).first()
    if row is None:
        raise _none()
    entry = Holding.objects.of(person_id).filter(id=row.dialogue).first()
    held = reads.holdings_of(person_id, purpose, by=by, fields=[entry.field]) if entry else ()
    if row.dialogue not in {each.id for each in held}:
        raise _none()
    Attachment.objects.of(person_id).filter(id=attachment).update(opened_by=by)
    key = vault.opener(person_id)
    return _seen(row, key), key.open(_record(row.id), row.sealed)


# --- what may go out ------------------------------------------------------------------------------------------------


@in_transaction
def judge(person_id: UUID, attachment: UUID, gives: bool, *, by: str) -> None:
    """Whether the person's copy holds the file. Whoever lets it go out has opened it before; it can be judged anew."""
    rows = Attachment.objects.of(person_id).filter(id=attachment)
    row = rows.defer("sealed").first()
    if row is None:
        raise _none()
    if gives and row.opened_by != by:
        raise Problem(
            "register.look-first", "nobody lets a file go out that they have not looked at", law="GDPR 15(4)",
            way_out="Open the file, and judge it then.", status=409,
        )  # fmt: skip
    rows.update(state=State.GIVEN if gives else State.WITHHELD, judged_by=by, judged_at=clock.now())
    actions.record("attachment.judged", by, gives=gives)


@in_transaction
def want(person_id: UUID) -> int:
    """A copy was asked for: what nobody has looked at yet is wanted from now on. Returns how many files that are."""
    unseen = Attachment.objects.of(person_id).filter(state=State.LOOKING)
    unseen.filter(wanted_at__isnull=True).update(wanted_at=clock.now())
    return unseen.count()


def wanted(limit: int = 200) -> list[Wanted]:
    """What must be looked at, the longest waiting first."""
    rows = Attachment.everyone.filter(state=State.LOOKING, wanted_at__isnull=False).order_by("wanted_at")[:limit]
    return [Wanted(*each) for each in rows.values_list("id", "person_id", "kind", "size", "wanted_at")]


def people_waiting(among: Iterable[UUID] | None = None) -> frozenset[UUID]:
    """Whose copy waits until somebody has looked at a file; all of them, or those among some people."""
    rows = Attachment.everyone.filter(state=State.LOOKING, wanted_at__isnull=False)
    if among is not None:
        rows = rows.filter(person_id__in=list(among))
    return frozenset(rows.values_list("person_id", flat=True))


@in_transaction
def remove(person_id: UUID, attachment: UUID) -> bool:
    """Erase one file; True when there was one."""
    return bool(Attachment.objects.of(person_id).filter(id=attachment)._raw_delete(using="default"))


def follow(old: vault.Opener, new: vault.Opener) -> int:
    """Two persons are one: the files of the one who goes are sealed anew, one at a time, and belong to the other."""
    ids = list(Attachment.objects.of(old.owner).values_list("id", flat=True))
    for row_id in ids:
        row = Attachment.objects.of(old.owner).get(id=row_id)
        Attachment.objects.of(old.owner).filter(id=row_id)._raw_delete(using="default")
        row.sealed_name = new.seal(row_id, old.open(row_id, row.sealed_name))
        row.sealed = new.seal(_record(row_id), old.open(_record(row_id), row.sealed))
        row.person_id = new.owner
        row.save(force_insert=True)
    return len(ids)


def _seen(row: Attachment, key: vault.Opener) -> Attached:
    name = key.open(row.id, row.sealed_name).decode()
    return Attached(row.id, row.dialogue, name, row.kind, row.size, row.by, row.at, row.state)


def _record(row_id: UUID) -> UUID:
    """The content is bound to a name of its own, so that name and content cannot be exchanged."""
    return UUID(int=row_id.int ^ 1)


def _name(given: str) -> str:
    text = unicodedata.normalize("NFC", re.split(r"[\\/]", given)[-1])
    text = "".join(letter for letter in text if letter.isprintable() and letter not in '<>:"|?*').strip(" .")
    stem, dot, ending = text.rpartition(".")
    if len(text) > _LONGEST_NAME:
        text = f"{stem[: _LONGEST_NAME - 12]}{dot}{ending[:10]}" if dot else text[:_LONGEST_NAME]
    return text or "file"


def _none() -> Problem:
    return Problem("register.no-attachment", "there is no such file for this purpose", status=404)
