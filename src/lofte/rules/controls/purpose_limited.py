"""Personal data is read and sent only for a declared purpose.

Nothing observes it yet; the words say what is missing.
"""

from datetime import timedelta

from lofte.rules.control import Control

CONTROL = Control(
    id="purpose_limited",
    law=("GDPR 5(1)(b)", "GDPR 6(4)"),
    fresh_for=timedelta(days=1),
    needs=frozenset({"register"}),
)
