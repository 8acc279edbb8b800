"""What P13 and P17 have in common: purposes rest on one legal basis, in the declaration, in the register and on the
page.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lofte.rules.control import Verdict, broken, kept, listed, unproved
from lofte.rules.controls._seen import Page, lacking


@dataclass(frozen=True, slots=True)
class BasisSeen:
    """The declared basis of each purpose meant, the holdings on file under another basis, and the pages that must
    say it.
    """

    declared: Mapping[str, str]
    holdings: int
    otherwise: int
    pages: tuple[Page, ...]


def judge_basis(seen: BasisSeen, parameters: Mapping[str, Any]) -> Verdict:
    expected = parameters.get("basis", "contract")
    if wrong := [f"{purpose}: {basis}" for purpose, basis in seen.declared.items() if basis != expected]:
        return broken("declared-otherwise", purposes=listed(wrong))
    if seen.otherwise:
        return broken("held-otherwise", count=seen.otherwise)
    if lacks := lacking(seen.pages):
        return broken("not-said", pages=listed(lacks))
    if not seen.declared or not seen.pages:
        return unproved("not-declared")
    return kept(purposes=listed(seen.declared), holdings=seen.holdings, pages=len(seen.pages))
