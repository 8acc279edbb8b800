"""What the gate held, told to whoever listens. No personal data: hosts, names and paths, never queries or values."""

from dataclasses import dataclass
from typing import Literal

Kind = Literal[
    "script", "inline-script", "frame", "image", "media", "object", "link", "style", "ping",
    "refresh", "base", "cookie", "header", "redirect", "unreadable",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class HeldReport:
    """One thing held on one page.

    ``what`` is a host, a cookie's name, or for an inline script ``sha256-...`` of its text. ``declared`` is False for
    what no policy describes: that is held in every consent state. ``purpose`` is what the visitor would have to allow.
    """

    kind: Kind
    what: str
    declared: bool
    purpose: str
    path: str
    market: str
