"""The policy that is in force, as the Django side reads it: checked against its hash and cached until it changes."""

import json
from pathlib import Path

from django.conf import settings

from lofte.kernel.canonical import sha256_hex
from lofte.kernel.problems import Problem
from lofte.rules.published import Published

_cached: tuple[int, str, Published] | None = None


def current() -> Published:
    """The current publication. Raises Problem when nothing is published, or its bytes are not what was signed for."""
    global _cached
    pointer = settings.LOFTE_HOME / "published" / "current"
    try:
        changed, digest = pointer.stat().st_mtime_ns, pointer.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        raise Problem(
            "publication.none", "no policy is published", way_out="Publish one: lofte publish DIR", status=503
        ) from None
    if _cached is None or _cached[:2] != (changed, digest):
        _cached = (changed, digest, load(settings.LOFTE_HOME, digest))
    return _cached[2]


def load(home: Path, digest: str) -> Published:
    """Any publication by its digest; old ones stay readable."""
    folder = home / "published"
    try:
        manifest = json.loads((folder / "publications" / f"{digest}.json").read_bytes())
        named = manifest["files"]["policy.json"]
        content = (folder / "objects" / named).read_bytes()
    except (OSError, ValueError, KeyError) as error:
        raise Problem("publication.unreadable", "a publication cannot be read", status=500) from error
    if sha256_hex(content) != named:
        raise Problem("publication.altered", "the published policy is not what was published", status=500)
    return Published.model_validate_json(content)


def forget() -> None:
    """Drop the cache (tests that publish twice within one tick of the file clock)."""
    global _cached
    _cached = None
