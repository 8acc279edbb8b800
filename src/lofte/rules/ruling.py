"""What the law packs answer: allowed or not, by what, with the reason, the article and what a reader must know of it.

`rules.marketing`, `rules.devices`, `rules.transfers` and `rules.deadlines` speak with these; words for people live in
`locales/<locale>/law.yaml`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date

from lofte.rules.catalogue import say
from lofte.rules.packs import LawValue
from lofte.rules.values import day


@dataclass(frozen=True, slots=True)
class Note:
    """Something to show beside an answer, such as that a value is not verified. ``slots`` may hold days."""

    key: str
    slots: Mapping[str, str | date] = field(default_factory=dict)

    def said(self, locale: str) -> str:
        spoken = {name: day(locale, value) if isinstance(value, date) else value for name, value in self.slots.items()}
        return say(locale, f"law.note.{self.key}", **spoken)


@dataclass(frozen=True, slots=True)
class Ruling:
    """``by`` is the model or instrument that decided, ``reason`` a key under ``law.reason`` in the catalogue."""

    allowed: bool
    by: str
    reason: str
    citation: str
    notes: tuple[Note, ...] = ()

    def said(self, locale: str) -> str:
        return say(locale, f"law.reason.{self.reason}")


def notes_of(values: Iterable[LawValue]) -> tuple[Note, ...]:
    """What the status of the values relied on asks to be shown, once each."""
    found = (_note_of(value) for value in values)
    return tuple({str(note): note for note in found if note is not None}.values())


def _note_of(value: LawValue) -> Note | None:
    citation = {"citation": value.citation}
    if not value.is_verified:
        return Note("not_verified", citation)
    if value.unsure:
        return Note("partly_not_verified", citation)
    return Note("check_before_relying", citation) if value.status == "secondary" else None
