"""The one place on the Django side that reads the clock. Tests and simulations set it with `at`."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime

_set: ContextVar[datetime | None] = ContextVar("lofte_clock", default=None)


def now() -> datetime:
    """This instant, in UTC."""
    return _set.get() or datetime.now(UTC)


@contextmanager
def at(instant: datetime) -> Iterator[None]:
    """Within this block, in this thread, it is that instant."""
    if instant.tzinfo is None:
        raise ValueError("an instant needs a zone")
    token = _set.set(instant.astimezone(UTC))
    try:
        yield
    finally:
        _set.reset(token)
