"""Copies of the stores as the console shows them: how old, where the keys lie, and what should be gone. Made at the shell only."""

from datetime import datetime
from typing import Any

from lofte.core.backup import reads


def seen(at: datetime) -> dict[str, Any]:
    found = reads.state(at)
    return {
        "newest": found.newest,
        "newest_keys": found.newest_keys,
        "is_old": found.is_old(at),
        "late": found.late,
        "keys_until": found.keys_until,
    }
