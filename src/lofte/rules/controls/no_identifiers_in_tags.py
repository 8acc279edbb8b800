"""No request of a tag carries what identifies the visitor, in clear or disguised, whatever the visitor types."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from lofte.rules.control import Control, Verdict, kept, listed
from lofte.rules.controls._told import Leak, Told, judge_told

__all__ = ["CONTROL", "Leak", "Told"]


def _judge(seen: Told, parameters: Mapping[str, Any]) -> Verdict:
    """``fields``, if given, are those that count as identifying."""
    return judge_told(seen, parameters) or kept(
        typed=seen.typed, requests=sum((seen.requests or {}).values()), hosts=listed(seen.requests or ())
    )


CONTROL = Control(
    id="no_identifiers_in_tags",
    law=("GDPR 5(1)(c)", "GDPR 25(2)"),
    fresh_for=timedelta(days=2),
    needs=frozenset({"browser"}),
    judge=_judge,
)
