"""`check_now`: look at one promise (or all) at once and say what was found. For the command line and for tests."""

from collections.abc import Sequence

from lofte.features.promises import reads
from lofte.features.promises.reads import Line
from lofte.probes.runner import run_probes
from lofte.probes.world import World, here


def check_now(promises: Sequence[str] = (), world: World | None = None) -> list[Line]:
    """Probe these promises now (none named: all) and return them as they stand afterwards.

    Raises Problem for an unknown one.
    """
    for promise in promises:
        reads.promise(promise)
    run_probes(world or here(), promises or None)
    return [line for line in reads.board() if not promises or line.promise in promises]
