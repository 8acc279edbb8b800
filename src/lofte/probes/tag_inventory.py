"""Whom pages reach once everything is accepted."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from lofte.probes.instruments.newcomers import newcomers
from lofte.probes.probe import Probe
from lofte.probes.world import World
from lofte.rules.controls.tag_inventory import Newcomers


def _gather(world: World, parameters: Mapping[str, Any]) -> Newcomers:
    return newcomers(world)


PROBE = Probe("tag_inventory", every=timedelta(hours=6), gather=_gather)
