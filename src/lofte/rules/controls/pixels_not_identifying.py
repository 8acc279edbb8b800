"""No pixel request carries what ties it to a person. Nothing observes it yet; the words say what is missing."""

from datetime import timedelta

from lofte.rules.control import Control

CONTROL = Control(
    id="pixels_not_identifying",
    law=("GDPR 5(1)(c)", "GDPR 13(1)(e)"),
    fresh_for=timedelta(days=7),
    needs=frozenset({"browser"}),
)
