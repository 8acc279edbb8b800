"""What a probe is, and the registry that finds them by looking into the folder."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

from lofte.kernel.problems import Problem
from lofte.probes.world import World
from lofte.rules.controls import all_controls

Gather = Callable[[World, Mapping[str, Any]], Any]


@dataclass(frozen=True, slots=True)
class Probe:
    """``gather`` returns the control's observation, or raises Unable when an instrument is missing."""

    control_id: str
    every: timedelta
    gather: Gather


class Unable(Problem):
    """The probe could not look. ``code`` is a reason every control knows: no-browser, no-mailbox, no-site."""


@cache
def all_probes() -> Mapping[str, Probe]:
    """Every probe by the control it feeds."""
    room = import_module("lofte.probes")
    names = sorted(found.name for found in iter_modules(room.__path__) if found.name in all_controls())
    return {name: import_module(f"{room.__name__}.{name}").PROBE for name in names}
