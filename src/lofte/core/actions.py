"""Writes down what was done, under a stable name such as `consent.withdrawn`, with nothing personal beside it."""

from collections.abc import Mapping, Sequence

from lofte.core import clock, many
from lofte.core.models import Action, new_id

_LONGEST = 200


def record(action: str, actor: str, **details: str | int | bool) -> None:
    """One action by ``actor``: ``person``, ``system``, ``sweep`` or ``staff:<id>``. Runs inside the caller's transaction."""
    refuse_personal(action, details)
    Action.objects.create(action=action, actor=actor, details=details)


def record_many(action: str, actor: str, details: Sequence[Mapping[str, str | int | bool]]) -> None:
    """As `record`, once for each of the details, in one statement."""
    for each in details:
        refuse_personal(action, each)
    at = clock.now()
    rows = [{"id": new_id(), "action": action, "actor": actor, "details": dict(each), "at": at} for each in details]
    many.write(Action, rows)


def refuse_personal(action: str, details: Mapping[str, str | int | bool]) -> None:
    """Raises ValueError for what looks personal: it would outlive the person."""
    for name, value in details.items():
        if isinstance(value, str) and ("@" in value or len(value) > _LONGEST):
            raise ValueError(f"{name} of {action} looks personal; an action holds nothing personal")
