"""A person reaches their data through a link to the address on file, sees all of it, and strangers learn nothing."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from lofte.rules.control import Control, Verdict, broken, kept, listed, unproved


@dataclass(frozen=True, slots=True)
class PortalWalk:
    """What happened when the canary asked for its portal.

    ``tells_apart`` names how the answer for an unknown address differed from the canary's (status, words, mail);
    ``hidden`` are the kinds of data held and not shown; ``unrestricted`` whether data was used although it asked for it only to
    be kept.
    """

    opened: bool
    held: int
    hidden: tuple[str, ...] = ()
    tells_apart: tuple[str, ...] = ()
    open_without_link: bool = False
    uncorrected: bool = False
    unrestricted: bool = False


def _judge(seen: PortalWalk, parameters: Mapping[str, Any]) -> Verdict:
    if seen.tells_apart:
        return broken("tells-apart", how=listed(seen.tells_apart))
    if seen.open_without_link:
        return broken("open-to-all")
    if not seen.opened:
        return broken("not-opened")
    if seen.hidden:
        return broken("hidden", fields=listed(seen.hidden))
    if seen.uncorrected:
        return broken("not-corrected")
    if seen.unrestricted:
        return broken("not-restricted")
    if not seen.held:
        return unproved("nothing-held")
    return kept(held=seen.held)


CONTROL = Control(
    id="portal_gives_access",
    law=("GDPR 15", "GDPR 16", "GDPR 18", "GDPR 12(2)"),
    fresh_for=timedelta(days=2),
    needs=frozenset({"site", "register", "mailbox"}),
    judge=_judge,
)
