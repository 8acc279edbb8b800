"""What has been published in a home: the version in force and every one before it. Files only, checked by hash."""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from lofte.kernel.canonical import sha256_hex
from lofte.kernel.problems import Problem
from lofte.rules.published import Published

_DIGEST = re.compile(r"[0-9a-f]{64}")


def current_digest(home: Path) -> str | None:
    """The digest in force, or None while nothing is published."""
    try:
        return (home / "published" / "current").read_text(encoding="ascii").strip() or None
    except FileNotFoundError:
        return None


def manifest(home: Path, digest: str) -> Mapping[str, Any]:
    """What a publication consists of. Raises Problem 404 for an unknown digest."""
    path = home / "published" / "publications" / f"{digest}.json"
    if not _DIGEST.fullmatch(digest) or not path.is_file():
        raise Problem("publication.unknown", "no version has this digest", status=404)
    found: Mapping[str, Any] = json.loads(path.read_bytes())
    return found


def frozen(home: Path, digest: str, name: str) -> bytes:
    """The bytes of one file of a publication. Raises Problem when they are missing or altered."""
    wanted = manifest(home, digest)["files"].get(name)
    path = home / "published" / "objects" / str(wanted)
    if wanted is None or not path.is_file():
        raise Problem("publication.missing", f"this version has no {name}", status=404)
    body = path.read_bytes()
    if sha256_hex(body) != wanted:
        raise Problem("publication.altered", f"the frozen bytes of {name} were changed after publication", status=500)
    return body


def published(home: Path, digest: str) -> Published:
    """The machine-readable policy of any version."""
    return Published.model_validate_json(frozen(home, digest, "policy.json"))


def history(home: Path) -> Iterator[Mapping[str, Any]]:
    """The manifests of every version, newest first."""
    digest = current_digest(home)
    while digest:
        one = manifest(home, digest)
        yield one
        digest = one["previous"]
