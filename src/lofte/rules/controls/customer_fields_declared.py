"""Of a customer only the declared fields are held. Nothing observes it yet; the words say what is missing."""

from datetime import timedelta

from lofte.rules.control import Control

CONTROL = Control(
    id="customer_fields_declared",
    law=("GDPR 5(1)(c)",),
    fresh_for=timedelta(days=1),
    needs=frozenset({"register"}),
)
