"""What P15 and P18 have in common: nobody is kept past the clock, the clock cannot be put off, and the sweep is running."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lofte.rules.control import Verdict, broken, kept, unproved

LONGEST_SWEEP_GAP_H = 48  # the sweep is a daily duty; one missed day is not yet a broken promise


@dataclass(frozen=True, slots=True)
class Led:
    """A test person led through a clock with supposed days. ``walked`` to its end: ``late_days`` after the policy's last day the
    register would have let it go, ``early`` when something went before, ``still_there`` after the sweep of the day.

    ``forged`` when a sign of interest nobody declared was taken for one, ``deaf`` when a declared one moved nothing.
    """

    walked: bool = False
    clockless: bool = False
    late_days: int = 0
    early: bool = False
    still_there: bool = False
    forged: bool = False
    deaf: bool = False


@dataclass(frozen=True, slots=True)
class Clocked:
    """``overdue`` counts people still held after their last day; ``swept_hours`` is the time since the last sweep,
    None if never.

    ``put_off`` are holdings of ``looked`` people whose last day is missing or later than the clock gives; ``untrue_signals`` are
    signs of interest nobody can have shown; ``let_alone`` are plans of the brake that one person let go by themself, and
    ``is_brake_loose`` whether that could be done now. ``still_there`` tells whether a person whose clock had run out was still
    held after a sweep (None: not tried); ``led`` is what a test person met on its way through the clock.
    """

    people: int
    overdue: int
    longest_days: int = 0
    swept_hours: int | None = None
    still_there: bool | None = None
    looked: int = 0
    put_off: int = 0
    untrue_signals: int = 0
    let_alone: int = 0
    is_brake_loose: bool = False
    led: Led | None = None


def judge_clocked(seen: Clocked, parameters: Mapping[str, Any]) -> Verdict:
    if seen.overdue:
        return broken("overdue", count=seen.overdue, days=seen.longest_days)
    if seen.still_there:
        return broken("not-swept")
    if seen.put_off:
        return broken("put-off", count=seen.put_off, people=seen.looked)
    if seen.untrue_signals:
        return broken("untrue-signals", count=seen.untrue_signals)
    if seen.let_alone or seen.is_brake_loose:
        return broken("brake", count=max(seen.let_alone, 1))
    if seen.led is not None and (said := _met(seen.led)):
        return said
    if seen.swept_hours is None:
        return unproved("never-swept", people=seen.people)
    if seen.swept_hours > LONGEST_SWEEP_GAP_H:
        return unproved("sweep-late", hours=seen.swept_hours)
    if seen.led is None or not seen.led.walked:
        return unproved("nobody")
    return kept(people=seen.people, hours=seen.swept_hours)


def _met(led: Led) -> Verdict | None:
    if led.forged:
        return broken("forged")
    if led.clockless:
        return broken("clockless")
    if led.late_days:
        return broken("dated-late", days=led.late_days)
    if led.still_there:
        return broken("not-swept")
    if led.early:
        return broken("early")
    return broken("deaf") if led.deaf else None
