"""Advertising loads after consent, and stops when it is withdrawn."""

from datetime import timedelta

from lofte.rules.control import Control
from lofte.rules.controls._gated import judge_gated
from lofte.rules.controls._seen import Newcomers

__all__ = ["CONTROL", "Newcomers"]


CONTROL = Control(
    id="ads_after_consent",
    law=("ePrivacy 5(3)", "GDPR 6(1)(a)"),
    fresh_for=timedelta(days=2),
    needs=frozenset({"browser"}),
    judge=judge_gated,
)
