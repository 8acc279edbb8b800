"""A merger or sale moves data only in a case with scope, recipient and notice.

Nothing observes it yet; the words say what is missing.
"""

from datetime import timedelta

from lofte.rules.control import Control

CONTROL = Control(
    id="transfer_case_noticed",
    law=("GDPR 13(3)", "GDPR 14"),
    fresh_for=timedelta(days=1),
    needs=frozenset({"register"}),
)
