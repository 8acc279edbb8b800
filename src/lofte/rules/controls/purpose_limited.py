"""Personal data is read, kept and sent only for a declared purpose; what was done otherwise is found in the record."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from lofte.rules.control import Control, Verdict, broken, kept, listed, unproved


@dataclass(frozen=True, slots=True)
class Uses:
    """What was tried on the canary and what stands on file.

    ``gave`` are the ways (read, field, keep, mail) that served a purpose nobody declared. ``purposeless`` counts reads on file
    without a declared purpose, ``strays`` are holdings as ``purpose: field`` beyond their purpose's declaration, ``undeclared``
    columns of our tables that no declaration knows.
    """

    trials: int
    gave: tuple[str, ...] = ()
    looks: int = 0
    purposeless: int = 0
    stray_mails: int = 0
    holdings: int = 0
    strays: tuple[str, ...] = ()
    undeclared: tuple[str, ...] = ()


def _judge(seen: Uses, parameters: Mapping[str, Any]) -> Verdict:
    if seen.gave:
        return broken(f"gave-{seen.gave[0]}")
    if seen.purposeless:
        return broken("looks", count=seen.purposeless)
    if seen.stray_mails:
        return broken("mails", count=seen.stray_mails)
    if seen.strays:
        return broken("beyond", places=listed(seen.strays))
    if seen.undeclared:
        return broken("undeclared", columns=listed(seen.undeclared))
    if not seen.trials:
        return unproved("not-tried")
    return kept(trials=seen.trials, looks=seen.looks, holdings=seen.holdings)


CONTROL = Control(
    id="purpose_limited",
    law=("GDPR 5(1)(b)", "GDPR 6(4)"),
    fresh_for=timedelta(days=1),
    needs=frozenset({"site", "register", "mailbox"}),
    judge=_judge,
)
