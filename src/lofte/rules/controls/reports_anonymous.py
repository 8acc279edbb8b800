"""Reports hold no personal data; small groups are suppressed.

Nothing observes it yet; the words say what is missing.
"""

from datetime import timedelta

from lofte.rules.control import Control

CONTROL = Control(
    id="reports_anonymous",
    law=("GDPR 4(1)", "GDPR 25(1)"),
    fresh_for=timedelta(days=7),
    needs=frozenset({"register"}),
)
