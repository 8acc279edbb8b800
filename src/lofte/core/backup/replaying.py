"""Erases again whoever was erased after the copy was made, before anybody is let in; and takes back again what was taken back.

Who that is, the log says (the mark of each erased person, sealed beside the fact), and the tombstones in the key store. Everything
here can be done twice: killed anywhere, it is run again from the beginning.
"""

import json
import os
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol
from uuid import UUID

from django.conf import settings
from django.contrib.sessions.models import Session
from django.db import connections

from lofte.core import actions, clock, outbox, ports, publication, tasks, vault
from lofte.core.backup import manifest as manifests
from lofte.core.backup import verbs
from lofte.core.backup.databases import Told
from lofte.core.backup.placing import Marker
from lofte.core.models import Approval, Entry, Mail, Person
from lofte.core.retry import in_transaction
from lofte.evidence import copying
from lofte.evidence.copying import Reading
from lofte.evidence.log import Log
from lofte.kernel.problems import Problem

_BATCH = 500
_READ = 5_000  # people looked at together
_LATEST = 50  # entries looked through for the newest erasure
COMPLETED = "erasure.completed"


class Replayer(Protocol):
    """Provided by the room that erases."""

    def knows(self, order: UUID) -> bool:
        """Whether the register has this erasure as proved, or about to be."""

    def bury(self, person_id: UUID) -> Mapping[str, int]:
        """Erase the rows of somebody whose key is gone. Counts by table."""

    def again(self, person_id: UUID, order: UUID) -> None:
        """Erase again somebody of whom a legal obligation keeps something."""

    def settle(self, order: UUID, index: int, fact: Mapping[str, Any]) -> bool:
        """Put a proved erasure on record as the log has it. Whether it was under way in the copy."""

    def restrict(self, person_id: UUID) -> bool:
        """Restrict again somebody whose data were restricted. Whether they were not any more."""


_replayer: Replayer | None = None


def provide(replayer: Replayer) -> None:
    """Called by the room's AppConfig.ready."""
    global _replayer
    _replayer = replayer


def _room() -> Replayer:
    if _replayer is None:
        raise Problem("room.missing", "the room that erases is not installed", status=500)
    return _replayer


@dataclass(frozen=True, slots=True)
class Replayed:
    """``people`` whose rows had come back and are erased again, ``keys`` that had come back, ``openings`` shredded again,
    ``partly`` those of whom the law keeps something, ``unproved`` erasures that were under way and of which the log has no proof;
    ``withdrawn`` and ``restricted`` what people had taken back since; ``found`` log entries that are known to be theirs again.
    """

    people: int = 0
    rows: int = 0
    keys: int = 0
    openings: int = 0
    partly: int = 0
    unproved: int = 0
    withdrawn: int = 0
    restricted: int = 0
    found: int = 0


@dataclass(frozen=True, slots=True)
class _Erased:
    index: int
    order: UUID
    mark: str
    is_whole: bool
    fact: Mapping[str, Any]


def demand_up_to_date(log: Log) -> None:
    """The door: refuses a register, or keys, older than the newest erasure in the log. Costs a few look-ups at each start."""
    if _replayer is None:
        return
    for index in log.find("erasure", _LATEST):
        opened = log.opened(index)
        fact = json.loads(opened.fact)
        if fact.get("event") != COMPLETED:
            continue
        said = json.loads(opened.who) if opened.who else {}
        is_behind = not _replayer.knows(UUID(fact["order"]))
        if is_behind or (said.get("whole") and not vault.is_mark_buried(said["erased"])):
            older = "register is" if is_behind else "keys are"
            raise Problem(
                "restore.behind", f"the {older} older than entry {index} of the log, an erasure",
                way_out="Run lofte restore --home DIR: it erases again whoever was erased since. Then start.", status=503,
            )  # fmt: skip
        return


def replay(log: Log, location: str | Path, marker: Marker | None, told: Told = lambda done, total: None) -> Replayed:
    """Erase again, then take back again. Raises Problem; the door stays shut then. The log is open and nobody else is."""
    room = _room()
    with copying.read(location) as reading:
        erased = list(_erased(reading))
        marks = {each.mark for each in erased if each.is_whole}
        marks |= vault.buried()
        keys = vault.bury(marks)  # first the keys: from here on the rows open nothing
        proved = {each.mark for each in erased}
        rows = unproved = 0
        back = list(_marked(marks, told))
        for person_id, mark in back:
            rows += sum(room.bury(person_id).values())
            unproved += mark not in proved
        partly = _again(room, erased)
        for each in erased:
            room.settle(each.order, each.index, each.fact)
        openings, found, words = _walk(log, reading, marks)
    withdrawn, restricted = _take_back(room, words)
    _calm()
    if marker is not None:
        _know_copies(log, marker)
    done = Replayed(len(back), rows, keys, openings, partly, unproved, withdrawn, restricted, found)
    _record(done, marker)
    _flush()
    return done


def come_back() -> int:
    """How many people are in the register although their key was destroyed for ever: none, but after a restore gone wrong."""
    return sum(1 for _ in _marked(vault.buried(), lambda done, total: None))


def _marked(marks: Collection[str], told: Told) -> Iterator[tuple[UUID, str]]:
    """People of the register with one of these marks."""
    done, total = 0, Person.objects.count() if marks else 0
    after = UUID(int=0)
    while marks and (
        batch := list(Person.objects.filter(id__gt=after).order_by("id").values_list("id", flat=True)[:_READ])
    ):
        after, done = batch[-1], done + len(batch)
        for person_id in batch:
            if (mark := vault.mark(person_id)) in marks:
                yield person_id, mark
        told(done, total)


def _erased(reading: Reading) -> Iterator[_Erased]:
    """Every proved erasure in the log."""
    for index, kind, fact, who in copying.people_in(reading):
        if kind == "erasure":
            said, whom = json.loads(fact), json.loads(who)
            if said.get("event") == COMPLETED and "erased" in whom:
                yield _Erased(index, UUID(said["order"]), whom["erased"], bool(whom.get("whole")), said)


def _again(room: Replayer, erased: list[_Erased]) -> int:
    """Those who were erased but for what a statute keeps, since the copy: the register does not know the order yet."""
    missing = {each.mark: each for each in erased if not each.is_whole and not room.knows(each.order)}
    if not missing:
        return 0
    done = 0
    for person_id, mark in list(_marked(missing.keys(), lambda done, total: None)):
        if vault.has_key(person_id):
            room.again(person_id, missing[mark].order)
            done += 1
    return done


_Words = dict[tuple[UUID, str], str]
_STRICT = ("consent.withdrawn", "consent.objected", "restriction.begun")


@dataclass(frozen=True, slots=True)
class _About:
    """An entry that is about a person."""

    person_id: UUID
    index: int
    event: str
    at: str
    purpose: str


def _walk(log: Log, reading: Reading, marks: set[str]) -> tuple[int, int, _Words]:
    """Every entry about a person: shredded when they are erased, known as theirs when they are not; and their last strict words."""
    gone: list[int] = []
    theirs: list[_About] = []
    words: _Words = {}
    shredded = found = 0
    for index, _, fact, who in copying.people_in(reading):
        about = _about(index, fact, who)
        if about is None:
            continue
        if vault.mark(about.person_id) in marks:
            gone.append(index)
        else:
            theirs.append(about)
            if about.event in _STRICT:
                words[about.person_id, about.purpose] = about.event
            else:  # a grant after a withdrawal, a restriction lifted
                words.pop((about.person_id, about.purpose), None)
        if len(gone) >= _BATCH:
            shredded, gone = shredded + _shred(log, gone), []
        if len(theirs) >= _BATCH:
            found, theirs = found + _find_again(theirs), []
    return shredded + _shred(log, gone), found + _find_again(theirs), words


def _about(index: int, fact: bytes, who: bytes) -> _About | None:
    try:
        said = json.loads(fact)
        event = str(said["event"])
        purpose = (
            str(said.get("purpose", "")) if event.startswith(("consent.", "restriction.")) else f"{event} is no word"
        )
        return _About(UUID(json.loads(who)["person"]), index, event, said["at"], purpose)
    except (ValueError, KeyError, TypeError, AttributeError):
        return None  # a browser's decision, or an entry of another kind


def _shred(log: Log, indexes: list[int]) -> int:
    if indexes:
        log.shred(indexes)
    return len(indexes)


@in_transaction
def _find_again(theirs: list[_About]) -> int:
    """Without the row that leads from a person to their entry, a later erasure would not find it."""
    people = {each.person_id for each in theirs}
    here = set(Person.objects.filter(id__in=people).values_list("id", flat=True))
    there = set(Entry.everyone.filter(person_id__in=here).values_list("person_id", "index"))
    missing = [
        Entry(person_id=each.person_id, kind=each.event, index=each.index, at=datetime.fromisoformat(each.at))
        for each in theirs
        if each.person_id in here and (each.person_id, each.index) not in there
    ]
    Entry.everyone.bulk_create(missing)
    return len(missing)


def _take_back(room: Replayer, words: _Words) -> tuple[int, int]:
    """Where the log's last word of a person is stricter than the register's, it holds. Grants are not given again for anybody."""
    declared = publication.current().policy.purposes
    withdrawn = restricted = 0
    for (person_id, purpose), event in words.items():
        if not Person.objects.filter(pk=person_id).exists():
            continue
        if event == "restriction.begun":
            restricted += room.restrict(person_id)
        elif purpose in declared:
            action = event.partition(".")[2]
            standing = ports.consents().standings(person_id).get(purpose)
            if standing is not None and standing.action == action:
                continue
            with suppress(Problem):  # the purpose rests on another ground by now
                take = ports.consents().withdraw if action == "withdrawn" else ports.consents().object_to
                take(person_id, purpose, method="restore")
                withdrawn += 1
    return withdrawn, restricted


@in_transaction
def _calm() -> None:
    """What was under way when the copy was made, and may have happened since, does not happen again by itself."""
    Session.objects.all().delete()
    waiting = Approval.objects.filter(state=Approval.State.WAITING)
    waiting.update(state=Approval.State.EXPIRED)
    queued = Mail.everyone.filter(state__in=(Mail.State.QUEUED, Mail.State.SENDING), is_marketing=True)
    queued.update(state=Mail.State.SUPPRESSED, reason="restored", sealed=None)


def _know_copies(log: Log, marker: Marker) -> None:
    """The register was copied before it knew of this copy, and of those made since: none may be forgotten, least of all keys."""
    with suppress(Problem, OSError):
        vkey = manifests.read(Path(marker.copy)).vkey  # others may keep theirs in the same place
        for place in filter(None, (marker.copy, marker.keys)):
            for folder in sorted(Path(place).parent.glob("lofte-*")):
                with suppress(Problem, OSError):
                    verbs.know(manifests.read(folder, vkey), folder)
    before: int | None = None
    while indexes := log.find("backup", _BATCH, before):
        before = indexes[-1]
        for index in indexes:
            fact = json.loads(log.opened(index).fact)
            if fact.get("keys_until"):
                verbs.know_of(
                    fact["run"], datetime.fromisoformat(fact["at"]), datetime.fromisoformat(fact["keys_until"])
                )


def _record(done: Replayed, marker: Marker | None) -> None:
    fact: dict[str, Any] = {"replayed": asdict(done)}
    if marker is not None:
        fact |= {
            "run": marker.run, "made_at": marker.made_at, "log_from": marker.log_from, "keys_from": marker.keys_from,
            "accepted": marker.accepted, "lost": marker.lost,
        }  # fmt: skip
    key = UUID(marker.id) if marker else UUID(bytes=os.urandom(16), version=4)
    outbox.append_now("restore.replayed", fact, key=key, policy=publication.current().digest)
    actions.record(
        "restore.replayed", "operator", people=done.people, rows=done.rows, keys=done.keys, withdrawn=done.withdrawn
    )
    tasks.hurry("vault.rotate_epoch", clock.now())  # copies of these keys lie somewhere; what they wrap is wrapped anew
    tasks.hurry("retention.sweep", clock.now())  # clocks went on while the copy lay still


def _flush() -> None:
    for alias in settings.DATABASES:
        if connections[alias].vendor == "sqlite" and not connections[alias].in_atomic_block:
            with connections[alias].cursor() as cursor:
                cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
