"""Of a customer only the declared fields are held, each with the source it came from."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from lofte.rules.control import Control, Verdict, broken, kept, listed, unproved


@dataclass(frozen=True, slots=True)
class CustomerData:
    """What is held for the purposes that a customer relation rests on.

    ``declared`` are the fields the publication allows there, ``held`` those on file, ``took_extra`` whether a test customer's
    undeclared item was taken in (None: not tried).
    """

    declared: tuple[str, ...]
    held: tuple[str, ...]
    customers: int
    holdings: int
    unsourced: int = 0
    took_extra: bool | None = None


def _judge(seen: CustomerData, parameters: Mapping[str, Any]) -> Verdict:
    named = frozenset(parameters.get("fields", ()))
    if strays := [field for field in seen.held if field not in named]:
        return broken("held", fields=listed(strays))
    if seen.took_extra:
        return broken("took")
    if more := [field for field in seen.declared if field not in named]:
        return broken("declared-more", fields=listed(more))
    if seen.unsourced:
        return broken("unsourced", count=seen.unsourced)
    if seen.took_extra is None or not seen.holdings:
        return unproved("not-tried")
    return kept(customers=seen.customers, holdings=seen.holdings)


CONTROL = Control(
    id="customer_fields_declared",
    law=("GDPR 5(1)(c)", "GDPR 14(2)(f)"),
    fresh_for=timedelta(days=1),
    needs=frozenset({"site", "register", "mailbox"}),
    judge=_judge,
)
