"""The evidence log of this process, handed over once by `cli/wiring.py` (and by tests).

Only one process opens the log. In any other, `has_log()` is false and facts wait in the outbox.
"""

from lofte.evidence.log import Log
from lofte.kernel.problems import Problem

_log: Log | None = None


def set_log(log: Log | None) -> None:
    global _log
    _log = log


def has_log() -> bool:
    return _log is not None


def log() -> Log:
    if _log is None:
        raise Problem(
            "evidence.no-log", "this process does not hold the evidence log",
            way_out="The serving process holds it; what was recorded waits in the outbox.", status=503,
        )  # fmt: skip
    return _log
