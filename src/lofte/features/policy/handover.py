"""Publishing into a running installation: the command lays the policy down, the serving process, which holds the log, publishes it.

Two files in `<home>/published`: `handed-over.json` (the policy's files, written whole) and `answer.json` (what became of it,
named by the same ticket). Only who may write in the data directory can hand anything over.
"""

import json
import secrets
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from lofte.evidence.log import Log
from lofte.features.policy import verbs
from lofte.kernel.problems import Problem

_HANDED, _ANSWER = "handed-over.json", "answer.json"


def hand_over(files: Mapping[str, str], home: Path) -> str:
    """Lays a policy down for the serving process; returns the ticket its answer will carry."""
    ticket = secrets.token_hex(8)
    body = json.dumps({"ticket": ticket, "files": dict(files)}).encode()
    verbs.write_whole(home / "published" / _HANDED, body)
    return ticket


def answer_to(ticket: str, home: Path) -> Mapping[str, Any] | None:
    """What became of it: {"digest": ...} or {"problem": ...}; None while nothing is said yet."""
    try:
        said: dict[str, Any] = json.loads((home / "published" / _ANSWER).read_bytes())
    except (FileNotFoundError, ValueError):
        return None
    return said if said.get("ticket") == ticket else None


def take(home: Path, log: Log, at: datetime) -> str | None:
    """Publishes what was handed over, if anything was; returns its digest. The refusal of a policy is its answer."""
    handed = home / "published" / _HANDED
    try:
        said = json.loads(handed.read_bytes())
    except FileNotFoundError:
        return None
    except ValueError:
        handed.unlink(missing_ok=True)
        return None
    answer: dict[str, Any] = {"ticket": said.get("ticket", "")}
    try:
        answer["digest"] = verbs.publish(said["files"], home, log, at).digest
    except Problem as problem:
        answer["problem"] = str(problem)
    verbs.write_whole(home / "published" / _ANSWER, json.dumps(answer).encode())
    handed.unlink(missing_ok=True)
    return answer.get("digest")
