"""Real browsers, each in a process of its own that the server never waits in, and open for as long as somebody needs them.

What a browser does is in `browser_visits`, which runs as a script there: an order a line, an answer a line. Starting one costs
as much as a visit, so those who visit together share one; every visitor is a new one all the same, with nothing on the device.
"""

import json
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, Self

from lofte.kernel.problems import Problem

_TIMEOUT_S = 300  # five markets, four phases each, on a busy machine
_END_S = 15


class Browsers:
    """One browser a profile, started when it is first asked for. Not for several threads at once."""

    def __init__(self) -> None:
        self._open: dict[tuple[str, bool], _Browser] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def run(
        self, executable: str, base_url: str, tasks: Sequence[Mapping[str, Any]], *, blocks_cookies: bool
    ) -> dict[str, Any]:
        """``{"sees": bool, "results": [one a task]}``. Raises Problem when it broke down; the next who asks gets a new one."""
        key = (executable, blocks_cookies)
        browser = self._open.get(key) or self._open.setdefault(key, _Browser(executable, blocks_cookies=blocks_cookies))
        try:
            return browser.ask({"base_url": base_url, "tasks": list(tasks)})
        except BaseException:
            self._open.pop(key).close()
            raise

    def close(self) -> None:
        while self._open:
            self._open.popitem()[1].close()


class _Browser:
    def __init__(self, executable: str, *, blocks_cookies: bool) -> None:
        # Our own module, our own interpreter, no shell; a group of its own, so that none of its processes can outlive it.
        self._process = subprocess.Popen(
            [sys.executable, "-m", "lofte.probes.instruments.browser_visits"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        self._said = bytearray()
        self._first = {"executable": executable, "blocks_cookies": blocks_cookies}

    def ask(self, order: Mapping[str, Any]) -> dict[str, Any]:
        order, self._first = {**self._first, **order}, {}
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(order).encode() + b"\n")
            self._process.stdin.flush()
            answer: dict[str, Any] = json.loads(self._line(time.monotonic() + _TIMEOUT_S))
        except TimeoutError:
            raise Problem("probe.browser-timeout", "the browser did not finish in time", status=504) from None
        except (OSError, EOFError):
            raise Problem("probe.browser-failed", "the browser broke down: it ended", status=502) from None
        if cause := answer.get("failed"):
            raise Problem("probe.browser-failed", f"the browser broke down: {cause[:200]}", status=502)
        return answer

    def _line(self, end: float) -> bytes:
        assert self._process.stdout is not None
        with selectors.DefaultSelector() as readable:
            readable.register(self._process.stdout, selectors.EVENT_READ)
            while b"\n" not in self._said:
                if not readable.select(max(0, end - time.monotonic())):
                    raise TimeoutError
                part = os.read(self._process.stdout.fileno(), 1 << 16)
                if not part:
                    raise EOFError
                self._said += part
        line, _, rest = bytes(self._said).partition(b"\n")
        self._said = bytearray(rest)
        return line

    def close(self) -> None:
        """Without orders it ends by itself; what does not is ended."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with suppress(OSError):
            self._process.stdin.close()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(_END_S)
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._process.stdout.close()
