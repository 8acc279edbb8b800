"""With every cookie blocked the site still opens and reads, and it says what is lost."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from lofte.rules.control import Control, Verdict, broken, kept, listed, unproved
from lofte.rules.controls._seen import Page, lacking


@dataclass(frozen=True, slots=True)
class CookielessVisit:
    """Pages opened with all cookies blocked: ``dead`` did not open or lost their content; ``silent`` should say what
    is lost.
    """

    opened: int
    dead: tuple[str, ...] = ()
    silent: tuple[Page, ...] = ()


def _judge(seen: CookielessVisit, parameters: Mapping[str, Any]) -> Verdict:
    if seen.dead:
        return broken("dead", pages=listed(seen.dead))
    if lacks := lacking(seen.silent):
        return broken("silent", pages=listed(lacks))
    if not seen.opened:
        return unproved("not-opened")
    return kept(pages=seen.opened)


CONTROL = Control(
    id="works_without_cookies",
    law=("ePrivacy 5(3)", "GDPR 7(4)"),
    fresh_for=timedelta(days=2),
    needs=frozenset({"browser"}),
    judge=_judge,
)
