"""Every marketing mail carries a link and one-click headers to withdraw that receivers can trust, and both work at once."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from lofte.rules.control import Control, Verdict, broken, kept, listed, unproved
from lofte.rules.controls._walked import judge_walks


@dataclass(frozen=True, slots=True)
class WithdrawalWalk:
    """What a test person of one market found in their newsletter, and what was sent to them after they withdrew.

    They leave twice: by the mail program's one click (``withdrawn``), and once they have come back by the page behind the link
    (``by_page``). ``acts_on_get``: looking already withdraws. ``asks_who``: the page wants to know who they are first.
    ``listed``: the letter names its list (RFC 2919). ``signed``: its signature holds and covers the way out, without which mail
    programs offer no one click; None where the house has no key.
    """

    market: str
    received: bool
    link: bool = False
    one_click: bool = False
    listed: bool = False
    signed: bool | None = None
    withdrawn: bool = False
    asks_who: bool = False
    by_page: bool = False
    sent_after: int = 0
    acts_on_get: bool = False


@dataclass(frozen=True, slots=True)
class Withdrawals:
    """What test people met in each market. ``midway`` are letters that stood in the queue when a test person withdrew and left all
    the same, ``complained`` those that came after one had called a letter unwanted (None: no mail reaches us); ``after`` are
    mailings on file that left after the withdrawal of whoever got them.
    """

    expected: tuple[str, ...]
    walks: tuple[WithdrawalWalk, ...] = ()
    midway: int | None = None
    complained: int | None = None
    after: int = 0


def _judge(seen: Withdrawals, parameters: Mapping[str, Any]) -> Verdict:
    if seen.after:
        return broken("after", count=seen.after)
    if seen.midway:
        return broken("midway", count=seen.midway)
    walks = [one for one in seen.walks if one.received]
    for lacks, reason in (("link", "no-link"), ("one_click", "no-header"), ("listed", "no-list")):
        if markets := [one.market for one in walks if not getattr(one, lacks)]:
            return broken(reason, markets=listed(markets))
    if markets := [one.market for one in walks if one.signed is False]:
        return broken("unsigned", markets=listed(markets))
    if said := judge_walks(walks, _WANTED):
        return said
    if sent := sum(one.sent_after for one in walks):
        return broken("sent-after", count=sent)
    if seen.complained:
        return broken("complained", count=seen.complained)
    if missing := set(seen.expected) - {one.market for one in walks}:
        return unproved("no-mail", markets=listed(missing))
    return kept(markets=len(walks)) if seen.midway is not None else unproved("not-midway")


_WANTED = (
    ("acts_on_get", False, "acts-on-get"),
    ("asks_who", False, "asks-who"),
    ("withdrawn", True, "no-effect"),
    ("by_page", True, "page-without-effect"),
)


CONTROL = Control(
    id="withdrawal_at_once",
    law=("GDPR 7(3)", "ePrivacy 13(2)", "RFC 8058", "RFC 2919", "RFC 6376"),
    fresh_for=timedelta(days=2),
    needs=frozenset({"site", "register", "mailbox"}),
    judge=_judge,
)
