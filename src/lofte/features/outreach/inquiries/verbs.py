"""What staff does with an inquiry, from the first look to its end. Questions are in `reads`, how inquiries come in `intake`.

Raises `Problem`: `inquiry.unknown`, `inquiry.closed`, `inquiry.moved` (somebody else was quicker), `inquiry.no-words`,
`inquiry.no-desk`, `inquiry.no-such-kind`, `inquiry.no-outcome`, `inquiry.unanswered`, `inquiry.restricted`, and what the forms'
files and the register raise.
"""

from collections.abc import Callable, Iterable
from typing import TypeVar
from uuid import UUID

from lofte.core import actions, clock, outbox, ports, publication
from lofte.core.models import new_id
from lofte.core.retry import in_transaction
from lofte.features.outreach.forms.files import Upload, judged
from lofte.features.outreach.inquiries import desks, intake, kinds, letters
from lofte.features.outreach.inquiries.ledger import State, add, change, moved, open_row, row_of, turn_of
from lofte.features.outreach.inquiries.models import Inquiry, Step
from lofte.kernel.problems import Place, Problem

Outcome = Inquiry.Outcome
T = TypeVar("T")

MEDIA = ("phone", "meeting", "chat", "post", "mail")
"""The ways people talk with us beside letters from here."""
ENDINGS = (Outcome.ANSWERED, Outcome.NOTHING_ASKED, Outcome.NOT_MEANT_FOR_US)
MOST_FILES = 5  # of one answer


@in_transaction
def at_turn(inquiry: UUID, turn: int, act: Callable[[], T]) -> T:
    """Do this if nothing was done with the inquiry since somebody saw it at that turn. Raises Problem `inquiry.moved`."""
    if row_of(inquiry).turn != turn:
        raise moved()
    turn_of(inquiry)
    return act()


# --- talking --------------------------------------------------------------------------------------------------------


@in_transaction
def reply(inquiry: UUID, words: str, by: str, *, files: Iterable[Upload] = (), closes: bool = False) -> None:
    """Write to them, in the thread of what they wrote. With ``closes`` nothing more is expected."""
    row = open_row(inquiry)
    words = worded(words)
    _demand_reachable(row, by)
    kept, step = judged(MOST_FILES, files), new_id()
    said = _said(row, words, "mail", by)
    for upload in kept:
        ports.register().attach(row.person_id, said, upload.name, upload.data, by=by)
    add(row, "replied", by, dialogue=said, mail=letters.answer(row, words, step, kept), step=step)
    _answered(row, by, "mail", closes=closes)


@in_transaction
def told(inquiry: UUID, words: str, medium: str, by: str, *, closes: bool = False) -> None:
    """They were answered by telephone, in person or by post: kept in words, because nothing here proves it."""
    row = open_row(inquiry)
    words = worded(words)
    _demand_medium(medium)
    add(row, "told", by, reason=medium, dialogue=_said(row, words, medium, by))
    _answered(row, by, medium, closes=closes)


@in_transaction
def heard(inquiry: UUID, words: str, medium: str, by: str) -> None:
    """They rang, or wrote to another address: their word belongs to the inquiry, and we owe an answer."""
    row = turn_of(inquiry)
    words = worded(words)
    _demand_medium(medium)
    said = intake.note(row, words, medium, by=by, is_theirs=True)
    intake.hear(row, is_theirs=True)
    add(row, "received", "person", reason=medium, dialogue=said)
    actions.record("inquiry.heard", by, kind=row.kind, market=row.market)


@in_transaction
def note(inquiry: UUID, words: str, by: str) -> None:
    """A note for ourselves. It is about the person, so their own copy holds it."""
    row = turn_of(inquiry)
    words = worded(words)
    add(row, "noted", by, kept={"words": words})


def _said(row: Inquiry, words: str, medium: str, by: str) -> UUID:
    return ports.register().note(
        row.person_id, words, row.purpose, medium=medium, direction="out", at=clock.now(), by=by, market=row.market,
        locale=row.locale, field=kinds.spoken_field(row.purpose),
    )  # fmt: skip


def _answered(row: Inquiry, by: str, medium: str, *, closes: bool) -> None:
    """We have had the word. Whether it came in time stands in the log."""
    at, is_late = clock.now(), row.due_on is not None and kinds.today(row.market, clock.now()) > row.due_on
    if row.due_on is not None:
        fact = {"inquiry": str(row.id), "kind": row.kind, "market": row.market, "medium": medium, "late": is_late}
        outbox.add("inquiry.answered", fact, person_id=row.person_id, about=row.id)
    change(row, state=State.ANSWERED, due_on=None, latest_at=at, answered_at=row.answered_at or at)
    actions.record("inquiry.answered", by, kind=row.kind, market=row.market, medium=medium)
    if closes:
        _close(row, Outcome.ANSWERED, by)


# --- whose it is ----------------------------------------------------------------------------------------------------


@in_transaction
def assign(inquiry: UUID, to: str, by: str) -> None:
    """Put it on a desk. Raises Problem `inquiry.no-desk` for somebody who may not work with inquiries."""
    row = open_row(inquiry)
    if to and to not in {each.key for each in desks.desks()}:
        raise Problem("inquiry.no-desk", "nobody there works with inquiries", Place(key="to"), status=422)
    if row.assignee == to:
        return
    change(row, assignee=to)
    add(row, "assigned", by, reason=to or "nobody")
    actions.record("inquiry.assigned", by, to=to or "nobody")


@in_transaction
def move(inquiry: UUID, kind: str, market: str, by: str) -> None:
    """To the right kind and market: another inbox, and the relation that goes with it. What was written keeps its purpose."""
    row = open_row(inquiry)
    edition = publication.current().policy.markets.get(market)
    if kind not in kinds.KINDS or edition is None:
        raise Problem("inquiry.no-such-kind", "there is no such kind or market", Place(key="kind"), status=422)
    if (kind, market) == (row.kind, row.market):
        return
    locale = row.locale if row.locale in edition.locales else edition.locales[0]
    reason = f"{row.kind}/{row.market}>{kind}/{market}"
    change(row, kind=kind, market=market, locale=locale, assignee="" if market != row.market else row.assignee)
    relation = kinds.RELATIONS[kind]
    if relation in publication.current().policy.relations:
        ports.register().relate(row.person_id, relation, market=market, locale=locale)
    add(row, "moved", by, reason=reason)
    actions.record("inquiry.moved", by, kind=kind, market=market)


@in_transaction
def hand_over(inquiry: UUID, right: str, by: str) -> UUID:
    """What they ask is theirs by right: it becomes a request, with the day it came, and ends here. Returns the request's id."""
    row = open_row(inquiry)
    steps = Step.objects.of(row.person_id).filter(inquiry=row.id, kind="received").order_by("at", "id")
    entries = [each for each in steps.values_list("dialogue", flat=True) if each]
    words = ports.register().words_of(row.person_id, entries, row.purpose, by=by)
    made = ports.requests().receive(
        row.person_id, right, by=by, channel="mail", market=row.market, locale=row.locale, at=row.received_at,
        words="\n\n".join(words[each] for each in entries if each in words) or None,
    )  # fmt: skip
    ports.requests().acknowledge(made, by)
    change(row, request=made)
    add(row, "handed_over", by, reason=right)
    _close(row, Outcome.HANDED_OVER, by)
    return made


# --- endings --------------------------------------------------------------------------------------------------------


@in_transaction
def close(inquiry: UUID, outcome: str, by: str) -> None:
    """Nothing more is expected. An inquiry that waits for our answer is not closed as answered."""
    row = open_row(inquiry)
    if outcome not in ENDINGS:
        raise Problem("inquiry.no-outcome", "say how it ended", Place(key="outcome"), status=422)
    if outcome == Outcome.ANSWERED and (row.answered_at is None or row.due_on is not None):
        raise Problem("inquiry.unanswered", "nobody has answered what they wrote", Place(key="outcome"), status=409)
    _close(row, Outcome(outcome), by)


@in_transaction
def reopen(inquiry: UUID, by: str) -> None:
    """It was not over after all. Whether an answer is owed is as it was."""
    row = turn_of(inquiry)
    if row.state != State.CLOSED:
        return
    is_owed = row.answered_at is None
    change(
        row, state=State.OPEN if is_owed else State.ANSWERED, outcome="", closed_at=None,
        due_on=kinds.answer_by(row.market, row.received_at) if is_owed else None,
    )  # fmt: skip
    add(row, "reopened", by)
    actions.record("inquiry.reopened", by, kind=row.kind, market=row.market)


def _close(row: Inquiry, outcome: Inquiry.Outcome, by: str) -> None:
    at = clock.now()
    change(row, state=State.CLOSED, outcome=outcome, closed_at=at, due_on=None, latest_at=at)
    add(row, "closed", by, reason=outcome)
    fact = {"inquiry": str(row.id), "kind": row.kind, "market": row.market, "outcome": str(outcome)}
    outbox.add("inquiry.closed", fact, person_id=row.person_id, about=row.id)
    actions.record("inquiry.closed", by, kind=row.kind, market=row.market, outcome=str(outcome))


# --- demands --------------------------------------------------------------------------------------------------------


def worded(words: str) -> str:
    """The words as they are kept."""
    if not intake.plain(words):
        raise Problem("inquiry.no-words", "there are no words to send or keep", Place(key="words"), status=422)
    if len(words) > intake.LONGEST:
        raise Problem("inquiry.no-words", "this is too long for a letter", Place(key="words"), status=422)
    return intake.plain(words)


def _demand_medium(medium: str) -> None:
    if medium not in MEDIA:
        raise Problem("inquiry.no-medium", "this is no way people talk with us", Place(key="medium"), status=422)


def _demand_reachable(row: Inquiry, by: str) -> None:
    """Whoever objected or asked for their data to be kept only is not written to: the letter would never leave."""
    if ports.is_restricted(row.person_id):
        raise Problem(
            "inquiry.restricted", "this person's data may only be kept for now", law="GDPR 18(2)", status=409,
            way_out="Answer them once the restriction is lifted, or in their request.",
        )  # fmt: skip
    if not letters.contact_of(row).email:
        raise Problem("inquiry.no-address", "they left no address to write to", Place(key="words"), status=409)
    ports.register().words_of(row.person_id, [], row.purpose, by=by, fields=["email"])
