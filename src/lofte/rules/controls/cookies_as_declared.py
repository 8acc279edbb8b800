"""What browsers keep is what the cookie list says: same name, same party, no longer than declared."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from lofte.rules.control import Control, Verdict, broken, kept, listed, unproved
from lofte.rules.controls._seen import Newcomers, Stored, at_market

__all__ = ["CONTROL", "Newcomers"]

SLACK_S = 86400  # clocks of browser and server differ; a day is no lie


def _judge(seen: Newcomers, parameters: Mapping[str, Any]) -> Verdict:
    if not seen.instrument_sees:
        return unproved("blind")
    stored = [(visit.market, item) for visit in seen.visits for item in visit.stored]
    unknown = [(market, item) for market, item in stored if seen.declared(market, item) is None]
    wrong_party = [(market, item) for market, item in unknown if seen.declared(market, _other_party(item))]
    if wrong_party:
        return broken("wrong-party", names=listed(at_market((market, item.name) for market, item in wrong_party)))
    if unknown:
        return broken(
            "undeclared", names=listed(at_market((market, f"{item.name} ({item.host})") for market, item in unknown))
        )
    if longer := [(market, item.name) for market, item in stored if _outlives(seen, market, item)]:
        return broken("too-long", names=listed(at_market(longer)))
    if unseen := seen.unseen("before", "accepted"):
        return unproved("unseen", markets=listed(unseen))
    return kept(names=len({(item.name, item.party) for _, item in stored}), markets=len(seen.expected))


def _other_party(item: Stored) -> Stored:
    return replace(item, party="first" if item.party == "third" else "third")


def _outlives(seen: Newcomers, market: str, item: Stored) -> bool:
    line = seen.declared(market, item)
    if line is None or item.storage != "cookie" or item.lifetime_s is None:
        return False
    return line.lifetime_s is None or item.lifetime_s > line.lifetime_s + SLACK_S


CONTROL = Control(
    id="cookies_as_declared",
    law=("ePrivacy 5(3)", "GDPR 5(1)(a)"),
    fresh_for=timedelta(days=2),
    needs=frozenset({"browser"}),
    judge=_judge,
)
