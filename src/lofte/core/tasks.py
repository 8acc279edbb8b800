"""Recurring duties: a row each, claimed by a conditional UPDATE, so that many processes share them and an overdue one is visible.

A duty is a function of the instant; it is idempotent, because a process can die in the middle of it and another will run it again.
"""

import logging
import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import IntegrityError, close_old_connections, transaction
from django.db.models import F, Q

from lofte.core import clock
from lofte.core.models import Duty
from lofte.kernel.problems import Problem

AGAIN = object()  # what a duty answers that has more to do: it goes on in the next round
_LEASE = timedelta(minutes=10)  # a duty that runs longer must be cut into batches
_logger = logging.getLogger("lofte.duties")


@dataclass(frozen=True, slots=True)
class _Known:
    name: str
    every: timedelta
    run: Callable[[datetime], object]


_known: dict[str, _Known] = {}


def duty(name: str, every: timedelta) -> Callable[[Callable[[datetime], object]], Callable[[datetime], object]]:
    """Declare a duty: ``@duty("retention.sweep", every=timedelta(hours=1))`` over a function of the instant."""

    def declare(run: Callable[[datetime], object]) -> Callable[[datetime], object]:
        _known[name] = _Known(name, every, run)
        return run

    return declare


def names() -> tuple[str, ...]:
    return tuple(sorted(_known))


def run_due(at: datetime | None = None, only: str = "") -> list[str]:
    """Run every duty that is due (or just one of them) and that no other process holds; returns the names of those run."""
    at = at or clock.now()
    _plan(at)
    ran = []
    for known in list(_known.values()):
        if (not only or known.name == only) and (lease := _claim(known, at)):
            _run(known, lease, at)
            ran.append(known.name)
    return ran


def run_now(name: str, at: datetime | None = None) -> object:
    """Run one duty regardless of its hour; errors reach the caller."""
    return _known[name].run(at or clock.now())


def hurry(name: str, at: datetime) -> None:
    """Let a duty be due at once, whatever its rhythm."""
    _plan(at)
    Duty.objects.filter(name=name, next_due__gt=at).update(next_due=at)


def overdue(at: datetime | None = None, grace: timedelta = timedelta(minutes=15)) -> list[Duty]:
    """Duties whose hour has passed by more than the grace: somebody must look."""
    return list(Duty.objects.filter(next_due__lt=(at or clock.now()) - grace).order_by("next_due"))


def _plan(at: datetime) -> None:
    planned = dict(Duty.objects.values_list("name", "every_s"))
    for known in _known.values():
        every_s = int(known.every.total_seconds())
        if known.name not in planned:
            try:
                with transaction.atomic():
                    Duty.objects.create(name=known.name, every_s=every_s, next_due=at)
            except IntegrityError:
                pass  # another process planned it in the same moment
        elif planned[known.name] != every_s:
            Duty.objects.filter(name=known.name).update(every_s=every_s)


def _claim(known: _Known, at: datetime) -> str:
    lease = secrets.token_hex(8)
    free = Q(lease="") | Q(lease_until__lte=at)
    won = Duty.objects.filter(free, name=known.name, next_due__lte=at).update(
        lease=lease, lease_until=at + _LEASE, last_started=at
    )
    return lease if won else ""


def _run(known: _Known, lease: str, at: datetime) -> None:
    error, answer = "", None
    try:
        answer = known.run(at)
    except Exception as failure:
        error = failure.code if isinstance(failure, Problem) else type(failure).__name__
        _logger.exception("a duty failed", extra={"fields": {"duty": known.name, "error": error}})
    finished = {"last_finished": clock.now(), "runs": F("runs") + 1} if not error else {"failures": F("failures") + 1}
    pause = min(known.every, timedelta(minutes=5)) if error else timedelta(0) if answer is AGAIN else known.every
    next_due = at + pause
    Duty.objects.filter(name=known.name, lease=lease).update(
        lease="", lease_until=None, next_due=next_due, last_error=error, **finished
    )


class Runner:
    """A thread that looks every ``pause_s`` seconds for duties that are due. One a serving process."""

    def __init__(self, pause_s: float = 1.0) -> None:
        self._pause_s = pause_s
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._loop, name="duties", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self, timeout_s: float = 10) -> None:
        self._stopping.set()
        self._thread.join(timeout_s)

    def _loop(self) -> None:
        while not self._stopping.wait(self._pause_s):
            try:
                close_old_connections()
                run_due()
            except Exception:
                _logger.exception("the duties could not be looked at")
