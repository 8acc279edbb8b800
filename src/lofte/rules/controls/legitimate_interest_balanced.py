"""Every purpose that rests on legitimate interest has a balancing test, reviewed in time and shown to the reader; who objects is
left alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from lofte.rules.control import Control, Verdict, broken, kept, listed, unproved
from lofte.rules.controls._seen import Page, lacking


@dataclass(frozen=True, slots=True)
class Objection:
    """A test person objected to a purpose: was there a way, and did the use stop?"""

    purpose: str
    is_offered: bool
    is_honoured: bool = False


@dataclass(frozen=True, slots=True)
class Balanced:
    """Days since each purpose's balancing test was reviewed (None: no test), the pages that should show them, and what came of an
    objection (None: nobody could try).
    """

    reviewed_days: Mapping[str, int | None]
    pages: tuple[Page, ...]
    objection: Objection | None = None


LONGEST_REVIEW_DAYS = 3 * 365  # EDPB Guidelines 1/2024: reviewed when things change; we ask for a fixed limit too


def _judge(seen: Balanced, parameters: Mapping[str, Any]) -> Verdict:
    if untested := [purpose for purpose, days in seen.reviewed_days.items() if days is None]:
        return broken("no-test", purposes=listed(untested))
    limit = int(parameters.get("review_days", LONGEST_REVIEW_DAYS))
    if old := [purpose for purpose, days in seen.reviewed_days.items() if days is not None and days > limit]:
        return broken("old-test", purposes=listed(old), days=limit)
    if lacks := lacking(seen.pages):
        return broken("not-shown", pages=listed(lacks))
    if not seen.reviewed_days or not seen.pages:
        return unproved("nothing-rests")
    if seen.objection is None:
        return unproved("not-tried", pages=len(seen.pages))
    if not seen.objection.is_offered:
        return broken("no-way", purpose=seen.objection.purpose)
    if not seen.objection.is_honoured:
        return broken("not-honoured", purpose=seen.objection.purpose)
    return kept(purposes=listed(seen.reviewed_days), pages=len(seen.pages))


CONTROL = Control(
    id="legitimate_interest_balanced",
    law=("GDPR 6(1)(f)", "GDPR 13(1)(d)", "GDPR 21(1)"),
    fresh_for=timedelta(days=2),
    needs=frozenset({"site", "publication", "register", "mailbox"}),
    judge=_judge,
)
