"""What P15 and P18 have in common: nobody is kept past the clock, and the sweep that sees to it is running."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lofte.rules.control import Verdict, broken, kept, unproved

LONGEST_SWEEP_GAP_H = 48  # the sweep is a daily duty; one missed day is not yet a broken promise


@dataclass(frozen=True, slots=True)
class Clocked:
    """``overdue`` counts people still held after their last day; ``swept_hours`` is the time since the last sweep,
    None if never.

    ``still_there`` tells whether a person whose clock had run out was still held after a sweep (None: not tried).
    """

    people: int
    overdue: int
    longest_days: int = 0
    swept_hours: int | None = None
    still_there: bool | None = None


def judge_clocked(seen: Clocked, parameters: Mapping[str, Any]) -> Verdict:
    if seen.overdue:
        return broken("overdue", count=seen.overdue, days=seen.longest_days)
    if seen.still_there:
        return broken("not-swept")
    if seen.swept_hours is None:
        return unproved("never-swept", people=seen.people)
    if seen.swept_hours > LONGEST_SWEEP_GAP_H:
        return unproved("sweep-late", hours=seen.swept_hours)
    if seen.still_there is None and not seen.people:
        return unproved("nobody")
    return kept(people=seen.people, hours=seen.swept_hours)
