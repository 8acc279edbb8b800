"""Whoever registers for an event has a place and a confirmation, can give it up, and is forgotten in time."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from lofte.rules.control import Control, Verdict, broken, kept
from lofte.rules.controls._walked import judge_walks, unseen


@dataclass(frozen=True, slots=True)
class Attended:
    """What test people met who registered for an event in one market: one got the only place, another queued.

    ``confirmed``: a letter said so; ``dated``: with a calendar file of the event's time. ``listed``: the host's list has them, and
    reading it left a trace. ``waits``: looking at the link in the letter gives up nothing. ``freed``: pressing the button did, and
    ``promoted``: the place went to whoever queued. ``stays``: nothing was gone before its day; ``gone``: and everything after it.
    ``let_be``: no consent was made of it.
    """

    market: str
    taken: bool = False
    confirmed: bool = False
    dated: bool = False
    listed: bool = False
    waits: bool = False
    freed: bool = False
    promoted: bool = False
    stays: bool = False
    gone: bool = False
    let_be: bool = True


@dataclass(frozen=True, slots=True)
class Events:
    """What test people met; ``overbooked`` are events that gave away more places than they have, ``overdue`` people whose
    registration or answers are there past their last day without a law that keeps them.
    """

    expected: tuple[str, ...]
    walks: tuple[Attended, ...] = ()
    events: int = 0
    overbooked: int = 0
    overdue: int = 0
    longest_days: int = 0


_WANTED = (
    ("taken", True, "not-taken"),
    ("confirmed", True, "not-confirmed"),
    ("dated", True, "no-calendar"),
    ("listed", True, "not-listed"),
    ("waits", True, "acts-on-get"),
    ("freed", True, "not-cancelled"),
    ("promoted", True, "not-promoted"),
    ("stays", True, "early"),
    ("gone", True, "still-there"),
    ("let_be", True, "used"),
)


def _judge(seen: Events, parameters: Mapping[str, Any]) -> Verdict:
    if seen.overbooked:
        return broken("overbooked", count=seen.overbooked)
    if seen.overdue:
        return broken("overdue", count=seen.overdue, days=seen.longest_days)
    said = judge_walks(seen.walks, _WANTED) or unseen(seen.walks, seen.expected)
    return said or kept(markets=len(seen.walks), events=seen.events)


CONTROL = Control(
    id="events_registered",
    law=("GDPR 6(1)(b)", "GDPR 5(1)(e)"),
    fresh_for=timedelta(days=1),
    needs=frozenset({"site", "register", "mailbox"}),
    judge=_judge,
)
