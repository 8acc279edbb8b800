"""Whoever asks or complains finds the way, is heard in the right market, and is answered before the last day."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from lofte.rules.control import Control, Verdict, broken, kept, listed, unproved
from lofte.rules.controls._seen import Page, lacking

LONGEST_DAYS = 45  # the longest first period of any law pack: C.R.S. 6-1-1306(2)


@dataclass(frozen=True, slots=True)
class Asked:
    """A test person's question: was it taken, in which market's list, with how many days to answer, and was the person told?"""

    is_taken: bool
    is_in_market: bool = False
    days: int = 0
    is_told: bool = False


@dataclass(frozen=True, slots=True)
class Routes:
    """Policy pages and the authorities each should name and does not, pages to write to us with what they lack, a test question
    (None: nobody could try), and the requests that stand open, late ones among them. ``astray`` are markets whose inquiry form
    leads to another market's inbox.
    """

    pages: tuple[Page, ...]
    ways: tuple[Page, ...] = ()
    asked: Asked | None = None
    open: int = 0
    late: int = 0
    longest_days: int = 0
    astray: tuple[str, ...] = ()


def _judge(seen: Routes, parameters: Mapping[str, Any]) -> Verdict:
    if lacks := lacking(seen.pages):
        return broken("no-authority", pages=listed(lacks))
    if lacks := lacking(seen.ways):
        return broken("no-way", pages=listed(lacks))
    if seen.late:
        return broken("late", count=seen.late, days=seen.longest_days)
    if not seen.pages:
        return unproved("no-pages")
    if seen.asked is None:
        return unproved("partly", pages=len(seen.pages))
    return _of_question(seen, seen.asked)


def _of_question(seen: Routes, asked: Asked) -> Verdict:
    if not asked.is_taken:
        return broken("not-taken")
    if not asked.is_in_market or seen.astray:
        return broken("astray")
    if not 0 <= asked.days <= LONGEST_DAYS:
        return broken("no-last-day", days=asked.days)
    if not asked.is_told:
        return broken("not-told")
    return kept(pages=len(seen.pages), open=seen.open, days=asked.days)


CONTROL = Control(
    id="contact_route",
    law=("GDPR 13(2)(d)", "GDPR 12(3)", "GDPR 77"),
    fresh_for=timedelta(days=2),
    needs=frozenset({"site", "publication", "register", "mailbox"}),
    judge=_judge,
)
