"""Which stand-in plays which declared host."""

from functools import cache
from pathlib import Path

from ruamel.yaml import YAML


@cache
def host_map() -> dict[str, str]:
    """Stand-in host -> declared host, from hosts.yaml; what the gate and the probes are given."""
    loaded: dict[str, str] = YAML(typ="safe", pure=True).load(Path(__file__).with_name("hosts.yaml"))
    return dict(loaded)
