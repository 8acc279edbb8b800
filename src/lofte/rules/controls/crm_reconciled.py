"""The customer system and the register agree on contacts, consents and erasures.

Nothing observes it yet; the words say what is missing.
"""

from datetime import timedelta

from lofte.rules.control import Control

CONTROL = Control(
    id="crm_reconciled",
    law=("GDPR 5(1)(d)", "GDPR 19"),
    fresh_for=timedelta(days=1),
    needs=frozenset({"register"}),
)
