"""Starts the real browser in a process of its own, hands it tasks, reads what it saw. The server is never blocked by
it.

The browser's work itself is in `browser_visits`, which runs as a script there. A browser that does not pass its own
self-test
(seeing a planted cookie and request) is reported as blind, and nothing it saw counts.
"""

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from typing import Any

from lofte.kernel.problems import Problem
from lofte.probes.probe import Unable
from lofte.probes.world import World

_TIMEOUT_S = 300  # five markets, four phases each, on a busy machine


def run(world: World, tasks: Sequence[Mapping[str, Any]], *, blocks_cookies: bool = False) -> dict[str, Any]:
    """``{"sees": bool, "results": [one a task]}``. Raises Unable without a browser, Problem when it broke down."""
    if world.browser is None or find_spec("playwright") is None:
        raise Unable("no-browser", "no browser was found", way_out="Start with scripts/run --with-browser.")
    order = {
        "executable": world.browser,
        "base_url": world.base_url,
        "tasks": list(tasks),
        "blocks_cookies": blocks_cookies,
    }
    try:
        done = subprocess.run(  # our own module, our own interpreter, no shell
            [sys.executable, "-m", "lofte.probes.instruments.browser_visits"],
            input=json.dumps(order).encode(),
            capture_output=True,
            timeout=_TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise Problem("probe.browser-timeout", "the browser did not finish in time", status=504) from None
    if done.returncode != 0:
        cause = done.stderr.decode("utf-8", "replace").strip().rsplit("\n", 1)[-1][:200]
        raise Problem("probe.browser-failed", f"the browser broke down: {cause}", status=502)
    seen: dict[str, Any] = json.loads(done.stdout)
    return seen
