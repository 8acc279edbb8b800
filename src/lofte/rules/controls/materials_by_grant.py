"""Material opens by an expiring link, without marketing following.

Nothing observes it yet; the words say what is missing.
"""

from datetime import timedelta

from lofte.rules.control import Control

CONTROL = Control(
    id="materials_by_grant",
    law=("GDPR 5(1)(b)", "GDPR 6(1)(f)"),
    fresh_for=timedelta(days=1),
    needs=frozenset({"register"}),
)
