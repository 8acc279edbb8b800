"""Hands a real browser tasks and reads what it saw.

One that does not pass its own self-test (seeing a planted cookie and request) is reported as blind, and nothing it saw counts.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Any

from lofte.probes.instruments.browsers import Browsers
from lofte.probes.probe import Unable
from lofte.probes.world import World


@contextmanager
def open_while(world: World) -> Iterator[Browsers]:
    """The world's browsers; if it has none, such as are gone afterwards."""
    if world.browsers is not None:
        yield world.browsers
        return
    with Browsers() as world.browsers:
        try:
            yield world.browsers
        finally:
            world.browsers = None


def run(world: World, tasks: Sequence[Mapping[str, Any]], *, blocks_cookies: bool = False) -> dict[str, Any]:
    """``{"sees": bool, "results": [one a task]}``. Raises Unable without a browser, Problem when it broke down."""
    if world.browser is None or find_spec("playwright") is None:
        raise Unable("no-browser", "no browser was found", way_out="Start with scripts/run --with-browser.")
    with open_while(world) as browsers:
        return browsers.run(world.browser, world.base_url, tasks, blocks_cookies=blocks_cookies)
