"""Cookies hold only the kinds of data that are declared for them, and only kinds the promise names are declared."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from lofte.rules.control import Control, Verdict, broken, kept, listed, unproved
from lofte.rules.controls._seen import Newcomers, at_market

__all__ = ["CONTROL", "Newcomers"]

# A kind seen in a value, and the declared data that covers it.
_COVERED_BY = {
    "email": {"email"}, "phone": {"phone"}, "ip": {"ip"}, "address": {"page", "referrer"}, "time": {"visit-time"},
}  # fmt: skip


def _judge(seen: Newcomers, parameters: Mapping[str, Any]) -> Verdict:
    """``fields`` and ``also`` are the kinds of data cookies may be declared to hold."""
    if not seen.instrument_sees:
        return unproved("blind")
    named = {*parameters.get("fields", ()), *parameters.get("also", ())}
    beyond = {
        f"{line.name}: {kind}"
        for lines in seen.cookies.values()
        for line in lines
        for kind in line.data
        if kind not in named
    }
    if beyond:
        return broken("beyond", found=listed(sorted(beyond)))
    looked = [
        (visit.market, item, line)
        for visit in seen.visits
        for item in visit.stored
        if (line := seen.declared(visit.market, item)) is not None
    ]
    holds = [
        (market, f"{item.name}: {kind}")
        for market, item, line in looked
        for kind in item.kinds
        if not _COVERED_BY[kind] & set(line.data)
    ]
    if holds:
        return broken("holds", found=listed(at_market(holds)))
    if unseen := seen.unseen("before", "accepted", "withdrawn"):
        return unproved("unseen", markets=listed(unseen))
    return kept(names=len({item.name for _, item, _ in looked}), markets=len(seen.expected))


CONTROL = Control(
    id="cookie_data_declared",
    law=("ePrivacy 5(3)", "GDPR 5(1)(c)"),
    fresh_for=timedelta(days=2),
    needs=frozenset({"browser"}),
    judge=_judge,
)
