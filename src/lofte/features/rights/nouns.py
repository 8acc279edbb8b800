"""The words of this room: a session, a plan, what was left, an erasure and its receipt."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Grant:
    """A portal session for exactly one person. Keep only ``token`` in the Django session; ask `reads.session` each time."""

    token: str
    person_id: UUID
    market: str
    locale: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class PlanItem:
    """``stays_under`` names the statute when the item must be kept, with ``until``; empty when it goes.

    ``what`` is a kind of row of the register, or the name of a connected system.
    """

    what: str
    count: int
    stays_under: str
    until: datetime | None


@dataclass(frozen=True, slots=True)
class Residue:
    """One place where something of the person was still found; ``exemption`` says why it may stay, if it may."""

    where: str
    count: int
    form: str
    exemption: str


@dataclass(frozen=True, slots=True)
class Erased:
    """``is_complete`` only when every connected system was read back, the search found nothing that is not exempt and the entry is
    in the log. ``waiting_for`` names the systems that have not come so far.

    ``receipt`` is the log's receipt (no personal data in it) for the person to keep; None while the log is not reachable from here.
    """

    id: UUID
    is_complete: bool
    counts: Mapping[str, int]
    residue: tuple[Residue, ...]
    evidence_index: int | None
    receipt: dict[str, Any] | None
    waiting_for: tuple[str, ...] = ()
