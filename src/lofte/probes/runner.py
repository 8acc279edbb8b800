"""A round: gather, judge, keep. Whatever goes wrong while looking is *unproved* with its reason, never *kept*."""

import fcntl
import logging
import threading
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from lofte.features.promises import reads, verbs
from lofte.features.promises.verbs import Judged
from lofte.kernel.problems import Problem
from lofte.probes.instruments import browser
from lofte.probes.probe import Unable, all_probes
from lofte.probes.world import World
from lofte.rules.control import Verdict, unproved
from lofte.rules.controls import all_controls

_logger = logging.getLogger("lofte.probes")
_locks = {"quick": threading.Lock(), "slow": threading.Lock()}

_Binding = tuple[str, str, Mapping[str, Any]]
"""Promise, control, parameters."""


def run_probes(world: World, ids: Collection[str] | None = None) -> list[Judged]:
    """Look at these promises (all of them if None), judge, keep the verdicts and return them.

    What is read in a moment is looked at and kept first, then what test people walk for, and last what needs a browser. Promises
    bound to a control nobody can observe are left alone; they never have a verdict, only what is missing.
    """
    done: list[Judged] = []
    for name, bindings in _by_patience(world, ids):
        if bindings:
            with _alone(world.home, name), browser.open_while(world):
                judged = [
                    Judged(promise, control, judge(world, control, given)) for promise, control, given in bindings
                ]
                verbs.store(judged, world.now())
            done += judged
    return done


@contextmanager
def _alone(home: Path, part: str) -> Iterator[None]:
    """One round at a time in a home, whichever process it runs in: two at once would sweep up each other's canary.

    Whoever wants a quick look does not wait for another's browser.
    """
    with _locks[part], (home / f"probes.{part}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def judge(world: World, control_id: str, parameters: Mapping[str, Any]) -> Verdict:
    """One control's verdict on the living system; nothing is kept."""
    control, probe = all_controls().get(control_id), all_probes().get(control_id)
    if control is None:
        return unproved("no-control", control=control_id)
    if probe is None:
        return unproved("no-probe")
    try:
        return control.verdict(probe.gather(world, parameters), parameters)
    except Unable as missing:
        return unproved(missing.code, **({"address": world.base_url} if missing.code == "no-site" else {}))
    except Exception as failure:
        cause = failure.code if isinstance(failure, Problem) else type(failure).__name__
        _logger.exception("a probe failed", extra={"fields": {"control": control_id, "cause": cause}})
        return unproved("failed", cause=cause)


def due(world: World, at: datetime) -> set[str]:
    """The promises some probe of which has not looked for as long as it should."""
    seen = {(line.promise, one.id): one.at for line in reads.board(at) for one in line.controls}
    return {
        promise
        for promise, control_id, _ in _bindings(world)
        if (probe := all_probes().get(control_id)) is not None
        and ((last := seen.get((promise, control_id))) is None or at - last >= probe.every)
    }


def _by_patience(world: World, ids: Collection[str] | None) -> list[tuple[str, list[_Binding]]]:
    meant = [one for one in _bindings(world) if (ids is None or one[0] in ids) and one[1] in all_probes()]
    slow = [one for one in meant if "browser" in all_controls()[one[1]].needs]
    walked = [one for one in meant if one not in slow and "mailbox" in all_controls()[one[1]].needs]
    return [
        ("quick", [one for one in meant if one not in slow and one not in walked]),
        ("quick", walked),
        ("slow", slow),
    ]


def _bindings(world: World) -> Iterator[_Binding]:
    for promise, declared in world.published.policy.promises.items():
        for binding in declared.controls:
            yield promise, binding.control, binding.parameters
