"""An inquiry is answered and closed. Nothing observes it yet; the words say what is missing."""

from datetime import timedelta

from lofte.rules.control import Control

CONTROL = Control(
    id="inquiries_answered",
    law=("GDPR 6(1)(f)",),
    fresh_for=timedelta(days=1),
    needs=frozenset({"register"}),
)
