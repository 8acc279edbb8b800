"""The offices named share with no recipient outside the European Economic Area.

A recipient's own onward transfers are the matter of `transfer_tool_on_file`.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from lofte.rules.control import Control, Verdict, broken, kept, listed, unproved
from lofte.rules.controls._recipients import EEA, RecipientOnFile, Recipients
from lofte.rules.controls._seen import host_matches

__all__ = ["CONTROL", "Recipients"]


def _judge(seen: Recipients, parameters: Mapping[str, Any]) -> Verdict:
    markets = frozenset(parameters.get("markets", ()))
    inside = EEA | markets  # an office of the group is no third country to itself: GB among the markets named
    outside = [
        recipient for recipient in seen.on_file if recipient.country not in inside and recipient.markets & markets
    ]
    if outside:
        return broken("declared", recipients=listed(f"{one.id} ({one.country})" for one in outside))
    if gone := [one for one in seen.moved if one.market in markets and one.country not in inside]:
        return broken(
            "moved", recipients=listed(f"{one.recipient} ({one.country}, {one.market}: {one.count})" for one in gone)
        )
    if seen.contacted is None:
        return unproved("declared-only", recipients=len(seen.on_file))
    strays = [
        f"{host} ({recipient.country}, {market})"
        for market, host in seen.contacted
        for recipient in _recipients_of(seen, host)
        if market in markets and recipient.country not in inside
    ]
    if strays:
        return broken("contacted", hosts=listed(strays))
    return kept(recipients=len(seen.on_file), hosts=len({host for _, host in seen.contacted}))


def _recipients_of(seen: Recipients, host: str) -> list[RecipientOnFile]:
    return [one for one in seen.on_file if any(host_matches(host, pattern) for pattern in one.hosts)]


CONTROL = Control(
    id="no_transfer_outside_eea",
    law=("GDPR 44",),
    fresh_for=timedelta(days=2),
    needs=frozenset({"publication", "browser"}),
    judge=_judge,
)
