"""Between the loop and the log: hands drafts to the one writer in batches and is woken once a batch.

One batch is on its way at a time, and the next gathers for a moment before it goes: the writer is a thread of this process,
and while both run Python they take the interpreter from each other at the price of milliseconds
(docs/explanation/consent-rate.md). Answers reach the waiting request only after the log said that the entry is durable.
"""

import asyncio
import logging
from collections.abc import Callable
from time import monotonic
from typing import Any, NamedTuple

from lofte.evidence.log import Committed, Draft, Log, Outcome
from lofte.kernel.problems import Problem

_log = logging.getLogger(__name__)
_LONGEST_WAIT_S = 10.0
_CROWD = 16  # fewer than this go at once: gathering them saves little
_QUIET_S = 0.001  # a client that waits for us is back well within this
_LONGEST_GATHERING_S = 0.02


class Overloaded(Exception):  # noqa: N818  # a state
    """More decisions wait for the disk than we are willing to hold, or the disk has not answered in time."""


class Written(NamedTuple):
    """What is on disk. ``is_new`` is False when the log knew the key: an earlier draft was committed under it."""

    draft: Draft
    committed: Committed
    is_new: bool


Told = Callable[[Written | Exception], None]
"""Called once, on the loop: with what is on disk, or with Problem or Overloaded."""


class _Open(NamedTuple):
    told: list[Told]
    draft: Draft
    since_s: float
    known_size: int


class Desk:
    """One a process; it serves the loop that first appends."""

    def __init__(self, log: Log, longest_queue: int) -> None:
        self._log, self._longest = log, longest_queue
        self._known_size = log.size()
        self._open: dict[str, _Open] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._reaper: asyncio.TimerHandle | None = None
        self._deliverer = self._deliver  # one bound method for all, as the log groups answers by it
        self._waiting: list[Draft] = []
        self._on_its_way = 0
        self._is_handing_over = False
        self._gathering: asyncio.TimerHandle | None = None
        self._gathering_since_s = 0.0
        self._expected = 1

    def __len__(self) -> int:
        return len(self._open)

    def append(self, draft: Draft) -> asyncio.Future[Written]:
        """A future of the durable entry; it raises Problem when the log refuses. Raises Overloaded when the queue is full."""
        loop = self._loop or self._bind()
        future: asyncio.Future[Written] = loop.create_future()
        self.append_for(draft, lambda outcome: _settle_future(future, outcome))
        return future

    def append_for(self, draft: Draft, told: Told) -> None:
        """As `append`, without a future. The same key, while it is on its way, is one draft with one outcome for all who ask."""
        found = self._open.get(draft.key)
        if found is not None:
            found.told.append(told)
            return
        if len(self._open) >= self._longest:
            raise Overloaded
        loop = self._loop or self._bind()
        self._open[draft.key] = _Open([told], draft, loop.time(), self._known_size)
        self._waiting.append(draft)
        self._arrange()

    def close(self) -> None:
        if self._reaper is not None:
            self._reaper.cancel()
        self._loop = self._reaper = None

    def _arrange(self) -> None:
        """Hands over at the end of this turn, or, when many were just answered, once they are back."""
        if not self._waiting or self._on_its_way or self._is_handing_over or self._loop is None:
            return
        if len(self._waiting) >= self._expected:
            self._is_handing_over = True
            self._loop.call_soon(self._hand_over)
        elif self._gathering is None:
            self._gathering_since_s = monotonic()
            self._gathering = self._loop.call_later(_QUIET_S, self._look, len(self._waiting))

    def _look(self, size: int) -> None:
        """Nobody new since the last look, or long enough: those who wait go now."""
        self._gathering = None
        if self._on_its_way or self._is_handing_over or self._loop is None:
            return
        is_growing = len(self._waiting) > size and monotonic() - self._gathering_since_s < _LONGEST_GATHERING_S
        if is_growing:
            self._gathering = self._loop.call_later(_QUIET_S, self._look, len(self._waiting))
        else:
            self._hand_over()

    def _hand_over(self) -> None:
        self._is_handing_over = False
        if self._gathering is not None:
            self._gathering.cancel()
            self._gathering = None
        drafts, self._waiting = self._waiting, []
        if not drafts:
            return
        try:
            self._log.append_many(drafts, self._deliverer, [draft.key for draft in drafts])
        except Problem as refused:
            if len(drafts) > 1:  # one may be at fault; the others must not go with it
                self._hand_over_singly(drafts)
            else:
                self._close_one(drafts[0].key, refused)
        else:
            self._on_its_way += len(drafts)

    def _hand_over_singly(self, drafts: list[Draft]) -> None:
        for draft in drafts:
            try:
                self._log.append_for(draft, draft.key, self._deliverer)
            except Problem as refused:
                self._close_one(draft.key, refused)
            else:
                self._on_its_way += 1

    def _deliver(self, answers: list[tuple[Any, Outcome]]) -> None:
        """On the sequencer's thread, once a commit; `_settle` runs on the loop, after `append` noted its draft."""
        loop = self._loop
        if loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(self._settle, answers)

    def _settle(self, answers: list[tuple[Any, Outcome]]) -> None:
        for key, outcome in answers:
            self._close_one(key, outcome)
        self._on_its_way -= len(answers)
        crowd = len(answers) + len(self._waiting)
        self._expected = crowd if crowd >= _CROWD else 1
        self._arrange()

    def _close_one(self, key: str, outcome: Outcome) -> None:
        waiting = self._open.pop(key, None)
        if isinstance(outcome, Problem):
            if waiting is not None:
                _tell(waiting, outcome)
            return
        if outcome.size > self._known_size:
            self._known_size = outcome.size
        if waiting is not None:
            _tell(waiting, Written(waiting.draft, outcome, outcome.index >= waiting.known_size))

    def _bind(self) -> asyncio.AbstractEventLoop:
        self._loop = asyncio.get_running_loop()
        self._reaper = self._loop.call_later(1, self._give_up_on_the_late)
        return self._loop

    def _give_up_on_the_late(self) -> None:
        """A disk that hangs must not hold every browser with it; the entry may still become durable later."""
        assert self._loop is not None
        now_s = self._loop.time()
        while self._open:
            key, oldest = next(iter(self._open.items()))  # a dict keeps its order
            if now_s - oldest.since_s < _LONGEST_WAIT_S:
                break
            del self._open[key]
            _tell(oldest, Overloaded())
        self._reaper = self._loop.call_later(1, self._give_up_on_the_late)


def _tell(waiting: _Open, outcome: Written | Exception) -> None:
    for told in waiting.told:
        try:
            told(outcome)
        except Exception as wrong:  # one asker's fault must not rob the next of its answer
            _log.error("desk: a fault while answering", extra={"fields": {"error": type(wrong).__name__}})


def _settle_future(future: asyncio.Future[Written], outcome: Written | Exception) -> None:
    if future.done():
        return
    if isinstance(outcome, Exception):
        future.set_exception(outcome)
        future.exception()  # seen: a browser that has gone away must not leave a warning in the log
    else:
        future.set_result(outcome)
