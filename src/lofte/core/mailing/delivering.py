"""Empties the queue in batches: claimed, decided and settled in one transaction each, handed over by a few connections between.

Whatever moment the sender is killed at, no letter for marketing leaves twice: see `journal`.
"""

import json
import logging
import secrets
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings

from lofte.core import clock, ports, publication, vault
from lofte.core.decisions import BY_LAW, decide
from lofte.core.mailing import bounces, journal, signing, suppression
from lofte.core.mailing.assembly import Outgoing, assembled
from lofte.core.mailing.handing import TAKEN, Became, Made, Outcome, Pool, UnreachableError
from lofte.core.mailing.journal import Journal
from lofte.core.models import Mail
from lofte.core.ports import Standing
from lofte.core.retry import in_transaction
from lofte.core.tasks import AGAIN, duty
from lofte.kernel.problems import Problem

BATCH = 100
_CHANNEL = "email"
_LEASE = timedelta(minutes=5)  # for a sender on another machine; one on this machine is seen to be dead at once
_PAUSES = tuple(timedelta(minutes=m) for m in (1, 5, 15, 60, 240, 720, 1440))
_ROUND_S = 20  # other duties wait meanwhile
_logger = logging.getLogger("lofte.mail")


@duty("mail.deliver", every=timedelta(seconds=2))
def _deliver(at: datetime) -> object:
    return AGAIN if _delivered(at, _ROUND_S)[1] else None


def deliver(at: datetime) -> int:
    """Send what is due; returns how many left. Without LOFTE_SMTP the queue waits."""
    return _delivered(at, None)[0]


def _delivered(at: datetime, within_s: float | None) -> tuple[int, bool]:
    """How many left, and whether more are waiting. Raises Problem when there is no key to sign with."""
    if not settings.EMAIL_HOST:
        return 0, False
    signer = signing.signer()
    _pick_up_the_fallen(at)
    began, sent = time.monotonic(), 0
    with closing(Pool()) as pool:
        while within_s is None or time.monotonic() - began < within_s:
            taken, is_reached, is_empty = _batch(pool, signer, at)
            sent += taken
            if is_empty or not is_reached:
                return sent, False
    return sent, True


def _batch(pool: Pool, signer: signing.Signer | None, at: datetime) -> tuple[int, bool, bool]:
    """How many letters left, whether the server was reached, and whether none was waiting."""
    due = _due(at)
    if not due:
        return 0, True, True
    notes = journal.begin(settings.LOFTE_HOME, secrets.token_hex(8))
    is_settled = False
    try:
        rows = _claim(due, notes.file.stem, at)
        became = _handed_over(pool, rows, signer, notes)
        taken = _settle(rows, became, at)
        is_settled = True
    finally:
        notes.close(is_settled=is_settled)
    return taken, not any(_is_unreached(each) for each in became), False


def _due(at: datetime) -> list[tuple[UUID, UUID]]:
    """The next letters, what is owed before what is offered."""
    due: list[tuple[UUID, UUID]] = []
    for is_marketing in (False, True):
        rows = Mail.everyone.filter(state=Mail.State.QUEUED, is_marketing=is_marketing, next_at__lte=at)
        due += rows.order_by("next_at").values_list("person_id", "id")[: BATCH - len(due)]
    return due


# --- claimed and decided --------------------------------------------------------------------------------------------


@in_transaction
def _claim(due: Sequence[tuple[UUID, UUID]], lease: str, at: datetime) -> list[Mail]:
    """Claim rows that nobody else did, and decide in the same transaction which of them may still go."""
    people, ids = {person for person, _ in due}, [row for _, row in due]
    rows = Mail.everyone.filter(person_id__in=people, id__in=ids)
    rows.filter(state=Mail.State.QUEUED).update(state=Mail.State.SENDING, lease=lease, next_at=at + _LEASE)
    turn = {row: number for number, (_, row) in enumerate(due)}  # what was written first is read first
    claimed = sorted(rows.filter(state=Mail.State.SENDING, lease=lease), key=lambda row: turn[row.id])
    stopped: dict[str, list[Mail]] = {}
    going: list[Mail] = []
    for row, why in _judged(claimed):
        (stopped.setdefault(why, []) if why else going).append(row)
    for why, those in stopped.items():
        _set(those, state=Mail.State.SUPPRESSED, reason=why, sealed=None)
    return going


def _judged(rows: Sequence[Mail]) -> Iterator[tuple[Mail, str]]:
    """Each row with why it may not go; nothing where it may."""
    people = list({row.person_id for row in rows})
    offered = list({row.person_id for row in rows if row.is_marketing})
    restricted = ports.restricted_of(people)
    stops = suppression.stops_of(people)
    standings = ports.consents().standings_of(offered) if offered else {}
    for row in rows:
        if row.purpose not in BY_LAW and row.person_id in restricted:
            yield row, "restricted"
        elif row.is_marketing and (why := _why_not(row.purpose, standings.get(row.person_id, {}))):
            yield row, why
        elif stop := suppression.why_stopped(stops, row):
            if not row.is_marketing:
                row.reason = suppression.DESPITE
            yield row, stop if row.is_marketing else ""
        else:
            yield row, ""


def _why_not(purpose: str, standings: Mapping[str, Standing]) -> str:
    """What the person's latest word says against a letter: whoever queued it asked the law as well, but that was before."""
    said = standings.get(purpose)
    if said and said.action == "granted" and _CHANNEL not in said.channels:
        return "no-consent"
    decision = decide(publication.current(), purpose, (), standings)
    return "" if decision.allowed else decision.reason


# --- handed over ----------------------------------------------------------------------------------------------------


def _handed_over(pool: Pool, rows: Sequence[Mail], signer: signing.Signer | None, notes: Journal) -> list[Became]:
    keys = vault.openers(list({row.person_id for row in rows}))
    letters: list[tuple[UUID, Made]] = [(row.id, _Built(row, keys.get(row.person_id), signer)) for row in rows]
    return list(pool.hand_over(letters, notes))


@dataclass(frozen=True, slots=True)
class _Built:
    """A letter that is opened and written when its turn comes."""

    row: Mail
    key: vault.Opener | None
    signer: signing.Signer | None

    def __call__(self) -> Outgoing:
        if self.key is None or self.row.sealed is None:
            raise Problem("vault.no-key", "the letter cannot be opened: its person was erased", status=404)
        return assembled(self.row, json.loads(self.key.open(self.row.id, self.row.sealed)), self.signer)


# --- settled --------------------------------------------------------------------------------------------------------


@in_transaction
def _settle(rows: Sequence[Mail], became: Sequence[Became], at: datetime) -> int:
    """Write down what became of a batch; returns how many letters were taken."""
    by_id = {row.id: row for row in rows}
    taken: dict[str, list[Mail]] = {}
    unreached = []
    for each in became:
        if isinstance(each, tuple):
            _failed(by_id[each[0]], each[1], at)
        elif each.code == TAKEN:
            taken.setdefault(by_id[each.row].reason, []).append(by_id[each.row])
        elif each.code:
            _refused(by_id[each.row], each, at)
        else:
            unreached.append(by_id[each.row])
    for reason, those in taken.items():
        _set(those, state=Mail.State.SENT, sent_at=clock.now(), sealed=None, reason=reason)
    _set(unreached, state=Mail.State.QUEUED, next_at=at + _PAUSES[0])
    return sum(map(len, taken.values()))


def _failed(row: Mail, error: Exception, at: datetime) -> None:
    if isinstance(error, UnreachableError):
        _logger.warning("the mail server did not answer", extra={"fields": {"error": str(error)}})
        if error.is_open and row.is_marketing:
            _set([row], state=Mail.State.FAILED, reason="outcome-unknown", sealed=None)
        else:
            _again(row, at)
    elif isinstance(error, Problem):
        reason = {"vault.no-key": "erased", "mail.unreachable": "unreachable-address"}.get(error.code, "unreadable")
        _set([row], state=Mail.State.FAILED, reason=reason, sealed=None)
    else:
        _logger.error("a letter could not be written", extra={"fields": {"error": type(error).__name__}})
        _again(row, at)


def _refused(row: Mail, outcome: Outcome, at: datetime) -> None:
    if outcome.code < 500:
        _again(row, at)
        return
    _set([row], state=Mail.State.FAILED, reason="refused", sealed=None)
    verdict = bounces.judged(f"{outcome.code} {outcome.words}")
    suppression.came_back(row, verdict.kind, verdict.status, clock.now())


def _again(row: Mail, at: datetime) -> None:
    if row.attempts >= len(_PAUSES):
        _set([row], state=Mail.State.FAILED, reason="unreachable", sealed=None)
    else:
        _set([row], state=Mail.State.QUEUED, attempts=row.attempts + 1, next_at=at + _PAUSES[row.attempts])


def _is_unreached(became: Became) -> bool:
    return isinstance(became[1], UnreachableError) if isinstance(became, tuple) else became.code == 0


def _set(rows: Sequence[Mail], **values: object) -> None:
    """Ours alone: a row that an erasure took away or somebody else settled is left as it is."""
    if rows:
        held = Mail.everyone.filter(person_id__in={row.person_id for row in rows}, id__in=[row.id for row in rows])
        held.filter(state=Mail.State.SENDING).update(lease="", **values)


# --- after a death --------------------------------------------------------------------------------------------------


def _pick_up_the_fallen(at: datetime) -> None:
    """Letters whose sender died between claim and outcome: what was not begun goes again; marketing is not risked twice."""
    with journal.left_behind(settings.LOFTE_HOME) as fallen:
        for lease, notes in fallen.items():
            _sort_out(lease, notes or {}, at, is_known=notes is not None)
    lost = list(Mail.everyone.filter(state=Mail.State.SENDING, next_at__lte=at)[:1000])
    _risk_nothing(lost, at)


@in_transaction
def _sort_out(lease: str, notes: Mapping[UUID, int], at: datetime, *, is_known: bool) -> None:
    rows = list(Mail.everyone.filter(state=Mail.State.SENDING, lease=lease))
    sent = [row for row in rows if notes.get(row.id) == TAKEN]
    asked = [row for row in rows if notes.get(row.id, 0) == journal.BEGUN or not is_known]
    _set(sent, state=Mail.State.SENT, sent_at=at, sealed=None)
    _risk_nothing(asked, at)
    _set([row for row in rows if row not in sent and row not in asked], state=Mail.State.QUEUED, next_at=at)


def _risk_nothing(rows: Sequence[Mail], at: datetime) -> None:
    """Nobody knows whether they left."""
    offered = [row for row in rows if row.is_marketing]
    _set(offered, state=Mail.State.FAILED, reason="outcome-unknown", sealed=None)
    _set([row for row in rows if not row.is_marketing], state=Mail.State.QUEUED, next_at=at)
