"""Runs a command again, whole, when the database could not order it among others (schema rule 16)."""

import random
import time
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from django.db import DatabaseError, connections, transaction

P = ParamSpec("P")
T = TypeVar("T")

ATTEMPTS = 6
# Serialization failure, deadlock detected; and a row whose person was erased meanwhile, or that was written while they were
# (which PostgreSQL 18 calls otherwise).
_AGAIN = frozenset({"40001", "40P01", "23503", "23001"})
_SAID = ("database is locked", "database table is locked", "FOREIGN KEY constraint failed")


def is_transient(error: BaseException) -> bool:
    """Whether another attempt can end otherwise: it met another transaction, or SQLite's lock was held too long."""
    cause = error.__cause__ or error
    return getattr(cause, "sqlstate", None) in _AGAIN or any(each in str(cause) for each in _SAID)


def in_transaction(command: Callable[P, T]) -> Callable[P, T]:
    """The command in one transaction on the register, re-run whole when it met another. Inside a transaction it just joins."""

    @wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> T:
        if connections["default"].in_atomic_block:
            with transaction.atomic():
                return command(*args, **kwargs)
        for attempt in range(ATTEMPTS):
            try:
                with transaction.atomic():
                    return command(*args, **kwargs)
            except DatabaseError as error:
                if attempt == ATTEMPTS - 1 or not is_transient(error):
                    raise
                time.sleep(random.uniform(0, 0.02 * 2**attempt))  # noqa: S311  # jitter, not a secret
        raise AssertionError("unreachable")

    return run
