"""Every third party that pages reach once all is accepted is a declared tag with a purpose and a recipient."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from lofte.rules.control import Control, Verdict, broken, kept, listed, unproved
from lofte.rules.controls._seen import Newcomers, at_market

__all__ = ["CONTROL", "Newcomers"]


def _judge(seen: Newcomers, parameters: Mapping[str, Any]) -> Verdict:
    if not seen.instrument_sees:
        return unproved("blind")
    accepted = [(visit.market, host) for visit in seen.in_phase("accepted") for host in visit.asked]
    if strangers := [(market, host) for market, host in accepted if not seen.tags_of(host)]:
        return broken("undeclared", hosts=listed(at_market(strangers)))
    if unseen := seen.unseen("accepted"):
        return unproved("unseen", markets=listed(unseen))
    if not accepted:
        return unproved("never-loaded")
    return kept(hosts=listed({host for _, host in accepted}, most=12))


CONTROL = Control(
    id="tag_inventory",
    law=("GDPR 30(1)", "GDPR 13(1)(e)"),
    fresh_for=timedelta(days=2),
    needs=frozenset({"browser"}),
    judge=_judge,
)
