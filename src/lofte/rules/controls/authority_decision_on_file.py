"""Nothing goes to an authority or court without its decision on file, named fields only, released by two people."""

from datetime import timedelta

from lofte.rules.control import Control
from lofte.rules.controls._gates import Way, judge_way

__all__ = ["CONTROL", "Way"]

CONTROL = Control(
    id="authority_decision_on_file",
    law=("GDPR 6(1)(c)", "GDPR 48"),
    fresh_for=timedelta(days=1),
    needs=frozenset({"register", "log", "mailbox"}),
    judge=judge_way,
)
