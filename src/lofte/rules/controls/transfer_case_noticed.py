"""A merger or sale moves data only in a case with scope and recipient, after notice to everybody it covers and its period."""

from datetime import timedelta

from lofte.rules.control import Control
from lofte.rules.controls._gates import Way, judge_way

__all__ = ["CONTROL", "Way"]

CONTROL = Control(
    id="transfer_case_noticed",
    law=("GDPR 13(3)", "GDPR 14"),
    fresh_for=timedelta(days=1),
    needs=frozenset({"register", "log", "mailbox"}),
    judge=judge_way,
)
