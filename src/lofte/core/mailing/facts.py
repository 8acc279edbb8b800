"""Facts that this room hears."""

from lofte.core.mailing import suppression
from lofte.core.outbox import Fact


def _confirmed(fact: Fact) -> None:
    """Who confirms an address by a link that was mailed to it has shown that it works, and wants to hear from us again."""
    if fact.person_id and fact.fact.get("method") == "double_opt_in":
        suppression.lift(fact.person_id, by="person", before=fact.at)


SUBSCRIPTIONS = {"consent.granted": _confirmed}
