"""What the serving process notes for who looks beside it. Knows no settings, because those follow from what stands here."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_FILE = "serving.json"


def note(home: Path, told: Mapping[str, Any]) -> None:
    (home / _FILE).write_text(json.dumps(told, sort_keys=True), encoding="utf-8")


def noted(home: Path) -> Mapping[str, Any]:
    """``base_url``, ``origin``, ``mailbox`` and ``host_map``; empty where nobody has served yet."""
    try:
        told: Mapping[str, Any] = json.loads((home / _FILE).read_bytes())
    except (FileNotFoundError, ValueError):
        return {}
    return told
