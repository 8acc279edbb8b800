"""An event takes registrations, confirms, cancels and forgets on its own clock.

Nothing observes it yet; the words say what is missing.
"""

from datetime import timedelta

from lofte.rules.control import Control

CONTROL = Control(
    id="events_registered",
    law=("GDPR 6(1)(b)", "GDPR 5(1)(e)"),
    fresh_for=timedelta(days=1),
    needs=frozenset({"register"}),
)
