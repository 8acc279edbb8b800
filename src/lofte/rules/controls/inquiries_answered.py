"""Whoever asks gets an answer: the inquiry is taken, answered by mail in one thread, and closed."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from lofte.rules.control import Control, Verdict, broken, kept
from lofte.rules.controls._walked import judge_walks, unseen


@dataclass(frozen=True, slots=True)
class Inquired:
    """A test person's inquiry in one market, by the form of the site.

    ``in_market``: it stands in the inbox of that market (judged by the control of contact routes). ``in_time``: with a last day
    within what is promised. ``told``: a letter said that it had come. ``answered``: staff's reply came by mail; ``threaded``: the
    reply stands in the conversation and can be answered. ``heard``: what the person wrote back opened the same inquiry again.
    ``closed``: staff could end it. ``let_be``: no consent was made of it.
    """

    market: str
    taken: bool = False
    in_market: bool = False
    in_time: bool = False
    told: bool = False
    answered: bool = False
    threaded: bool = False
    heard: bool = False
    closed: bool = False
    let_be: bool = True


@dataclass(frozen=True, slots=True)
class Inquiries:
    """What test people met, and what stands in the inbox of everybody else: open, past their last day, and closed as answered
    although nobody had answered.
    """

    expected: tuple[str, ...]
    walks: tuple[Inquired, ...] = ()
    open: int = 0
    late: int = 0
    longest_days: int = 0
    unanswered: int = 0


_WANTED = (
    ("taken", True, "not-taken"),
    ("in_time", True, "no-last-day"),
    ("told", True, "not-told"),
    ("answered", True, "no-answer"),
    ("threaded", True, "loose"),
    ("heard", True, "unheard"),
    ("closed", True, "not-closed"),
    ("let_be", True, "used"),
)


def _judge(seen: Inquiries, parameters: Mapping[str, Any]) -> Verdict:
    if seen.late:
        return broken("late", count=seen.late, days=seen.longest_days)
    if seen.unanswered:
        return broken("unanswered", count=seen.unanswered)
    said = judge_walks(seen.walks, _WANTED) or unseen(seen.walks, seen.expected)
    return said or kept(markets=len(seen.walks), open=seen.open)


CONTROL = Control(
    id="inquiries_answered",
    law=("GDPR 5(1)(b)", "GDPR 12(2)"),
    fresh_for=timedelta(days=1),
    needs=frozenset({"site", "register", "mailbox"}),
    judge=_judge,
)
