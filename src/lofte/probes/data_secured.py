"""Searches every store for the canary while it is on file, and looks at who may read the keys."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from lofte.probes.instruments import canary
from lofte.probes.probe import Probe
from lofte.probes.world import World
from lofte.rules.controls.data_secured import Stores

_OTHERS = 0o077  # any right for group or world


def _gather(world: World, parameters: Mapping[str, Any]) -> Stores:
    walked = canary.walk(world)
    keys = [file for file in (world.home / "keys").rglob("*") if file.is_file()]
    loose = tuple(f"keys/{file.name}" for file in keys if file.stat().st_mode & _OTHERS)
    return Stores(walked.searched, walked.in_clear, loose, over_tls=world.base_url.startswith("https://"))


PROBE = Probe("data_secured", every=timedelta(hours=3), gather=_gather)
