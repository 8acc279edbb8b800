"""Nothing leaves to a recipient that is not declared. Nothing observes it yet; the words say what is missing."""

from datetime import timedelta

from lofte.rules.control import Control

CONTROL = Control(
    id="no_undeclared_disclosure",
    law=("GDPR 13(1)(e)", "GDPR 5(1)(f)"),
    fresh_for=timedelta(days=1),
    needs=frozenset({"register", "log"}),
)
