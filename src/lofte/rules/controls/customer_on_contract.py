"""Data of customers is processed on the agreement with them, and the policy page says so."""

from datetime import timedelta

from lofte.rules.control import Control
from lofte.rules.controls._basis import BasisSeen, judge_basis

__all__ = ["CONTROL", "BasisSeen"]


CONTROL = Control(
    id="customer_on_contract",
    law=("GDPR 6(1)(b)", "GDPR 13(1)(c)"),
    fresh_for=timedelta(days=2),
    needs=frozenset({"publication", "site"}),
    judge=judge_basis,
)
