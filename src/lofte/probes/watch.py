"""The thread that keeps looking: probes that are due, and those somebody asked for with a button."""

import logging
import threading
from collections.abc import Callable, Sequence

from django.db import close_old_connections

from lofte.core import clock
from lofte.kernel.problems import Problem
from lofte.probes.runner import due, run_probes
from lofte.probes.world import World

_logger = logging.getLogger("lofte.probes")


class Watch:
    """``make_world`` gives a fresh World a round; wiring starts and stops the thread, the console presses the button."""

    def __init__(self, make_world: Callable[[], World], *, first_s: float = 5, pause_s: float = 60) -> None:
        self._make_world = make_world
        self._first_s, self._pause_s = first_s, pause_s
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._running = threading.Event()
        self._wanted: frozenset[str] | None = None
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._loop, name="lofte-probes", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self, timeout_s: float = 5) -> None:
        """A round under way is given a moment; the thread is a daemon and holds nothing that must be closed."""
        self._stopping.set()
        self._wake.set()
        self._thread.join(timeout_s)

    def check(self, promises: Sequence[str] = ()) -> bool:
        """Look at these promises now (none named: all). False when a round is already under way."""
        with self._lock:
            if self._running.is_set() or self._wanted is not None:
                return False
            self._wanted = frozenset(promises)
            self._wake.set()
        return True

    def is_running(self) -> bool:
        return self._running.is_set() or self._wanted is not None

    def _loop(self) -> None:
        pause_s = self._first_s
        while not self._stopping.is_set():
            self._wake.wait(pause_s)
            self._wake.clear()
            pause_s = self._pause_s
            if not self._stopping.is_set():
                self._round()

    def _round(self) -> None:
        with self._lock:
            wanted, self._wanted = self._wanted, None
            self._running.set()
        try:
            close_old_connections()
            world = self._make_world()
            ids = wanted if wanted is not None else due(world, clock.now())
            if wanted == frozenset():
                run_probes(world)
            elif ids:
                run_probes(world, ids)
        except Problem as problem:
            _logger.warning("no round of probes", extra={"fields": {"cause": problem.code}})
        except Exception as failure:
            _logger.exception("no round of probes", extra={"fields": {"cause": type(failure).__name__}})
        finally:
            self._running.clear()
            close_old_connections()
