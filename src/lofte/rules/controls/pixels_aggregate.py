"""Pixels yield segment sizes only. Nothing observes it yet; the words say what is missing."""

from datetime import timedelta

from lofte.rules.control import Control

CONTROL = Control(
    id="pixels_aggregate",
    law=("GDPR 26", "GDPR 5(1)(c)"),
    fresh_for=timedelta(days=7),
    needs=frozenset({"site"}),
)
