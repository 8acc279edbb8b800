"""The rows of requests, and the few ways in which they change; each leaves a step. For the modules of this room alone.

Words are sealed under the key of whoever the request is from, or under its own while nobody is known. Every verb takes its turn
first, in one UPDATE that holds the row until the transaction ends: of two who do something with a request at once, one does it and
the other is told to look again (`request.moved`).
"""

import base64
import json
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import F

from lofte.core import actions, blind, clock, holdings, outbox, ports, publication, vault
from lofte.core.models import Person, new_id
from lofte.core.retry import in_transaction
from lofte.features.rights import cases, letters
from lofte.features.rights.cases import CLOSED, OPEN, one
from lofte.features.rights.grounds import TALKS
from lofte.features.rights.models import Request, Step
from lofte.kernel.instants import rfc3339
from lofte.kernel.problems import Place, Problem

Right, Channel, State = Request.Right, Request.Channel, Request.State


def begin(
    person_id: UUID | None, right: str, by: str, channel: str, market: str, locale: str, at: datetime, words: str | None,
    purpose: str, contact: str,
) -> Request:  # fmt: skip
    _demand_known(right, channel, market, locale, at)
    address = blind.clean("email", contact) if contact and person_id is None else ""
    request_id = new_id()
    subject = person_id or (_writer() if address else None)
    owner = subject or request_id
    if owner == request_id:
        vault.make_key(request_id)
    is_known = by == "person" and person_id is not None
    row = Request(
        id=request_id, reference=_reference(request_id), subject=subject, owner=owner, right=right, purpose=purpose,
        channel=channel, market=market, locale=locale, law=publication.current().policy.markets[market].law, by=by,
        received_at=at, noted_at=clock.now(), identified_at=at if is_known else None, due_on=at.date(),
        state=State.WORKING if is_known and right not in TALKS else State.RECEIVED,
    )  # fmt: skip
    if address:
        row.sealed = vault.opener(owner).seal(row.id, json.dumps({"contact": address}).encode())
        row.hash = blind.blind_hash("email", blind.normalise("email", address))
    row.save(force_insert=True)
    add(row, "received", by, words=words)
    count_days(row)
    if is_known and subject is not None:
        ports.register().refresh_due(subject)
    return row


def _demand_known(right: str, channel: str, market: str, locale: str, at: datetime) -> None:
    edition = publication.current().policy.markets.get(market)
    if edition is None or locale not in edition.locales:
        raise Problem("form.not-here", "there is no such market and language", status=404)
    if right not in Right.values or channel not in Channel.values:
        raise Problem(
            "request.unknown-right", "the law knows no such request", Place(key="right"), status=422
        )  # fmt: skip
    if at > clock.now():
        raise Problem("request.not-yet", "this has not happened yet", Place(key="at"), status=422)


def _writer() -> UUID:
    """Somebody we know nothing of but an address: provisional, counted nowhere, gone with their last request."""
    return ports.register().welcome(provisional=True)


def _reference(request_id: UUID) -> str:
    """Eight letters and digits that people can read out, from the random end of the id; nothing is counted."""
    text = base64.b32encode(request_id.bytes[-5:]).decode()
    return f"{text[:4]}-{text[4:]}"


def forget_writer(person_id: UUID) -> None:
    """Somebody of whom there was only an address, once nothing hangs on it any more."""
    is_writer = Person.objects.filter(pk=person_id, provisional=True).exists()
    if is_writer and not Request.objects.filter(subject=person_id).exists():
        holdings.erase_rows(person_id)
        transaction.on_commit(lambda: vault.destroy_key(person_id) and None)


def seal_anew(row: Request, owner: UUID) -> None:
    """Under another key from now on; the address it came from is no longer needed."""
    before, after = row.owner, vault.opener(owner)
    if before is not None:
        old = vault.opener(before)
        for step in Step.objects.filter(request=row.id, sealed__isnull=False):
            Step.objects.filter(pk=step.pk).update(sealed=after.seal(step.id, old.open(step.id, step.sealed or b"")))
    Request.objects.filter(pk=row.pk).update(owner=owner, sealed=None, hash="")
    row.owner, row.sealed, row.hash = owner, None, ""
    if before == row.id:
        transaction.on_commit(lambda: vault.destroy_key(row.id, forever=False) and None)


def row_of(request_id: UUID) -> Request:
    row = Request.objects.filter(pk=request_id).first()
    if row is None:
        raise Problem("request.unknown", "there is no such request", status=404)
    return row


def open_row(request_id: UUID) -> Request:
    row = turn_of(request_id)
    if row.state in CLOSED:
        raise _closed()
    return row


def turn_of(request_id: UUID) -> Request:
    """The row, with the turn taken: nobody else changes it before this transaction ends."""
    row = row_of(request_id)
    if not Request.objects.filter(pk=row.pk, turn=row.turn).update(turn=F("turn") + 1):
        raise moved()
    row.turn += 1
    return row


def moved() -> Problem:
    return Problem(
        "request.moved", "somebody else did something with this request in the meantime",
        way_out="Look at it again, and do it then if it is still right.", status=409,
    )  # fmt: skip


def _closed() -> Problem:
    return Problem("request.closed", "this request has ended", status=409)


def change(row: Request, **values: Any) -> None:
    if not Request.objects.filter(pk=row.pk, state__in=OPEN).update(**values):
        raise _closed()
    for name, value in values.items():
        setattr(row, name, value)


def move(row: Request, state: Request.State) -> None:
    """The state, and the last days, which a question to the person may move."""
    change(row, state=state)
    count_days(row)


def count_days(row: Request) -> None:
    found = cases.terms_of(row, list(Step.objects.filter(request=row.id)), clock.now())
    change(row, due_on=found.due, notice_by=found.notice_by)


def add(
    row: Request, kind: str, by: str, *, words: str | None = None, reason: str = "", about: UUID | None = None
) -> None:
    step_id = new_id()
    sealed = vault.opener(row.owner).seal(step_id, words.strip().encode()) if words and row.owner else None
    Step.objects.create(
        id=step_id, request=row.id, kind=kind, by=by, at=clock.now(), reason=reason, sealed=sealed, about=about
    )


def tell(row: Request, kind: str, by: str, *, way: str = "", **said: Any) -> bool:
    """Let the person know, in a letter of this kind. By mail; or ``way`` is how staff does it themselves (`letters.WAYS`): then the
    letter is kept with the request, to print or to read out. With no ``way`` and no address it is kept as *untold* until somebody
    has said how the person was told; False in that case alone. Raises `request.nobody-to-write-to` for mail without an address.
    """
    case = one(row.id)
    if way in ("", letters.MAIL) and letters.send(case, kind, **said) is not None:
        return True
    if way == letters.MAIL:
        raise Problem(
            "request.nobody-to-write-to", "there is no address to write to",
            way_out="Tell them by post or by telephone, and note that you did.", status=409,
        )  # fmt: skip
    if way and way not in letters.WAYS:
        raise Problem("request.no-way", "people are not told that way", Place(key="way"), status=422)
    written = letters.compose(case, f"{kind}_post" if kind == "copy" else kind, **said)
    text = f"{written.subject}\n\n{written.text}"
    add(row, "told" if way else "untold", by, words=text, reason=way or kind)
    return bool(way)


def close(row: Request, state: Request.State, outcome: str, by: str, words: str | None = None) -> None:
    at = clock.now()
    moved = Request.objects.filter(pk=row.pk, state__in=OPEN).update(state=state, outcome=outcome, closed_at=at)
    if not moved:
        raise _closed()
    row.state, row.outcome, row.closed_at = state, outcome, at
    add(row, str(state), by, words=words, reason=outcome)
    if state == State.DONE and row.right == Right.RECTIFICATION and row.channel != Channel.PORTAL:
        tell(row, "corrected", by)  # whoever asked by letter or telephone has not seen it happen (GDPR 12(3))
    fact = {
        "right": row.right, "market": row.market, "law": row.law, "outcome": outcome, "state": str(state),
        "received": rfc3339(row.received_at), "due": str(row.due_on), "extended": row.extended_at is not None,
        "late": at.date() > row.due_on,
    }  # fmt: skip
    known = row.subject if row.identified_at is not None else None
    if known is not None:
        ports.register().refresh_due(known)  # no clock took them while they waited for the answer
    outbox.add("request.closed", fact, policy=publication.current().digest, person_id=known, about=row.id)
    actions.record("request.closed", by, right=row.right, outcome=outcome, market=row.market)


@in_transaction
def end_if_free(request_id: UUID) -> bool:
    """End a request that ends by itself, if nothing is waited for any more. Whether it has ended."""
    row = Request.objects.filter(pk=request_id, state__in=OPEN, ends_itself=True).first()
    if row is None:
        return False
    case = one(request_id)
    if case.waiting_for or case.untold or not case.has("acted"):
        return False
    close(row, State.DONE, "fulfilled", "system")
    return True
