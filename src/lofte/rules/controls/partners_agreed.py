"""A partner receives data only under an agreement on file. Nothing observes it yet; the words say what is missing."""

from datetime import timedelta

from lofte.rules.control import Control

CONTROL = Control(
    id="partners_agreed",
    law=("GDPR 28(3)", "GDPR 13(1)(e)"),
    fresh_for=timedelta(days=1),
    needs=frozenset({"register"}),
)
