"""Who withdraws or shows no interest is erased when the clock says so."""

from datetime import timedelta

from lofte.rules.control import Control
from lofte.rules.controls._clocked import Clocked, judge_clocked

__all__ = ["CONTROL", "Clocked"]


CONTROL = Control(
    id="gone_after_withdrawal_or_inactivity",
    law=("GDPR 5(1)(e)", "GDPR 17(1)(b)"),
    fresh_for=timedelta(days=2),
    needs=frozenset({"register", "mailbox"}),
    judge=judge_clocked,
)
