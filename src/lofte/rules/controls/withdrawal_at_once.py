"""Every marketing mail carries a link and a one-click header to withdraw, and both work at once."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from lofte.rules.control import Control, Verdict, broken, kept, unproved


@dataclass(frozen=True, slots=True)
class WithdrawalWalk:
    """What the canary found in its newsletter, and what was sent to it after it withdrew.

    ``acts_on_get``: looking already withdraws.
    """

    received: bool
    link: bool = False
    one_click: bool = False
    withdrawn: bool = False
    sent_after: int = 0
    acts_on_get: bool = False


def _judge(seen: WithdrawalWalk, parameters: Mapping[str, Any]) -> Verdict:
    if not seen.received:
        return unproved("no-mail")
    if not seen.link:
        return broken("no-link")
    if not seen.one_click:
        return broken("no-header")
    if seen.acts_on_get:
        return broken("acts-on-get")
    if not seen.withdrawn:
        return broken("no-effect")
    if seen.sent_after:
        return broken("sent-after", count=seen.sent_after)
    return kept()


CONTROL = Control(
    id="withdrawal_at_once",
    law=("GDPR 7(3)", "ePrivacy 13(2)", "RFC 8058"),
    fresh_for=timedelta(days=2),
    needs=frozenset({"site", "register", "mailbox"}),
    judge=_judge,
)
