"""Requests: people exercising a right, from the day one comes to the day it is answered. Verbs here, questions in `cases`.

A request moves received -> (identifying) -> working -> answered, refused or done, with stops while somebody else has the word. It
never ends done while an act it ordered is open here or in a connected system. Whatever a person does in the portal leaves one too.

Raises `Problem` with these codes: `request.unknown`, `request.closed`, `request.not-identified`, `request.open-elsewhere`,
`request.nothing-done`, `request.no-extension`, `request.no-refusal`, `request.no-reason`, `request.nobody-to-write-to`.
"""

import base64
import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import transaction

from lofte.core import actions, blind, clock, codes, holdings, outbox, ports, publication, vault
from lofte.core.models import Person, new_id
from lofte.core.retry import in_transaction
from lofte.features.rights import cases, letters
from lofte.features.rights.cases import CLOSED, OPEN, Case, one
from lofte.features.rights.models import Request, Step
from lofte.kernel.instants import rfc3339
from lofte.kernel.problems import Place, Problem
from lofte.rules.model import Basis

Right, Channel, State = Request.Right, Request.Channel, Request.State

TALKS = frozenset({Right.QUESTION, Right.COMPLAINT, Right.APPEAL})
"""What is answered with words: nobody need prove who they are, and the end is *answered*, not *done*."""

HOW_KNOWN = ("mailbox", "call_back", "in_person", "account", "another")
"""How staff came to know who somebody is; the first is the link to the address on file."""

EXTENSIONS = ("complex", "many")  # GDPR 12(3)

LINK_LASTS = timedelta(days=7)
"""A link in a letter about a request: nobody sits waiting for it, as for one they asked for a moment ago."""

_ACTS = frozenset(Right) - TALKS
REFUSALS: Mapping[str, tuple[frozenset[str], str, str]] = {
    "unfounded": (_ACTS - {Right.WITHDRAWAL} | {Right.QUESTION}, "12(5)", "6-1-1306(2)(c)"),
    "excessive": (_ACTS - {Right.WITHDRAWAL} | {Right.QUESTION}, "12(5)", "6-1-1306(2)(c)"),
    "identity": (_ACTS, "12(2), 11(2)", "6-1-1306(2)(d)"),
    "not_held": (
        frozenset({Right.ACCESS, Right.PORTABILITY, Right.RECTIFICATION, Right.ERASURE, Right.RESTRICTION}), "15(1)", "6-1-1306(1)",
    ),
    "legal_obligation": (frozenset({Right.ERASURE}), "17(3)(b)", "6-1-1304(3)(a)"),
    "claims": (frozenset({Right.ERASURE, Right.OBJECTION}), "17(3)(e), 21(1)", "6-1-1304(3)(a)"),
    "others_rights": (frozenset({Right.ACCESS, Right.PORTABILITY}), "15(4), 20(4)", "6-1-1304(3)(b)"),
    "conditions": (
        frozenset({Right.RECTIFICATION, Right.ERASURE, Right.PORTABILITY, Right.RESTRICTION}), "16, 17(1), 18(1), 20(1)",
        "6-1-1306(1)",
    ),
    "compelling_grounds": (frozenset({Right.OBJECTION}), "21(1)", "6-1-1306(1)(a)"),
    "upheld": (frozenset({Right.APPEAL, Right.COMPLAINT}), "12(4)", "6-1-1306(3)"),
}  # fmt: skip
"""Why a request may be refused: for which rights, the article of the (UK) Regulation, the section of the Colorado act."""

of, find, counts = cases.of, cases.find, cases.counts
open = cases.open_now  # the name the rest of the house asks by

__all__ = [
    "Case", "answer_clarification", "ask_clarification", "ask_identity", "complete", "counts", "extend", "find", "identify",
    "let_end", "note", "of", "one", "open", "receive", "refuse", "reply",
]  # fmt: skip


# --- coming in ------------------------------------------------------------------------------------------------------


@in_transaction
def receive(
    person_id: UUID | None, right: str, *, by: str, channel: str, market: str, locale: str, at: datetime,
    words: str | None = None, purpose: str = "", contact: str = "",
) -> UUID:  # fmt: skip
    """Note a request. ``at`` is when it reached us, which may be before it was noted; ``by`` is ``person`` or ``staff:<id>``.

    ``person_id`` is who it is said to be from; through the portal that is proven. Without one, ``contact`` is the address to answer
    to. Whether the person is told that it came is another step: `acknowledge`. Returns the id.
    """
    row = _begin(person_id, right, by, channel, market, locale, at, words, purpose, contact)
    fact = {"right": right, "market": market, "law": row.law, "channel": channel, "due": str(row.due_on)}
    outbox.add("request.received", fact | {"received": rfc3339(at)}, person_id=person_id, about=row.id)
    actions.record("request.received", by, right=right, market=market, channel=channel)
    return row.id


def _begin(
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
    row.save(force_insert=True)
    _add(row, "received", by, words=words)
    _reckon(row)
    return row


@in_transaction
def acknowledge(request_id: UUID, by: str) -> bool:
    """Tell the person that the request came and when we answer. False when there is no address to write to."""
    row = _open_row(request_id)
    if letters.send(one(request_id), "received") is None:
        return False
    _add(row, "acknowledged", by)
    return True


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


# --- who it is from -------------------------------------------------------------------------------------------------


@in_transaction
def ask_identity(request_id: UUID, person_id: UUID, by: str) -> bool:
    """Send a link to the address on file (GDPR 12(6)): whoever opens it is who they say. False when there is no such address."""
    row = _open_row(request_id)
    _belongs_to(row, person_id)
    case = one(request_id)
    if letters.send(case, "identity", code=link_of(case)) is None:
        return False
    _add(row, "identity_asked", by)
    _move(row, State.IDENTIFYING)
    actions.record("request.identity_asked", by)
    return True


@in_transaction
def identify(request_id: UUID, person_id: UUID, by: str, how: str = "another") -> None:
    """The request is this person's, and that is certain; ``how`` says why (`HOW_KNOWN`)."""
    row = _open_row(request_id)
    if how not in HOW_KNOWN:
        raise Problem("request.no-reason", "say how you know who it is", Place(key="how"), status=422)
    if row.identified_at is not None and row.subject == person_id:
        return
    _belongs_to(row, person_id)
    _set(row, identified_at=clock.now())
    _add(row, "identified", by, reason=how)
    _move(row, State.RECEIVED if row.right in TALKS else State.WORKING)
    actions.record("request.identified", by, how=how)


def link_of(case: Case) -> str:
    """A code that opens the portal for the person of a case, once."""
    assert case.person_id is not None
    return codes.issue("open", case.person_id, market=case.market, locale=case.locale, lasts=LINK_LASTS, about=case.id)


def proved(request_id: UUID, person_id: UUID) -> None:
    """The link of `ask_identity` was opened."""
    row = Request.objects.filter(pk=request_id, subject=person_id, state__in=OPEN).first()
    if row is not None:
        identify(request_id, person_id, "person", "mailbox")


def _belongs_to(row: Request, person_id: UUID) -> None:
    """From now on this person's: everything sealed is sealed anew under their key."""
    if row.subject == person_id:
        return
    if row.identified_at is not None:
        raise Problem("request.identified", "this request is known to be from somebody else", status=409)
    former = row.subject
    _set(row, subject=person_id)
    _seal_anew(row, person_id)
    if former is not None:
        forget_writer(former)


def _seal_anew(row: Request, owner: UUID) -> None:
    """Under another key from now on; the address it came from is no longer needed."""
    before, after = row.owner, vault.opener(owner)
    if before is not None:
        old = vault.opener(before)
        for step in Step.objects.filter(request=row.id, sealed__isnull=False):
            Step.objects.filter(pk=step.pk).update(sealed=after.seal(step.id, old.open(step.id, step.sealed or b"")))
    Request.objects.filter(pk=row.pk).update(owner=owner, sealed=None)
    row.owner, row.sealed = owner, None
    if before == row.id:
        transaction.on_commit(lambda: vault.destroy_key(row.id, forever=False) and None)


def forget_writer(person_id: UUID) -> None:
    """Somebody of whom there was only an address, once nothing hangs on it any more."""
    is_writer = Person.objects.filter(pk=person_id, provisional=True).exists()
    if is_writer and not Request.objects.filter(subject=person_id).exists():
        holdings.erase_rows(person_id)
        transaction.on_commit(lambda: vault.destroy_key(person_id) and None)


# --- talking --------------------------------------------------------------------------------------------------------


@in_transaction
def ask_clarification(request_id: UUID, words: str, by: str) -> None:
    """Ask the person what they mean. Where the law stops the clock for it, it stands until they answer."""
    row = _open_row(request_id)
    _demand_words(words)
    _add(row, "clarification_asked", by, words=words)
    _move(row, State.WAITING)
    _demand_sent(letters.send(one(request_id), "clarification", words=words))
    actions.record("request.clarification_asked", by)


@in_transaction
def answer_clarification(request_id: UUID, words: str, by: str) -> None:
    """Their answer came: the clock goes on."""
    row = _open_row(request_id)
    _demand_words(words)
    _add(row, "clarification_answered", by, words=words)
    _move(row, State.WORKING)


@in_transaction
def note(request_id: UUID, words: str, by: str) -> None:
    """A note for ourselves, which the person may read all the same."""
    _demand_words(words)
    _add(_row(request_id), "noted", by, words=words)


@in_transaction
def reply(request_id: UUID, words: str, by: str, *, closes: bool = False) -> None:
    """Write to the person. With ``closes`` the request is answered by it."""
    row = _open_row(request_id)
    _demand_words(words)
    _add(row, "replied", by, words=words)
    _demand_sent(letters.send(one(request_id), "reply", words=words))
    actions.record("request.replied", by, right=row.right)
    if closes:
        complete(request_id, by)
    elif row.state == State.RECEIVED:
        _move(row, State.WORKING)


@in_transaction
def answered_otherwise(request_id: UUID, words: str, by: str) -> None:
    """The person was answered by telephone, by post or in person: kept in words, because nothing here proves it."""
    row = _open_row(request_id)
    _demand_words(words)
    if row.right in TALKS:
        _add(row, "replied", by, words=words, reason="otherwise")
    elif row.right in (Right.ACCESS, Right.PORTABILITY):
        demand_identified(request_id)
        _add(row, "acted", by, words=words, reason="otherwise")
    else:
        raise Problem("request.nothing-done", "what was asked for is done here or not at all", status=409)
    if row.state == State.RECEIVED:
        _move(row, State.WORKING)
    actions.record("request.answered_otherwise", by, right=row.right)


@in_transaction
def extend(request_id: UUID, reason: str, by: str, words: str = "") -> None:
    """Take the longer period the law allows, and tell the person in time and why (GDPR 12(3))."""
    row = _open_row(request_id)
    if reason not in EXTENSIONS:
        raise Problem(
            "request.no-reason", "an extension needs one of the law's reasons", Place(key="reason"), status=422
        )
    case = one(request_id)
    refuse_to = _why_not_extended(row, case)
    if refuse_to:
        raise Problem("request.no-extension", refuse_to, law=case.deadline.citation, status=409)
    _set(row, extended_at=clock.now())
    _add(row, "extended", by, words=words or None, reason=reason)
    _reckon(row)
    _demand_sent(letters.send(one(request_id), "extended", words=words, reason=reason))
    actions.record("request.extended", by, reason=reason, right=row.right)


def _why_not_extended(row: Request, case: Case) -> str:
    if row.extended_at is not None:
        return "the law allows one extension"
    if case.deadline.extended_due is None or case.deadline.notice_by is None:
        return "the law knows no extension here"
    today = clock.now().astimezone(ZoneInfo(case.deadline.zone)).date()
    return "the day to tell the person of an extension has passed" if today > case.deadline.notice_by else ""


def may_extend(case: Case) -> bool:
    return case.is_open and not _why_not_extended(_row(case.id), case)


# --- endings --------------------------------------------------------------------------------------------------------


def refusals_for(right: str) -> tuple[str, ...]:
    """The reasons for which this right may be refused."""
    return tuple(reason for reason, (rights, _, _) in REFUSALS.items() if right in rights)


def law_of(reason: str, law: str) -> str:
    """The article a refusal rests on in a jurisdiction."""
    _, article, section = REFUSALS[reason]
    if law.startswith("US"):
        return f"C.R.S. {section}"
    return f"UK GDPR {article}" if law == "GB" else f"GDPR {article}"


@in_transaction
def refuse(request_id: UUID, reason_code: str, words: str, by: str) -> None:
    """Say no, with reasons and where to complain (GDPR 12(4)). Without reasons in words there is no refusal."""
    row = _open_row(request_id)
    if reason_code not in refusals_for(row.right) or _is_absolute(row):
        raise Problem(
            "request.no-refusal", f"a request of this kind is not refused for this reason ({reason_code})",
            Place(key="reason"), law="GDPR 12(4), 21(3)", status=422,
        )  # fmt: skip
    _demand_words(words)
    is_told = letters.send(one(request_id), "refused", words=words, reason=reason_code) is not None
    _close(row, State.REFUSED, reason_code, by, words)
    if not is_told:
        _add(row, "untold", by)


def _is_absolute(row: Request) -> bool:
    """A consent is taken back and direct marketing objected to without anybody's leave (GDPR 7(3), 21(2), (3))."""
    declared = publication.current().policy.purposes.get(row.purpose)
    if row.right == Right.WITHDRAWAL:
        return row.identified_at is not None
    return row.right == Right.OBJECTION and declared is not None and declared.basis is Basis.CONSENT


@in_transaction
def complete(request_id: UUID, by: str) -> None:
    """End the request. Raises Problem `request.open-elsewhere` naming what it still waits for, `request.nothing-done` when nothing
    was done or said yet; then it stays as it is."""
    row = _open_row(request_id)
    case = one(request_id)
    if waits := case.waiting_for:
        raise Problem(
            "request.open-elsewhere", f"it still waits for {', '.join(waits)}", way_out="Wait until they have confirmed.",
            law="GDPR 12(3), 19", status=409,
        )  # fmt: skip
    if row.right in TALKS:
        if not case.has("replied"):
            raise Problem("request.nothing-done", "nobody has answered the person yet", status=409)
        _close(row, State.ANSWERED, "answered", by)
        return
    if not case.has("acted"):
        raise Problem("request.nothing-done", "what was asked for has not been done yet", status=409)
    _close(row, State.DONE, "fulfilled", by)


@in_transaction
def let_end(request_id: UUID, by: str) -> None:
    """Nothing is left for us to do: it ends by itself when the last connected system has confirmed."""
    row = _open_row(request_id)
    _set(row, ends_itself=True)
    end_if_free(row.id)


@in_transaction
def end_if_free(request_id: UUID) -> bool:
    """End a request that ends by itself, if nothing is waited for any more. Whether it has ended."""
    row = Request.objects.filter(pk=request_id, state__in=OPEN, ends_itself=True).first()
    if row is None:
        return False
    case = one(request_id)
    if case.waiting_for or not case.has("acted"):
        return False
    _close(row, State.DONE, "fulfilled", "system")
    return True


def _close(row: Request, state: Request.State, outcome: str, by: str, words: str | None = None) -> None:
    at = clock.now()
    moved = Request.objects.filter(pk=row.pk, state__in=OPEN).update(state=state, outcome=outcome, closed_at=at)
    if not moved:
        raise _closed()
    row.state, row.outcome, row.closed_at = state, outcome, at
    _add(row, str(state), by, words=words, reason=outcome)
    if state == State.DONE and row.right == Right.RECTIFICATION and row.channel != Channel.PORTAL:
        letters.send(
            one(row.id), "corrected"
        )  # whoever asked by letter or telephone has not seen it happen (GDPR 12(3))
    fact = {
        "right": row.right, "market": row.market, "law": row.law, "outcome": outcome, "state": str(state),
        "received": rfc3339(row.received_at), "due": str(row.due_on), "extended": row.extended_at is not None,
        "late": at.date() > row.due_on,
    }  # fmt: skip
    known = row.subject if row.identified_at is not None else None
    outbox.add("request.closed", fact, policy=publication.current().digest, person_id=known, about=row.id)
    actions.record("request.closed", by, right=row.right, outcome=outcome, market=row.market)


# --- inside the room ------------------------------------------------------------------------------------------------


def acted(request_id: UUID, by: str, about: UUID | None, *, reason: str = "", kind: str = "acted") -> None:
    """What was asked for was done or ordered; ``about`` is what others know it by. Inside the caller's transaction.

    Another ``kind`` is a step on the way: the request waits for it, and is not done by it.
    """
    row = _open_row(request_id)
    _add(row, kind, by, about=about, reason=reason)
    if row.state == State.RECEIVED:
        _move(row, State.WORKING)


def add_step(request_id: UUID, kind: str, by: str, *, words: str = "", reason: str = "") -> None:
    """A line of the history, also after the end."""
    _add(_row(request_id), kind, by, words=words or None, reason=reason)


def names(request_id: UUID, purpose: str) -> None:
    """It turned out which purpose the person meant."""
    _set(_open_row(request_id), purpose=purpose)


def reckon(request_id: UUID) -> None:
    """Work out the last days anew: while a clock stands they move every day."""
    row = Request.objects.filter(pk=request_id, state__in=OPEN).first()
    if row is not None:
        _reckon(row)


@in_transaction
def lapse(request_id: UUID) -> None:
    """What the person had to confirm was not confirmed in time: nothing was done, and nothing more will be."""
    row = Request.objects.filter(pk=request_id, state__in=OPEN, ends_itself=True).first()
    if row is not None and not one(row.id).has("acted"):
        _close(row, State.ANSWERED, "lapsed", "system")


def demand_identified(request_id: UUID) -> Case:
    """The case, when it is certain who it is from: an act for the wrong person is a breach. Raises `request.not-identified`."""
    _open_row(request_id)
    case = one(request_id)
    if case.person_id is None or case.identified_at is None:
        raise Problem(
            "request.not-identified", "it is not certain who this request is from", law="GDPR 12(6), 11", status=409
        )
    return case


@in_transaction
def begun_by_person(
    person_id: UUID, right: str, *, purpose: str = "", about: UUID | None = None, kind: str = "acted"
) -> UUID:
    """A person used a right in the portal: a request that ends by itself when what it asked for is done everywhere.

    ``about`` is what was ordered by it. Inside the caller's transaction, so that neither stands without the other.
    """
    market, locale = ports.register().market_of(person_id) or _some_edition()
    row = _begin(person_id, right, "person", Channel.PORTAL, market, locale, clock.now(), None, purpose, "")
    _set(row, ends_itself=True)
    _add(row, kind, "person", about=about)
    end_if_free(row.id)
    return row.id


def continues(person_id: UUID, right: str, about: UUID) -> bool:
    """Whether an open request of this person waits for the same already (asked again before the first was confirmed)."""
    mine = Request.objects.filter(subject=person_id, right=right, state__in=OPEN, ends_itself=True)
    row = mine.filter(id__in=Step.objects.filter(kind="address_asked").values("request")).first()
    if row is None or one(row.id).has("acted"):
        return False
    _add(row, "address_asked", "person", about=about)
    return True


def went_on(person_id: UUID, waited_for: UUID, about: UUID) -> None:
    """What a request of this person waited for has come; ``about`` is what follows from it."""
    for step in Step.objects.filter(about=waited_for, kind="address_asked"):
        row = Request.objects.filter(pk=step.request, subject=person_id, state__in=OPEN).first()
        if row is not None:
            _add(row, "acted", "person", about=about)
            end_if_free(row.id)


def ordered(person_id: UUID, order_id: UUID, by: str) -> None:
    """An erasure was ordered, in the caller's transaction: it belongs to the open request for it, or to a new one of the person."""
    mine = Request.objects.filter(subject=person_id, right=Right.ERASURE, state__in=OPEN, identified_at__isnull=False)
    row = mine.order_by("received_at").first()
    if row is not None:
        _add(row, "acted", by, about=order_id)
        _set(row, ends_itself=True)
    elif by == "person":
        begun_by_person(person_id, Right.ERASURE, about=order_id)


def end_about(order_id: UUID) -> None:
    """End the requests that waited for this alone."""
    for step in Step.objects.filter(about=order_id, kind="acted"):
        end_if_free(step.request)


def forget_person(person_id: UUID, order_id: UUID | None) -> None:
    """The person is erased: their requests stay as bare records, without words and without them. What they still asked for ends
    with the erasure. Inside the transaction that erases the rows."""
    mine = Request.objects.filter(subject=person_id)
    for row in mine.filter(state__in=OPEN):
        if not Step.objects.filter(request=row.id, about=order_id, kind="acted").exists():
            _add(row, "acted", "system", about=order_id, reason="erased")
            _set(row, ends_itself=True)
    Step.objects.filter(request__in=mine.values("id")).update(sealed=None)
    mine.update(subject=None, owner=None, sealed=None)


def merge(keep: UUID, gone: UUID) -> None:
    """The requests of somebody who turned out to be another person, sealed anew."""
    for row in Request.objects.filter(subject=gone):
        Request.objects.filter(pk=row.pk).update(subject=keep)
        row.subject = keep
        if row.owner is not None:
            _seal_anew(row, keep)


def _some_edition() -> tuple[str, str]:
    markets = publication.current().policy.markets
    return next((key, each.locales[0]) for key, each in markets.items())


def _row(request_id: UUID) -> Request:
    row = Request.objects.filter(pk=request_id).first()
    if row is None:
        raise Problem("request.unknown", "there is no such request", status=404)
    return row


def _open_row(request_id: UUID) -> Request:
    row = _row(request_id)
    if row.state in CLOSED:
        raise _closed()
    return row


def _closed() -> Problem:
    return Problem("request.closed", "this request has ended", status=409)


def _set(row: Request, **values: Any) -> None:
    if not Request.objects.filter(pk=row.pk, state__in=OPEN).update(**values):
        raise _closed()
    for name, value in values.items():
        setattr(row, name, value)


def _move(row: Request, state: Request.State) -> None:
    """The state, and the last days, which a question to the person may move."""
    _set(row, state=state)
    _reckon(row)


def _reckon(row: Request) -> None:
    found = cases.terms_of(row, list(Step.objects.filter(request=row.id)), clock.now())
    _set(row, due_on=found.due, notice_by=found.notice_by)


def _add(
    row: Request, kind: str, by: str, *, words: str | None = None, reason: str = "", about: UUID | None = None
) -> None:
    step_id = new_id()
    sealed = vault.opener(row.owner).seal(step_id, words.strip().encode()) if words and row.owner else None
    Step.objects.create(
        id=step_id, request=row.id, kind=kind, by=by, at=clock.now(), reason=reason, sealed=sealed, about=about
    )


def _demand_words(words: str) -> None:
    if not words.strip():
        raise Problem("request.no-reason", "this must be said in words", Place(key="words"), status=422)


def _demand_sent(mail_id: UUID | None) -> None:
    if mail_id is None:
        raise Problem(
            "request.nobody-to-write-to", "there is no address to write to",
            way_out="Answer by the way the request came, and note what you said.", status=409,
        )  # fmt: skip
