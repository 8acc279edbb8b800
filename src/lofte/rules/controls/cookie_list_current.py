"""The public cookie list shows every declared cookie with its function, is dated, and is the one that was published
last.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from lofte.rules.control import Control, Verdict, broken, kept, listed, unproved
from lofte.rules.controls._seen import Page, lacking


@dataclass(frozen=True, slots=True)
class CookieLists:
    """The served lists: names or functions each lacks, lists without a date, lists of an earlier publication."""

    pages: tuple[Page, ...]
    cookies: int
    undated: tuple[str, ...] = ()
    outdated: tuple[str, ...] = ()


def _judge(seen: CookieLists, parameters: Mapping[str, Any]) -> Verdict:
    if lacks := lacking(seen.pages):
        return broken("incomplete", pages=listed(lacks))
    if seen.outdated:
        return broken("outdated", pages=listed(seen.outdated))
    if seen.undated:
        return broken("undated", pages=listed(seen.undated))
    if not seen.pages or not seen.cookies:
        return unproved("no-list")
    return kept(pages=len(seen.pages), cookies=seen.cookies)


CONTROL = Control(
    id="cookie_list_current",
    law=("ePrivacy 5(3)", "GDPR 12(1)"),
    fresh_for=timedelta(days=2),
    needs=frozenset({"site", "publication"}),
    judge=_judge,
)
