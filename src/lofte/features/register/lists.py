"""Lists of people given in the console: judged, taken in by a duty when somebody has said so, forgotten within the hour.

A short list is judged at once, a long one in stretches by the duty; both say how far they are, and a killed one goes on.

The file is sealed under a key of its own while it is in hand; done or cancelled, key and content go at once. An erasure of somebody
who is named in it stops the list (`let_go_of`).
"""

import base64
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache, partial
from hashlib import sha256
from time import monotonic
from typing import Any
from uuid import UUID

from django.db import transaction

from lofte.core import blind, clock, publication, vault
from lofte.core.models import new_id
from lofte.core.tasks import duty
from lofte.features.register import imports, sheets
from lofte.features.register.models import Import, ListInHand
from lofte.kernel.problems import Problem

LARGEST = 20_000_000  # bytes; larger files at the command line
MOST_ROWS = 50_000
KEPT = timedelta(hours=1)
_ADDRESS = re.compile(r"[^\s,;:<>\"'()]{1,64}@[^\s,;:<>\"'()]{1,255}")
SHOWN = 200
"""Rows of a list on one page."""
_A_STRETCH_S = 120  # below the lease of a duty
_NOTED_EVERY_S = 5
_AT_ONCE_S = 2
State = ListInHand.State
_IN_HAND = (State.JUDGING, State.JUDGED, State.ORDERED)


@dataclass(frozen=True, slots=True)
class Line:
    """The fate of one row, without its values."""

    row: int
    outcome: str
    reasons: tuple[tuple[str, str], ...]
    disarmed: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class List:
    """A list in hand. ``lines`` are one page of them, the refused ones first; ``columns`` say which column is which field."""

    id: UUID
    by: str
    state: str
    problem: str
    into: imports.Into
    rows: int
    done: int
    counts: Mapping[str, int]
    columns: Mapping[str, str]
    left_out: tuple[str, ...]
    lines: tuple[Line, ...]
    name: str
    leaves_out: bool
    page: int = 1
    pages: int = 1


class _EnoughError(Exception):
    """The stretch of time is over; the next one goes on."""


def take(
    name: str, content: bytes, into: imports.Into, *, by: str, columns: Mapping[str, str] | None = None, encoding: str = ""
) -> UUID:  # fmt: skip
    """Judge a list and keep it in hand. Raises Problem for a file that is none, or too long for the console."""
    if len(content) > LARGEST:
        raise _too_long()
    read = _read(name, content, into, columns, encoding)
    row_id = new_id()
    vault.make_key(row_id)
    ListInHand.objects.create(
        id=row_id, by=by, sealed=_seal(row_id, read), purpose=into.purpose, market=into.market, locale=into.locale,
        source=into.source, relation=into.relation, new_ground_since=into.new_ground_since, rows=read["rows"],
        state=State.JUDGING, expires_at=clock.now() + KEPT,
    )  # fmt: skip
    _judge(row_id, _AT_ONCE_S)
    return row_id


def judge_again(list_id: UUID, columns: Mapping[str, str], *, by: str) -> None:
    """The same file with other columns."""
    row = _row(list_id, by, State.JUDGED)
    told = _open(row)
    fresh = _read(told["name"], base64.b64decode(told["content"]), _into(row), columns, told["encoding"])
    ListInHand.objects.filter(pk=row.pk, state=State.JUDGED).update(
        sealed=_seal(row.id, fresh),
        rows=fresh["rows"],
        state=State.JUDGING,
        judged=0,
        told=None,
        expires_at=clock.now() + KEPT,
    )
    _judge(row.id, _AT_ONCE_S)


def order(list_id: UUID, *, by: str, leave_out_refused: bool) -> None:
    """Take it in: a first stretch now, the rest by the duty. Raises Problem `people.refused` while rows are refused."""
    row = _row(list_id, by, State.JUDGED)
    if _told(row)["counts"].get("refused") and not leave_out_refused:
        raise Problem("people.refused", "rows of this list are refused; nothing was written", status=422)
    if ListInHand.objects.filter(pk=row.pk, state=State.JUDGED).update(
        state=State.ORDERED, leave_out_refused=leave_out_refused, expires_at=clock.now() + KEPT
    ):
        _carry(list_id, _AT_ONCE_S)


def cancel(list_id: UUID, *, by: str) -> None:
    """Forget a list that was not ordered."""
    row = _row(list_id, by, State.JUDGED, State.JUDGING)
    _forget(row.id)


def one(list_id: UUID, *, by: str, page: int = 1) -> List:
    """A list as it stands, for whoever gave it. Raises Problem `people.no-list`."""
    row = _row(list_id, by)
    ledger = Import.objects.filter(pk=row.ledger).first() if row.ledger else None
    read, told = (_open(row), _told(row)) if row.sealed else ({}, {})
    lines, into = told.get("lines", ()), _into(row)
    pages = max(1, -(-len(lines) // SHOWN))
    page = min(max(1, page), pages)
    return List(
        id=row.id, by=row.by, state=row.state, problem=row.problem, into=into, rows=row.rows,
        done=ledger.done if ledger else row.judged, page=page, pages=pages,
        counts=dict(ledger.counts) if ledger else told.get("counts", {}), columns=read.get("columns", {}),
        left_out=tuple(read.get("left_out", ())), name=read.get("name", ""), leaves_out=row.leave_out_refused,
        lines=tuple(
            Line(row_number, outcome, tuple((column, why) for column, why in reasons), tuple(disarmed))
            for row_number, outcome, reasons, disarmed in lines[(page - 1) * SHOWN : page * SHOWN]
        ),
    )  # fmt: skip


def let_go_of(hashes: Iterable[str]) -> int:
    """Stop every list in hand that names somebody who is being erased; its content goes now, and whoever gave it is told to leave
    them out. ``hashes`` are the keyed hashes of what they are found by. Inside the transaction that erases their rows."""
    wanted, gone = frozenset(hashes), 0
    if not wanted:
        return 0
    for row in ListInHand.objects.filter(state__in=_IN_HAND):
        if wanted & _named_in(row.id, sha256(row.sealed).digest()):
            ListInHand.objects.filter(pk=row.pk).update(
                state=State.STOPPED,
                problem="people.somebody-erased",
                sealed=b"",
                told=None,
                expires_at=clock.now() + KEPT,
            )
            transaction.on_commit(partial(vault.destroy_key, row.id, forever=False))
            gone += 1
    return gone


@lru_cache(maxsize=16)
def _named_in(list_id: UUID, seal: bytes) -> frozenset[str]:
    """The keyed hashes of every address in a list and of every value in its columns that people are found by. ``seal`` is what the
    answer is remembered under: many are erased in one sweep."""
    row = ListInHand.objects.filter(pk=list_id).first()
    if row is None or not row.sealed or not vault.has_key(list_id):
        return frozenset()
    told = _open(row)
    content = base64.b64decode(told["content"])
    fields = publication.current().policy.fields
    text = content.decode("utf-8", "replace")
    values = {(field, each) for field in fields if fields[field].kind == "email" for each in _ADDRESS.findall(text)}
    sheet = _sheet(told["name"], content, _into(row), told["columns"], told["encoding"])
    cells = (
        (sheet.columns[column], cell)
        for row in sheet.rows
        for column, cell in row.cells.items()
        if column in sheet.columns
    )
    values |= set(cells)
    found = set()
    for field, text in values:
        if field in fields and fields[field].indexed and fields[field].kind != "name":
            found |= {blind.blind_hash(field, normal) for normal in blind.readings(fields[field].kind, text)}
    return frozenset(found)


def in_hand(by: str) -> list[ListInHand]:
    """What this member of staff has begun and not finished."""
    return list(ListInHand.objects.filter(by=by, state__in=_IN_HAND).defer("sealed", "told").order_by("id"))


@duty("register.take_in_lists", every=timedelta(seconds=5))
def take_in(at: datetime) -> int:
    """Go on with every list that is being judged or was ordered; returns how many were taken in."""
    for list_id in list(ListInHand.objects.filter(state=State.JUDGING).values_list("pk", flat=True)[:20]):
        _judge(list_id, _A_STRETCH_S)
    ordered = list(ListInHand.objects.filter(state=State.ORDERED).values_list("pk", flat=True)[:20])
    return sum(_carry(list_id, _A_STRETCH_S) for list_id in ordered)


@duty("register.forget_lists", every=timedelta(minutes=5))
def forget(at: datetime) -> int:
    """Lists nobody said a word about for an hour, and the note of how others went."""
    waiting = ListInHand.objects.filter(expires_at__lte=at).exclude(state__in=(State.ORDERED, State.JUDGING))
    gone = list(waiting.values_list("pk", flat=True)[:500])
    for list_id in gone:
        _forget(list_id)
    return len(gone)


def _carry(list_id: UUID, for_s: float) -> bool:
    row = ListInHand.objects.filter(pk=list_id, state=State.ORDERED).first()
    if row is None:
        return False
    told, until = _open(row), monotonic() + for_s

    def in_time(done: int, rows: int) -> None:
        if monotonic() >= until and done < rows:
            raise _EnoughError

    content, into = base64.b64decode(told["content"]), _into(row)
    try:
        sheet = _sheet(told["name"], content, into, told["columns"], told["encoding"])
        ListInHand.objects.filter(pk=row.pk).update(ledger=imports.name_of(sheet, into, content))
        imports.carry_out(sheet, into, content, by=row.by, leave_out_refused=row.leave_out_refused, told=in_time)
    except _EnoughError:
        return False
    except Problem as problem:
        _end(row.pk, State.STOPPED, problem.code)
        return False
    _end(row.pk, State.DONE, "")
    return True


def _end(list_id: UUID, state: str, problem: str) -> None:
    """The content goes at once; how it went is shown for an hour."""
    ended = clock.now() + KEPT
    ListInHand.objects.filter(pk=list_id).update(state=state, problem=problem, sealed=b"", told=None, expires_at=ended)
    vault.destroy_key(list_id, forever=False)


def _forget(list_id: UUID) -> None:
    ListInHand.objects.filter(pk=list_id).delete()
    vault.destroy_key(list_id, forever=False)


def _read(
    name: str, content: bytes, into: imports.Into, columns: Mapping[str, str] | None, encoding: str
) -> dict[str, Any]:
    sheet = _sheet(name, content, into, columns, encoding)
    if len(sheet.rows) > MOST_ROWS:
        raise _too_long()
    imports.check(into)
    return {
        "name": name, "content": base64.b64encode(content).decode(), "encoding": encoding, "rows": len(sheet.rows),
        "columns": dict(sheet.columns), "left_out": list(sheet.left_out),
    }  # fmt: skip


def _judge(list_id: UUID, for_s: float) -> bool:
    """Judge on for a while; whether the whole list is judged. How far it is and what was found are noted together."""
    row = ListInHand.objects.filter(pk=list_id, state=State.JUDGING).first()
    if row is None:
        return False
    read, told, into = _open(row), _told(row), _into(row)
    sheet = _sheet(read["name"], base64.b64decode(read["content"]), into, read["columns"], read["encoding"])
    began = noted = monotonic()
    done = row.judged
    while done < row.rows and (done == row.judged or monotonic() - began < for_s):
        fates = imports.judged(sheet, into, done, told["seen"])
        told["lines"] += [(fate.row, fate.outcome, fate.reasons, fate.disarmed) for fate in fates]
        for fate in fates:
            told["counts"][fate.outcome] += 1
        done += len(fates)
        if done < row.rows and monotonic() - noted >= _NOTED_EVERY_S:
            if not _note(row, done, told):
                return False
            noted = monotonic()
    return _note(row, done, told) and done >= row.rows


def _note(row: ListInHand, done: int, told: dict[str, Any]) -> bool:
    """False when somebody else went on with it, or cancelled it."""
    values: dict[str, Any] = {"judged": done}
    if done >= row.rows:
        told = {
            "counts": told["counts"],
            "lines": sorted(told["lines"], key=lambda line: (line[1] != "refused", not line[2], line[0])),
        }
        values |= {"state": State.JUDGED, "expires_at": clock.now() + KEPT}
    values["told"] = vault.opener(row.id).seal(_record(row.id), json.dumps(told).encode())
    ours = ListInHand.objects.filter(pk=row.pk, state=State.JUDGING, judged=row.judged)
    row.judged = done
    return bool(ours.update(**values))


def _told(row: ListInHand) -> dict[str, Any]:
    """What was found so far; ``seen`` only while it is still being judged."""
    if not row.told:
        return {"counts": {"new": 0, "merged": 0, "refused": 0}, "lines": [], "seen": {}}
    found: dict[str, Any] = json.loads(vault.opener(row.id).open(_record(row.id), row.told))
    return found


def _record(list_id: UUID) -> UUID:
    """What was found is bound to a name of its own, so that file and findings cannot be exchanged."""
    return UUID(int=list_id.int ^ 1)


def _sheet(
    name: str, content: bytes, into: imports.Into, columns: Mapping[str, str] | None, encoding: str
) -> sheets.Sheet:  # fmt: skip
    """Columns are found by what they are called until somebody has said which is which; then nothing else counts."""
    fields = imports.fields_for(into.purpose)
    if columns is None:
        return sheets.read(name, content, fields, {}, encoding, words=imports.words_for(fields))
    return sheets.read(name, content, fields, columns, encoding, only=True)


def _row(list_id: UUID, by: str, *states: str) -> ListInHand:
    row = ListInHand.objects.filter(pk=list_id, by=by).first()
    if row is None or (states and row.state not in states):
        raise Problem("people.no-list", "there is no such list in hand, or it is too late for that", status=404)
    return row


def _into(row: ListInHand) -> imports.Into:
    return imports.Into(row.purpose, row.market, row.locale, row.source, row.relation, row.new_ground_since)


def _seal(list_id: UUID, told: Mapping[str, Any]) -> bytes:
    return vault.opener(list_id).seal(list_id, json.dumps(told).encode())


def _open(row: ListInHand) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(vault.opener(row.id).open(row.id, row.sealed))
    return found


def _too_long() -> Problem:
    return Problem(
        "people.too-long", f"the console takes lists of up to {MOST_ROWS} rows and {LARGEST // 1_000_000} MB",
        way_out="Split it, or take it in at the command line: lofte people import", status=413,
    )  # fmt: skip
