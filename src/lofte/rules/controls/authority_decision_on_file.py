"""Nothing goes to an authority or court without its decision on file.

Nothing observes it yet; the words say what is missing.
"""

from datetime import timedelta

from lofte.rules.control import Control

CONTROL = Control(
    id="authority_decision_on_file",
    law=("GDPR 6(1)(c)", "GDPR 48"),
    fresh_for=timedelta(days=1),
    needs=frozenset({"register"}),
)
