"""The last days of a request, from the law pack of its market. Pure: facts in, days out; the arithmetic is in `rules.deadlines`."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from lofte.rules.deadlines import Deadline, Received, Wait, acknowledge_by, appeal_deadline, rights_deadline
from lofte.rules.packs import law_pack
from lofte.rules.ruling import Note

# The law sets no day for these; the house answers within the time of a request all the same.
BY_OUR_WORD = frozenset({"question", "complaint", "appeal"})


@dataclass(frozen=True, slots=True)
class Terms:
    """``due`` is the last day that counts now (the extended one, once extended), ``aim_by`` the last under the strictest reading.

    ``notice_by`` and ``extended_due`` say until when and to when it can still be extended; ``acknowledge_by`` when receipt of a
    complaint must be confirmed. ``by_law`` is False where no statute sets the day. All days are inclusive.
    """

    due: date
    aim_by: date
    first_due: date
    notice_by: date | None
    extended_due: date | None
    acknowledge_by: date | None
    may_be: date | None
    stopped_since: date | None
    zone: str
    citation: str
    by_law: bool
    notes: tuple[Note, ...]


def terms(
    law: str, right: str, received_at: datetime, at: datetime, *, identity: Wait | None = None,
    clarifications: Sequence[Wait] = (), is_extended: bool = False,
) -> Terms:  # fmt: skip
    """What the law in force when the request came asks for. ``at`` is now: an open clarification counts through today."""
    pack = law_pack(law)
    appeal = appeal_deadline(pack, received_at) if right == "appeal" else None
    found = appeal or rights_deadline(pack, Received(received_at, right, identity, None, tuple(clarifications)), at)
    by_law = appeal is not None or right not in BY_OUR_WORD
    told = acknowledge_by(pack, received_at) if right == "complaint" else None
    if not by_law:  # what is said of the law's own period is not about ours
        found = replace(found, notes=told.notes if told else ())
    return _said(found, told, is_extended, by_law)


def _said(found: Deadline, told: Deadline | None, is_extended: bool, by_law: bool) -> Terms:
    is_later = is_extended and found.extended_due is not None
    due = found.extended_due if is_later and found.extended_due else found.due
    return Terms(
        due=due, aim_by=due if is_later else found.aim_by, first_due=found.due,
        notice_by=None if is_extended or not by_law else found.notice_by,
        extended_due=found.extended_due if by_law else None,
        acknowledge_by=told.due if told else None, may_be=None if is_later else found.may_be,
        stopped_since=found.stopped_since, zone=found.zone, by_law=by_law, notes=found.notes,
        citation=found.citation if by_law else (told.citation if told else ""),
    )  # fmt: skip
