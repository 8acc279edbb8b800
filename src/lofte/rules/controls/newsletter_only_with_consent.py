"""Marketing mail goes only to those who said yes and confirmed it. (After a withdrawal: control withdrawal_at_once.)"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from lofte.rules.control import Control, Verdict, broken, kept, unproved


@dataclass(frozen=True, slots=True)
class Sends:
    """What reached the canary before and after it confirmed, and the deliveries on file that no consent came before."""

    before_confirmation: int
    after_confirmation: int
    deliveries: int
    without_consent: int


def _judge(seen: Sends, parameters: Mapping[str, Any]) -> Verdict:
    if seen.before_confirmation:
        return broken("unconfirmed", count=seen.before_confirmation)
    if seen.without_consent:
        return broken("without-consent", count=seen.without_consent, deliveries=seen.deliveries)
    if not seen.after_confirmation:
        return unproved("never-arrived")
    return kept(deliveries=seen.deliveries)


CONTROL = Control(
    id="newsletter_only_with_consent",
    law=("GDPR 6(1)(a)", "ePrivacy 13(1)"),
    fresh_for=timedelta(days=2),
    needs=frozenset({"register", "mailbox"}),
    judge=_judge,
)
