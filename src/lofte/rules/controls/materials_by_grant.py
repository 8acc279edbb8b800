"""Material opens by a personal link that ends, and having asked for it is no yes to mailings."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from lofte.rules.control import Control, Verdict, broken, kept
from lofte.rules.controls._walked import judge_walks, unseen


@dataclass(frozen=True, slots=True)
class Asked:
    """What a test person met who asked for a material in one market.

    ``shut``: no address of ours gave the file without a link. ``mailed``: the link came by mail. ``ends``: it stops working within
    what is promised, and did when the day was supposed. ``waits``: looking at the link gives no file and counts nothing. ``given``:
    pressing the button gave the very file, and is noted as interest. ``counted``: it gives the file on so many days only.
    ``dies``: it no longer works once the material is withdrawn. ``let_be``: no consent and no mailing was made of it.
    """

    market: str
    taken: bool = False
    shut: bool = False
    mailed: bool = False
    waits: bool = False
    given: bool = False
    counted: bool = False
    ends: bool = False
    dies: bool = False
    let_be: bool = True


@dataclass(frozen=True, slots=True)
class Materials:
    """What test people met; ``late`` are people of the register who were given a file after their link had ended, ``endless`` those
    whose link works longer than is promised.
    """

    expected: tuple[str, ...]
    walks: tuple[Asked, ...] = ()
    links: int = 0
    late: int = 0
    endless: int = 0


_WANTED = (
    ("shut", True, "open"),
    ("taken", True, "not-taken"),
    ("mailed", True, "no-letter"),
    ("waits", True, "acts-on-get"),
    ("given", True, "not-given"),
    ("counted", True, "uncounted"),
    ("ends", True, "outlives"),
    ("dies", True, "lingers"),
    ("let_be", True, "used"),
)


def _judge(seen: Materials, parameters: Mapping[str, Any]) -> Verdict:
    if seen.late:
        return broken("late", count=seen.late)
    if seen.endless:
        return broken("endless", count=seen.endless)
    said = judge_walks(seen.walks, _WANTED) or unseen(seen.walks, seen.expected)
    return said or kept(markets=len(seen.walks), links=seen.links)


CONTROL = Control(
    id="materials_by_grant",
    law=("GDPR 5(1)(b)", "GDPR 6(1)(f)"),
    fresh_for=timedelta(days=1),
    needs=frozenset({"site", "register", "mailbox"}),
    judge=_judge,
)
