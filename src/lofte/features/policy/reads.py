"""What has been published in a home: the version in force and every one before it. Files only, checked by hash."""

from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from lofte.evidence.publications import Publication, Shelf, current_digest
from lofte.kernel.problems import Problem
from lofte.rules.diff import diff
from lofte.rules.published import Published

__all__ = ["asked_anew", "current_digest", "frozen", "history", "manifest", "published"]


def manifest(home: Path, digest: str) -> Mapping[str, Any]:
    """What a publication consists of. Raises Problem 404 for an unknown digest."""
    return _version(home, digest).manifest


def frozen(home: Path, digest: str, name: str) -> bytes:
    """The bytes of one file of a publication. Raises Problem when they are missing or altered."""
    return _version(home, digest).read(name)


def published(home: Path, digest: str) -> Published:
    """The machine-readable policy of any version."""
    return _version(home, digest).published


def history(home: Path) -> Iterator[Mapping[str, Any]]:
    """The manifests of every version, newest first; none while nothing is published."""
    digest = current_digest(home)
    while digest:
        one = manifest(home, digest)
        yield one
        digest = one["previous"]


def asked_anew(home: Path, chosen_on: str, now: str) -> frozenset[str]:
    """The purposes whose consent, given on one version, does not cover another, in any edition.

    ``chosen_on`` is the beginning of a digest, as the visitor's cookie carries it. What was chosen on a version that is
    not ours any more covers nothing.
    """
    return frozenset() if now.startswith(chosen_on) else _asked_between(home, chosen_on, now)


@lru_cache(maxsize=256)
def _asked_between(home: Path, chosen_on: str, now: str) -> frozenset[str]:
    current = published(home, now)
    old = next((one["digest"] for one in history(home) if one["digest"].startswith(chosen_on)), None)
    if old is None:
        return frozenset(current.policy.purposes)
    return frozenset(asked.purpose for asked in diff(published(home, old), current).asked)


def _version(home: Path, digest: str) -> Publication:
    found = Shelf(home).find(digest)
    if found is None:
        raise Problem("publication.unknown", "no version has this digest", status=404)
    return found
