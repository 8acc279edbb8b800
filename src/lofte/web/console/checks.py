"""The button *check now*: a hook that `cli/wiring.py` fills, since only it knows the probes.

The hook starts the probes of the given promises (none given: all) in the background and returns at once:
True when started, False when a check is already running.
"""

from collections.abc import Callable, Sequence

Start = Callable[[Sequence[str]], bool]
IsRunning = Callable[[], bool]

_start: Start | None = None
_is_running: IsRunning | None = None


def provide(start: Start | None, is_running: IsRunning | None = None) -> None:
    """Called once by the wiring, before the door opens. `None` takes the hook away again."""
    global _start, _is_running
    _start, _is_running = start, is_running


def is_available() -> bool:
    return _start is not None


def start(promises: Sequence[str] = ()) -> bool:
    """Start checking. Raises LookupError when nobody provided a way to."""
    if _start is None:
        raise LookupError("no checker was provided")
    return _start(promises)


def is_running() -> bool:
    return _is_running() if _is_running is not None else False
