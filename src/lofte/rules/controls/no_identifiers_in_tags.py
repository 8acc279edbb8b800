"""No request of a tag carries what identifies the visitor. Nothing observes it yet; the words say what is missing."""

from datetime import timedelta

from lofte.rules.control import Control

CONTROL = Control(
    id="no_identifiers_in_tags",
    law=("GDPR 5(1)(c)", "GDPR 25(2)"),
    fresh_for=timedelta(days=7),
    needs=frozenset({"browser"}),
)
