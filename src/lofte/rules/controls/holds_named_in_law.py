"""Whatever is kept longer is kept by a named statute, for named fields, until a named day.

Nothing observes it yet; the words say what is missing.
"""

from datetime import timedelta

from lofte.rules.control import Control

CONTROL = Control(
    id="holds_named_in_law",
    law=("GDPR 6(1)(c)", "GDPR 17(3)(b)"),
    fresh_for=timedelta(days=1),
    needs=frozenset({"register"}),
)
