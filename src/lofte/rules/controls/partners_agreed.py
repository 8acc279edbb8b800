"""A partner receives data only under an agreement on file that runs and names the purpose, the fields and the country."""

from datetime import timedelta

from lofte.rules.control import Control
from lofte.rules.controls._gates import Way, judge_way

__all__ = ["CONTROL", "Way"]

CONTROL = Control(
    id="partners_agreed",
    law=("GDPR 28(3)", "GDPR 13(1)(e)"),
    fresh_for=timedelta(days=1),
    needs=frozenset({"register", "log", "mailbox"}),
    judge=judge_way,
)
