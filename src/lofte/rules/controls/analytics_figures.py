"""Analytics yields only the figures that are named.

Nothing observes it yet; the words say what is missing.
"""

from datetime import timedelta

from lofte.rules.control import Control

CONTROL = Control(
    id="analytics_figures",
    law=("GDPR 13(1)(c)",),
    fresh_for=timedelta(days=7),
    needs=frozenset({"site"}),
)
