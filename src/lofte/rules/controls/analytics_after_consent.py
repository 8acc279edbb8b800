"""Analytics loads after consent, stops when it is withdrawn, and is told what is allowed before anything else."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from lofte.rules.control import Control, Status, Verdict, broken, listed
from lofte.rules.controls._gated import judge_gated
from lofte.rules.controls._seen import Newcomers, at_market

__all__ = ["CONTROL", "Newcomers"]


def _judge(seen: Newcomers, parameters: Mapping[str, Any]) -> Verdict:
    verdict = judge_gated(seen, parameters)
    early = at_market((visit.market, what) for visit in seen.visits if visit.asked for what in visit.early)
    if verdict.status is Status.KEPT and early:
        return broken("told-late", found=listed(early))
    return verdict


CONTROL = Control(
    id="analytics_after_consent",
    law=("ePrivacy 5(3)", "GDPR 6(1)(a)"),
    fresh_for=timedelta(days=2),
    needs=frozenset({"browser"}),
    judge=_judge,
)
