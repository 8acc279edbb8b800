"""What a control is: one file that says what must hold, from which observation it is judged, and which law asks.

Pure. A probe brings the observation, the control's judge turns it into a verdict, the promises feature keeps the
verdict.
Words live beside each control in YAML, five locales; `rules.controls` joins the two.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

Fact = str | int


class Status(StrEnum):
    KEPT = "kept"
    BROKEN = "broken"
    UNPROVED = "unproved"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What an observation says about a promise.

    ``reason`` is a key in the control's words; ``facts`` fill its slots. Neither ever holds personal data:
    verdicts are published.
    """

    status: Status
    reason: str = "kept"
    facts: Mapping[str, Fact] = field(default_factory=dict)


Judge = Callable[[Any, Mapping[str, Any]], Verdict]


@dataclass(frozen=True, slots=True)
class Control:
    """One thing that must hold.

    ``needs`` names the instruments a probe of it uses: site, publication, log, register, mailbox, browser.
    ``judge`` is pure: observation and parameters in, verdict out. It is None while nobody knows how to observe the
    thing;
    the words then say what is missing.
    """

    id: str
    law: tuple[str, ...]
    fresh_for: timedelta
    needs: frozenset[str]
    judge: Judge | None = None

    def verdict(self, observation: Any, parameters: Mapping[str, Any]) -> Verdict:
        """The verdict on an observation; no observation is never more than unproved."""
        if self.judge is None or observation is None:
            return unproved("no-probe")
        return self.judge(observation, parameters)


def kept(reason: str = "kept", **facts: Fact) -> Verdict:
    return Verdict(Status.KEPT, reason, facts)


def broken(reason: str, **facts: Fact) -> Verdict:
    return Verdict(Status.BROKEN, reason, facts)


def unproved(reason: str, **facts: Fact) -> Verdict:
    return Verdict(Status.UNPROVED, reason, facts)


def aged(verdict: Verdict, seen_at: datetime, now: datetime, fresh_for: timedelta) -> Verdict:
    """The verdict as it stands now: one older than ``fresh_for`` proves nothing any more.

    A stale *broken* stays broken: that nobody looked again does not mend it.
    """
    if verdict.status is Status.KEPT and now - seen_at > fresh_for:
        return unproved("stale", hours=int((now - seen_at).total_seconds() // 3600))
    return verdict


def worst(statuses: Iterable[Status]) -> Status:
    """What a promise with several controls is: broken if any is, kept only if all are.

    No control at all proves nothing.
    """
    found = set(statuses)
    if Status.BROKEN in found:
        return Status.BROKEN
    return Status.KEPT if found == {Status.KEPT} else Status.UNPROVED


def listed(items: Iterable[object], most: int = 5) -> str:
    """A few items for a reason's slot, in a stable order; the rest as a count."""
    names = sorted({str(item) for item in items})
    rest = len(names) - most
    return ", ".join(names[:most]) + (f" (+{rest})" if rest > 0 else "")
