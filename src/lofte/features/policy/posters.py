"""Fetches the pictures that stand in place of held frames: once, by the server, from the sources the policy names.

The edge notes what a page of ours asked for in `<home>/posters/wanted`. What is fetched is a picture of a declared
source, of bounded size, over no redirect and from no private address; all else is set aside for a day.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from lofte.core import outbound
from lofte.kernel.problems import Problem
from lofte.rules import frames
from lofte.rules.model import Policy

LARGEST_BYTES = 1024 * 1024
_MOST_KEPT = 5000
_AT_ONCE = 3  # a slow host may not keep the other duties waiting
_AGAIN_AFTER = timedelta(days=1)
_HEADERS = {"Accept": "image/jpeg, image/png, image/webp"}

Fetch = Callable[[str], outbound.Answer]


def fetch_from_its_source(source: str) -> outbound.Answer:
    return outbound.get(source, headers=_HEADERS)


def fetch_wanted(home: Path, policy: Policy, at: datetime, fetch: Fetch = fetch_from_its_source) -> int:
    """Fetches what is wanted, some at a time; returns how many pictures were kept."""
    folder = home / "posters"
    wanted, failed = folder / "wanted", folder / "failed"
    if not wanted.is_dir():
        return 0
    _forgive(failed, at)
    room = _MOST_KEPT - sum(1 for each in folder.iterdir() if each.is_file())
    kept = 0
    for note in sorted(wanted.iterdir())[: min(_AT_ONCE, max(room, 0))]:
        tag, _, name = note.read_text(encoding="ascii", errors="replace").partition("/")
        source = frames.poster_of(policy, tag, name)
        content = _picture(source, fetch) if source else None
        if source and content:
            draft = folder / f".{note.name}"
            draft.write_bytes(content)
            draft.rename(folder / frames.shelved_as(source))
            kept += 1
        else:
            failed.mkdir(exist_ok=True)
            (failed / note.name).touch()
        note.unlink(missing_ok=True)
    return kept


def _picture(source: str, fetch: Fetch) -> bytes | None:
    try:
        answer = fetch(source)
    except Problem:
        return None
    is_picture = answer.status == 200 and 0 < len(answer.body) <= LARGEST_BYTES and frames.picture_type(answer.body)
    return answer.body if is_picture else None


def _forgive(failed: Path, at: datetime) -> None:
    """What failed a day ago may be asked for again."""
    for note in failed.iterdir() if failed.is_dir() else ():
        if datetime.fromtimestamp(note.stat().st_mtime, UTC) < at - _AGAIN_AFTER:
            note.unlink(missing_ok=True)
