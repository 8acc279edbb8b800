"""A publication as frozen on disk: read once, checked against its hashes, never changed.

`<home>/published/current` names the digest in force; manifests are in `publications/`, bytes in `objects/`. The shelf
looks at `current` again at most once a second, so publishing needs no restart.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from threading import Lock
from time import monotonic
from typing import Any

from lofte.kernel.canonical import sha256_hex
from lofte.kernel.problems import Problem
from lofte.rules.model import StorageModel
from lofte.rules.published import Published

_LOOK_AGAIN_S = 1.0
_KEPT_OPEN = 8  # earlier versions are read seldom; eight are held
_DIGEST = re.compile(r"[0-9a-f]{16,128}")


@dataclass(frozen=True, slots=True)
class Shown:
    """What one market and locale was asked: which purposes it decides on and the hashes of the words it was shown."""

    market: str
    locale: str
    purposes: frozenset[str]
    decidable: frozenset[str]
    wordings: Mapping[str, str]  # hash -> method: banner, preferences or frame


class Publication:
    """One version. ``read`` gives the frozen bytes of a logical name such as ``SE/sv/policy.html``."""

    def __init__(self, folder: Path, digest: str) -> None:
        self._folder = folder
        self.digest = digest
        self.short = digest[:16]
        self.manifest: Mapping[str, Any] = json.loads(_read(folder / "publications" / f"{digest}.json"))
        self.previous: str | None = self.manifest.get("previous")
        self.published_at: str = self.manifest["published_at"]
        self.version: str = self.manifest["version"]

    @cached_property
    def published(self) -> Published:
        return Published.model_validate_json(self.read("policy.json"))

    @cached_property
    def shown(self) -> Mapping[tuple[str, str], Shown]:
        """By market and locale."""
        policy = self.published.policy
        return {
            (market, locale): self._shown(market, locale)
            for market, edition in policy.markets.items()
            for locale in edition.locales
        }

    def has(self, name: str) -> bool:
        return name in self.manifest["files"]

    def object_of(self, name: str) -> str:
        """The SHA-256 (hex) that names the bytes. Raises Problem 404 when this version has no such file."""
        try:
            found: str = self.manifest["files"][name]
        except KeyError:
            raise Problem("publication.no-such-file", f"this version has no {name}", status=404) from None
        return found

    def read(self, name: str) -> bytes:
        wanted = self.object_of(name)
        content = _read(self._folder / "objects" / wanted)
        if sha256_hex(content) != wanted:
            raise Problem(
                "publication.altered", f"the frozen bytes of {name} were changed after publication",
                way_out="Publish again from the policy directory, or restore the object from backup.", status=500,
            )  # fmt: skip
        return content

    def _shown(self, market: str, locale: str) -> Shown:
        models = self.published.policy.browser_purposes(market)
        methods = {
            self.published.wordings[key]: method
            # Where two hash alike, the banner is what people see first.
            for method in ("frame", "preferences", "banner")
            if (key := f"{market}/{locale}/{method}") in self.published.wordings
        }
        decidable = frozenset(key for key, model in models.items() if model is not StorageModel.NECESSARY)
        return Shown(market, locale, frozenset(models), decidable, methods)


class Shelf:
    """The publications of one home. Raises Problem 503 from ``current`` while nothing has been published."""

    def __init__(self, home: Path) -> None:
        self._folder = home / "published"
        self._open: dict[str, Publication] = {}
        self._current: Publication | None = None
        self._looked_s = float("-inf")
        self._stamp: tuple[int, int] | None = None
        self._moving = Lock()  # the edge's loop and Django's threads may share one shelf

    def current(self) -> Publication:
        now = monotonic()
        if self._current is None or now - self._looked_s > _LOOK_AGAIN_S:
            self._looked_s = now
            self._look()
        assert self._current is not None
        return self._current

    def look_again(self) -> None:
        """For who has just published and does not want to wait the second."""
        self._looked_s = float("-inf")

    def find(self, digest: str) -> Publication | None:
        """Any published version, by its whole digest."""
        if (known := self._open.get(digest)) is not None:
            return known
        if not _DIGEST.fullmatch(digest) or not (self._folder / "publications" / f"{digest}.json").is_file():
            return None
        found = Publication(self._folder, digest)
        with self._moving:
            while len(self._open) >= _KEPT_OPEN:
                del self._open[next(iter(self._open))]
            self._open[digest] = found
        return found

    def history(self) -> Iterator[Publication]:
        """Every version, newest first."""
        one: Publication | None = self.current()
        while one is not None:
            yield one
            one = self.find(one.previous) if one.previous else None

    def _look(self) -> None:
        try:
            found = (self._folder / "current").stat()
        except FileNotFoundError:
            raise _nothing_published() from None
        stamp = (found.st_mtime_ns, found.st_ino)
        if self._current is not None and stamp == self._stamp:
            return
        found_current = self.find((self._folder / "current").read_text(encoding="ascii").strip())
        if found_current is None:
            raise _nothing_published()
        self._current, self._stamp = found_current, stamp


def current_digest(home: Path) -> str | None:
    """The digest in force, or None while nothing is published."""
    try:
        return (home / "published" / "current").read_text(encoding="ascii").strip() or None
    except FileNotFoundError:
        return None


def load_current(home: Path) -> Publication:
    """The publication in force, for callers outside the edge. Raises Problem 503 while nothing has been published."""
    return Shelf(home).current()


def _nothing_published() -> Problem:
    return Problem(
        "publication.none", "no policy has been published here yet", way_out="Run `lofte publish DIR`.", status=503
    )


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise Problem("publication.missing", f"{path.name} is missing from the published files", status=500) from None
