"""The log for an event loop: one wake-up a batch, however many requests wait."""

import asyncio
from typing import Any

from lofte.evidence.drafts import Committed, Draft, Outcome
from lofte.evidence.log import Log
from lofte.kernel.problems import Problem


class AsyncLog:
    """Make one for each running loop. Cancelling a waiter does not take the event back: it may still become durable."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self._loop = asyncio.get_running_loop()
        self._hand_over = self._deliver  # one bound method for all, as the log groups answers by it

    async def append(self, draft: Draft) -> Committed:
        """Returns when the event is durable. Raises Problem."""
        waiter: asyncio.Future[Committed] = self._loop.create_future()
        self._log.append_for(draft, waiter, self._hand_over)
        return await waiter

    def _deliver(self, answers: list[tuple[Any, Outcome]]) -> None:
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(_settle, answers)


def _settle(answers: list[tuple[Any, Outcome]]) -> None:
    for waiter, outcome in answers:
        if waiter.done():
            continue
        if isinstance(outcome, Problem):
            waiter.set_exception(outcome)
        else:
            waiter.set_result(outcome)
