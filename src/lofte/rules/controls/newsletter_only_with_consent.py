"""Marketing mail goes only to those who said yes and confirmed it, about what they chose, and nobody watches them read it.

After a withdrawal: control withdrawal_at_once.
"""

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
class Chosen:
    """The preference centre of one market, opened by the link of a letter. ``shown``: without a login, with every topic on offer;
    ``looked``: looking changed nothing; ``saved``: what was chosen stands, and is shown.
    """

    market: str
    shown: bool = False
    looked: bool = True
    saved: bool = False


@dataclass(frozen=True, slots=True)
class Sends:
    """What test people met in each market, and the deliveries on file that no consent came before. ``to_dead`` are mailings to a
    test person whose mail server had said that there is no such address (None: no mail reaches us, so nobody can tell).

    ``opened`` are markets whose letters load something when they are opened, with the hosts that hear of it; ``followed`` those
    whose letters lead their links past a counter the policy does not have, or one that could tell readers apart.
    """

    expected: tuple[str, ...]
    walks: tuple[Subscribed, ...] = ()
    deliveries: int = 0
    without_consent: int = 0
    to_dead: int | None = None
    choices: tuple[Chosen, ...] = ()
    opened: tuple[str, ...] = ()
    followed: tuple[str, ...] = ()


def _judge(seen: Sends, parameters: Mapping[str, Any]) -> Verdict:
    if unconfirmed := sum(one.unconfirmed for one in seen.walks):
        return broken("unconfirmed", count=unconfirmed)
    if seen.without_consent:
        return broken("without-consent", count=seen.without_consent, deliveries=seen.deliveries)
    if seen.to_dead:
        return broken("dead", count=seen.to_dead)
    for found, reason in ((seen.opened, "opened"), (seen.followed, "followed")):
        if found:
            return broken(reason, markets=listed(found))
    if said := judge_walks(seen.walks, (("waits", True, "acts-on-get"), ("lasts", True, "burnt"))):
        return said
    if said := judge_walks(seen.choices, _CHOICE):
        return said
    if said := unseen(seen.walks, seen.expected):
        return said
    if missing := [one.market for one in seen.walks if not one.received]:
        return unproved("never-arrived", markets=listed(missing))
    if unchosen := set(seen.expected) - {one.market for one in seen.choices}:
        return unproved("not-chosen", markets=listed(unchosen))
    return kept(deliveries=seen.deliveries, markets=len(seen.walks))


_CHOICE = (("looked", True, "chosen-by-looking"), ("shown", True, "no-choice"), ("saved", True, "choice-lost"))


CONTROL = Control(
    id="newsletter_only_with_consent",
    law=("GDPR 6(1)(a)", "ePrivacy 13(1)", "ePrivacy 5(3)"),
    fresh_for=timedelta(days=2),
    needs=frozenset({"register", "mailbox"}),
    judge=_judge,
)
