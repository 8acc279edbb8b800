"""Registering for an event rests on the contract with the person, and on nothing else."""

from datetime import timedelta

from lofte.rules.control import Control
from lofte.rules.controls._basis import BasisSeen, judge_basis

__all__ = ["CONTROL", "BasisSeen"]


CONTROL = Control(
    id="event_on_contract",
    law=("GDPR 6(1)(b)", "GDPR 13(1)(c)"),
    fresh_for=timedelta(days=2),
    needs=frozenset({"publication", "site"}),
    judge=judge_basis,
)
