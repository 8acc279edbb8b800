"""The policy that is in force, as the Django side reads it: one shelf for the process, checked against its hashes."""

from functools import cache
from pathlib import Path

from django.conf import settings

from lofte.evidence.publications import Shelf
from lofte.kernel.problems import Problem
from lofte.rules.published import Published


def current() -> Published:
    """The publication in force. Raises Problem when nothing is published, or its bytes are not what was signed for."""
    return _shelf(settings.LOFTE_HOME).current().published


def load(home: Path, digest: str) -> Published:
    """Any publication by its digest; old ones stay readable."""
    found = _shelf(home).find(digest)
    if found is None:
        raise Problem("publication.unknown", "no version has this digest", status=404)
    return found.published


def forget() -> None:
    """Look again at once (tests that publish twice within a second)."""
    _shelf.cache_clear()


@cache
def _shelf(home: Path) -> Shelf:
    return Shelf(home)
