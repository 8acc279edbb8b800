"""The newest verdict of every promise, as HTML for the policy page; read from `published/verdicts.json`."""

import json
from collections.abc import Mapping
from html import escape
from pathlib import Path
from time import monotonic
from typing import Any

from lofte.edge.layout import moment, told

_LOOK_AGAIN_S = 1.0
_STATUSES = frozenset(("kept", "broken", "unproved"))


class Verdicts:
    """``generation`` changes whenever the file does."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._looked_s = float("-inf")
        self._stamp: tuple[int, int, int] | None = None
        self._found: Mapping[str, Any] = {}
        self.generation = 0

    def refresh(self) -> None:
        now_s = monotonic()
        if now_s - self._looked_s < _LOOK_AGAIN_S:
            return
        self._looked_s = now_s
        try:
            status = self._path.stat()
            stamp = (status.st_mtime_ns, status.st_size, status.st_ino)
            if stamp != self._stamp:
                found = json.loads(self._path.read_bytes())
                self._found = found if isinstance(found, dict) else {}
                self._stamp = stamp
                self.generation += 1
        except (FileNotFoundError, ValueError):
            if self._found:
                self._found, self._stamp = {}, None
                self.generation += 1

    def html(self, promise: str, locale: str) -> str:
        """One badge: status, time of proof, why if not kept, link to the evidence. Unknown is *unproved*."""
        verdict = self._found.get(promise, {})
        status = verdict.get("status") if verdict.get("status") in _STATUSES else "unproved"
        words = [f"<b>{told(locale, f'verdict.{status}')}</b>"]
        if at := verdict.get("proved_at"):
            words.append(
                f'<time datetime="{escape(at)}">{told(locale, "verdict.proved", at=moment(locale, at))}</time>'
            )
        reason = (verdict.get("reason") or {}).get(locale, "") if status != "kept" else ""
        if reason:
            words.append(f"<span>{escape(reason)}</span>")
        if type(index := verdict.get("evidence")) is int:
            link = told(locale, "verdict.evidence")
            words.append(
                f'<a href="/lofte/evidence/{index}?locale={locale}" aria-label="{link}: {escape(promise)}">{link}</a>'
            )
        start = f'<span class="lofte-verdict" data-status="{status}" data-promise="{escape(promise)}">'
        return f"{start}{' · '.join(words)}</span>"
