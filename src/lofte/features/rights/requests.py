"""Requests: people exercising a right, from the day one comes to the day it is answered. Verbs here, questions in `cases`.

A request moves received -> (identifying) -> working -> answered, refused or done, with stops while somebody else has the word. It
never ends done while an act it ordered is open here or in a connected system. Whatever a person does in the portal leaves one too.

Raises `Problem` with these codes: `request.unknown`, `request.closed`, `request.not-identified`, `request.open-elsewhere`,
`request.nothing-done`, `request.no-extension`, `request.no-refusal`, `request.no-reason`, `request.nobody-to-write-to`,
`request.untold` while a letter that could not be mailed is unknown to the person; `request.moved` when somebody else did something
with it in the same moment.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TypeVar
from uuid import UUID
from zoneinfo import ZoneInfo

from lofte.core import actions, clock, codes, outbox, ports, publication
from lofte.core.retry import in_transaction
from lofte.features.rights import cases, letters
from lofte.features.rights.cases import OPEN, Case, one
from lofte.features.rights.grounds import EXTENSIONS, HOW_KNOWN, TALKS, law_of, refusals_for
from lofte.features.rights.ledger import (
    add,
    begin,
    change,
    close,
    count_days,
    end_if_free,
    forget_writer,
    move,
    moved,
    open_row,
    row_of,
    seal_anew,
    tell,
    turn_of,
)
from lofte.features.rights.models import Request, Step
from lofte.features.rights.own_acts import begun_by_person
from lofte.kernel.instants import rfc3339
from lofte.kernel.problems import Place, Problem
from lofte.rules.model import Basis

Right, Channel, State = Request.Right, Request.Channel, Request.State
T = TypeVar("T")

LINK_LASTS = timedelta(days=7)
"""A link in a letter about a request: nobody sits waiting for it, as for one they asked for a moment ago."""

of, find, counts = cases.of, cases.find, cases.counts
open = cases.open_now  # the name the rest of the house asks by

__all__ = [
    "EXTENSIONS", "HOW_KNOWN", "TALKS", "Case", "answer_clarification", "answered_otherwise", "ask_clarification", "ask_identity",
    "at_turn", "begun_by_person", "complete", "counts", "end_if_free", "extend", "find", "identify", "law_of", "let_end", "note",
    "of", "one", "open", "receive", "refusals_for", "refuse", "reply", "told_otherwise",
]  # fmt: skip


@in_transaction
def at_turn(request_id: UUID, turn: int, act: Callable[[], T]) -> T:
    """Do this if nothing was done with the request since somebody saw it at that turn. Raises Problem `request.moved`."""
    if row_of(request_id).turn != turn:
        raise moved()
    turn_of(request_id)
    return act()


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
    row = begin(person_id, right, by, channel, market, locale, at, words, purpose, contact)
    fact = {"right": right, "market": market, "law": row.law, "channel": channel, "due": str(row.due_on)}
    outbox.add("request.received", fact | {"received": rfc3339(at)}, person_id=person_id, about=row.id)
    actions.record("request.received", by, right=right, market=market, channel=channel)
    return row.id


@in_transaction
def acknowledge(request_id: UUID, by: str, way: str = letters.MAIL) -> bool:
    """Tell the person that the request came and when we answer. False when there is no address to write to."""
    row = open_row(request_id)
    if way == letters.MAIL and not letters.address_of(one(request_id)):
        return False
    tell(row, "received", by, way=way)
    add(row, "acknowledged", by)
    return True


# --- who it is from -------------------------------------------------------------------------------------------------


@in_transaction
def ask_identity(request_id: UUID, person_id: UUID, by: str) -> bool:
    """Send a link to the address on file (GDPR 12(6)): whoever opens it is who they say. False when there is no such address."""
    row = open_row(request_id)
    _belongs_to(row, person_id)
    case = one(request_id)
    if letters.send(case, "identity", code=link_of(case)) is None:
        return False
    add(row, "identity_asked", by)
    move(row, State.IDENTIFYING)
    actions.record("request.identity_asked", by)
    return True


@in_transaction
def identify(request_id: UUID, person_id: UUID, by: str, how: str = "another") -> None:
    """The request is this person's, and that is certain; ``how`` says why (`HOW_KNOWN`)."""
    row = open_row(request_id)
    if how not in HOW_KNOWN:
        raise Problem("request.no-reason", "say how you know who it is", Place(key="how"), status=422)
    if row.identified_at is not None and row.subject == person_id:
        return
    _belongs_to(row, person_id)
    change(row, identified_at=clock.now())
    add(row, "identified", by, reason=how)
    move(row, State.WAITING if _has_asked(row) else State.RECEIVED if row.right in TALKS else State.WORKING)
    ports.register().refresh_due(person_id)  # no clock takes whoever waits for an answer
    actions.record("request.identified", by, how=how)


def _has_asked(row: Request) -> bool:
    """Whether the person has been asked what they mean and has not answered yet."""
    steps = Step.objects.filter(request=row.id, kind__in=("clarification_asked", "clarification_answered"))
    return steps.order_by("-at", "-id").values_list("kind", flat=True).first() == "clarification_asked"


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
    change(row, subject=person_id)
    seal_anew(row, person_id)
    if former is not None:
        forget_writer(former)


# --- talking --------------------------------------------------------------------------------------------------------


@in_transaction
def ask_clarification(request_id: UUID, words: str, by: str, way: str = letters.MAIL) -> None:
    """Ask the person what they mean. Where the law stops the clock for it, it stands until they answer."""
    row = open_row(request_id)
    _demand_words(words)
    add(row, "clarification_asked", by, words=words)
    move(row, State.WAITING)
    tell(row, "clarification", by, way=way, words=words)
    actions.record("request.clarification_asked", by)


@in_transaction
def answer_clarification(request_id: UUID, words: str, by: str) -> None:
    """Their answer came: the clock goes on."""
    row = open_row(request_id)
    _demand_words(words)
    add(row, "clarification_answered", by, words=words)
    move(row, State.WORKING)


@in_transaction
def note(request_id: UUID, words: str, by: str) -> None:
    """A note for ourselves, which the person may read all the same."""
    _demand_words(words)
    row = turn_of(request_id)
    if row.owner is None:
        raise Problem(
            "request.erased", "the person has been erased; nothing about them is written down again", status=410
        )
    add(row, "noted", by, words=words)


@in_transaction
def reply(request_id: UUID, words: str, by: str, *, closes: bool = False, way: str = letters.MAIL) -> None:
    """Write to the person, or note what they are told otherwise. With ``closes`` the request is answered by it."""
    row = open_row(request_id)
    _demand_words(words)
    add(row, "replied", by, words=words)
    tell(row, "reply", by, way=way, words=words)
    actions.record("request.replied", by, right=row.right)
    if closes:
        complete(request_id, by)
    elif row.state == State.RECEIVED:
        move(row, State.WORKING)


@in_transaction
def told_otherwise(request_id: UUID, letter: UUID, way: str, by: str, words: str = "") -> None:
    """The person has been told what a letter says that could not be mailed: by post, telephone or in person. Also after the end."""
    row = turn_of(request_id)
    if letter not in {each.id for each in one(request_id).untold}:
        raise Problem("request.told", "the person has been told of this", Place(key="letter"), status=409)
    if way not in letters.WAYS[1:]:
        raise Problem("request.no-way", "say how the person was told", Place(key="way"), status=422)
    add(row, "told", by, words=words or None, reason=way, about=letter)
    actions.record("request.told", by, way=way, right=row.right)


@in_transaction
def answered_otherwise(request_id: UUID, words: str, by: str) -> None:
    """The person was answered by telephone, by post or in person: kept in words, because nothing here proves it."""
    row = open_row(request_id)
    _demand_words(words)
    if row.right in TALKS:
        add(row, "replied", by, words=words, reason="otherwise")
    elif row.right in (Right.ACCESS, Right.PORTABILITY):
        demand_identified(request_id)
        add(row, "acted", by, words=words, reason="otherwise")
    else:
        raise Problem("request.nothing-done", "what was asked for is done here or not at all", status=409)
    if row.state == State.RECEIVED:
        move(row, State.WORKING)
    actions.record("request.answered_otherwise", by, right=row.right)


@in_transaction
def extend(request_id: UUID, reason: str, by: str, words: str = "", way: str = letters.MAIL) -> None:
    """Take the longer period the law allows, and tell the person in time and why (GDPR 12(3))."""
    row = open_row(request_id)
    if reason not in EXTENSIONS:
        raise Problem(
            "request.no-reason", "an extension needs one of the law's reasons", Place(key="reason"), status=422
        )
    case = one(request_id)
    refuse_to = _why_not_extended(row, case)
    if refuse_to:
        raise Problem("request.no-extension", refuse_to, law=case.deadline.citation, status=409)
    change(row, extended_at=clock.now())
    add(row, "extended", by, words=words or None, reason=reason)
    count_days(row)
    tell(row, "extended", by, way=way, words=words, reason=reason)
    actions.record("request.extended", by, reason=reason, right=row.right)


def _why_not_extended(row: Request, case: Case) -> str:
    if row.extended_at is not None:
        return "the law allows one extension"
    if case.deadline.extended_due is None or case.deadline.notice_by is None:
        return "the law knows no extension here"
    today = clock.now().astimezone(ZoneInfo(case.deadline.zone)).date()
    return "the day to tell the person of an extension has passed" if today > case.deadline.notice_by else ""


def may_extend(case: Case) -> bool:
    return case.is_open and not _why_not_extended(row_of(case.id), case)


# --- endings --------------------------------------------------------------------------------------------------------


@in_transaction
def refuse(request_id: UUID, reason_code: str, words: str, by: str, way: str = "") -> None:
    """Say no, with reasons and where to complain (GDPR 12(4)). Without reasons in words there is no refusal. Where nobody can be
    mailed the letter is kept until somebody has told the person."""
    row = open_row(request_id)
    if reason_code not in refusals_for(row.right) or _is_absolute(row):
        raise Problem(
            "request.no-refusal", f"a request of this kind is not refused for this reason ({reason_code})",
            Place(key="reason"), law="GDPR 12(4), 21(3)", status=422,
        )  # fmt: skip
    _demand_words(words)
    tell(row, "refused", by, way=way, words=words, reason=reason_code)
    close(row, State.REFUSED, reason_code, by, words)


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
    row = open_row(request_id)
    case = one(request_id)
    if waits := case.waiting_for:
        raise Problem(
            "request.open-elsewhere", f"it still waits for {', '.join(waits)}", way_out="Wait until they have confirmed.",
            law="GDPR 12(3), 19", status=409,
        )  # fmt: skip
    if case.untold:
        raise Problem(
            "request.untold", "the person has not been told of it yet", law="GDPR 12(3)",
            way_out="Print the letter or read it to them, and note that you did.", status=409,
        )  # fmt: skip
    if row.right in TALKS:
        if not case.has("replied"):
            raise Problem("request.nothing-done", "nobody has answered the person yet", status=409)
        close(row, State.ANSWERED, "answered", by)
        return
    if not case.has("acted"):
        raise Problem("request.nothing-done", "what was asked for has not been done yet", status=409)
    close(row, State.DONE, "fulfilled", by)


@in_transaction
def let_end(request_id: UUID, by: str) -> None:
    """Nothing is left for us to do: it ends by itself when the last connected system has confirmed."""
    row = open_row(request_id)
    change(row, ends_itself=True)
    end_if_free(row.id)


# --- inside the room ------------------------------------------------------------------------------------------------


def acted(request_id: UUID, by: str, about: UUID | None, *, reason: str = "", kind: str = "acted") -> None:
    """What was asked for was done or ordered; ``about`` is what others know it by. Inside the caller's transaction.

    Another ``kind`` is a step on the way: the request waits for it, and is not done by it.
    """
    row = open_row(request_id)
    add(row, kind, by, about=about, reason=reason)
    if row.state == State.RECEIVED:
        move(row, State.WORKING)


def add_step(request_id: UUID, kind: str, by: str, *, words: str = "", reason: str = "") -> None:
    """A line of the history, also after the end."""
    add(turn_of(request_id), kind, by, words=words or None, reason=reason)


def names(request_id: UUID, purpose: str) -> None:
    """It turned out which purpose the person meant."""
    change(open_row(request_id), purpose=purpose)


def reckon(request_id: UUID) -> None:
    """Work out the last days anew: while a clock stands they move every day."""
    row = Request.objects.filter(pk=request_id, state__in=OPEN).first()
    if row is not None:
        count_days(row)


def demand_identified(request_id: UUID) -> Case:
    """The case, when it is certain who it is from: an act for the wrong person is a breach. Raises `request.not-identified`."""
    open_row(request_id)
    return demand_still_identified(request_id)


def demand_still_identified(request_id: UUID) -> Case:
    """As `demand_identified`, also when the request has ended."""
    case = one(request_id)
    if case.person_id is None or case.identified_at is None:
        raise Problem(
            "request.not-identified", "it is not certain who this request is from", law="GDPR 12(6), 11", status=409
        )
    return case


def _demand_words(words: str) -> None:
    if not words.strip():
        raise Problem("request.no-reason", "this must be said in words", Place(key="words"), status=422)
