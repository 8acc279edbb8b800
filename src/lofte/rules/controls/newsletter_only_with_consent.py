"""Marketing mail goes only to those who said yes and confirmed it. (After a withdrawal: control withdrawal_at_once.)"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from lofte.rules.control import Control, Verdict, broken, kept, listed, unproved
from lofte.rules.controls._walked import judge_walks, unseen


@dataclass(frozen=True, slots=True)
class Subscribed:
    """A test person who signs up in one market.

    ``unconfirmed`` mailings came before the link was used. ``waits``: looking at the link, as a scanner of mail does, confirms
    nothing; ``lasts``: and does not use it up. ``received``: a mailing came once it was confirmed.
    """

    market: str
    unconfirmed: int = 0
    waits: bool = False
    lasts: bool = False
    received: bool = False


@dataclass(frozen=True, slots=True)
class Sends:
    """What test people met in each market, and the deliveries on file that no consent came before. ``to_dead`` are mailings to a
    test person whose mail server had said that there is no such address (None: no mail reaches us, so nobody can tell).
    """

    expected: tuple[str, ...]
    walks: tuple[Subscribed, ...] = ()
    deliveries: int = 0
    without_consent: int = 0
    to_dead: int | None = None


def _judge(seen: Sends, parameters: Mapping[str, Any]) -> Verdict:
    if unconfirmed := sum(one.unconfirmed for one in seen.walks):
        return broken("unconfirmed", count=unconfirmed)
    if seen.without_consent:
        return broken("without-consent", count=seen.without_consent, deliveries=seen.deliveries)
    if seen.to_dead:
        return broken("dead", count=seen.to_dead)
    if said := judge_walks(seen.walks, (("waits", True, "acts-on-get"), ("lasts", True, "burnt"))):
        return said
    if said := unseen(seen.walks, seen.expected):
        return said
    if missing := [one.market for one in seen.walks if not one.received]:
        return unproved("never-arrived", markets=listed(missing))
    return kept(deliveries=seen.deliveries, markets=len(seen.walks))


CONTROL = Control(
    id="newsletter_only_with_consent",
    law=("GDPR 6(1)(a)", "ePrivacy 13(1)"),
    fresh_for=timedelta(days=2),
    needs=frozenset({"register", "mailbox"}),
    judge=_judge,
)
