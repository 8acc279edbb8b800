"""Writes down what was done, under a stable name such as `consent.withdrawn`, with nothing personal beside it."""

from lofte.core.models import Action

_LONGEST = 200


def record(action: str, actor: str, **details: str | int | bool) -> None:
    """One action by ``actor``: ``person``, ``system``, ``sweep`` or ``staff:<id>``. Runs inside the caller's transaction."""
    for name, value in details.items():
        if isinstance(value, str) and ("@" in value or len(value) > _LONGEST):
            raise ValueError(f"{name} of {action} looks personal; an action holds nothing personal")
    Action.objects.create(action=action, actor=actor, details=details)
