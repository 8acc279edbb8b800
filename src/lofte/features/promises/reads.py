"""Questions about the promises. A verdict that grew too old is answered as *unproved*, whatever the row says."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from lofte.core import clock, publication
from lofte.features.promises.models import Verdict as Row
from lofte.kernel.instants import rfc3339
from lofte.kernel.problems import Problem
from lofte.rules.control import Control, Status, Verdict, aged, unproved, worst
from lofte.rules.controls import LOCALES, all_controls, reason, words_of
from lofte.rules.model import Binding
from lofte.rules.published import Published

_WORST_FIRST = {Status.BROKEN: 0, Status.UNPROVED: 1, Status.KEPT: 2}


@dataclass(frozen=True, slots=True)
class ControlLine:
    """One control of a promise as it stands now. ``at`` is when it was last looked at, ``proved_at`` when last kept."""

    id: str
    parameters: Mapping[str, Any]
    verdict: Verdict
    at: datetime | None
    proved_at: datetime | None
    evidence: int | None

    @property
    def control(self) -> Control | None:
        return all_controls().get(self.id)

    @property
    def law(self) -> tuple[str, ...]:
        return self.control.law if self.control else ()

    def name(self, locale: str) -> str:
        return words_of(self.id)[locale].name if self.control else self.id

    def asserts(self, locale: str) -> str:
        return words_of(self.id)[locale].asserts if self.control else ""

    def reason(self, locale: str) -> str:
        return reason(self.id, self.verdict, locale)


@dataclass(frozen=True)
class Line:
    """One promise on the board. Its verdict is that of its worst control."""

    promise: str
    controls: tuple[ControlLine, ...]
    titles: Mapping[str, str]

    @cached_property
    def status(self) -> Status:
        return worst(line.verdict.status for line in self.controls)

    @cached_property
    def worst_control(self) -> ControlLine | None:
        return min(self.controls, key=lambda line: _WORST_FIRST[line.verdict.status], default=None)

    @property
    def proved_at(self) -> datetime | None:
        """When all controls of the promise were last seen kept; None if one never was."""
        proofs = [line.proved_at for line in self.controls]
        return min((at for at in proofs if at), default=None) if proofs and all(proofs) else None

    @property
    def at(self) -> datetime | None:
        """When somebody last looked at the control that decides."""
        return self.worst_control.at if self.worst_control else None

    @property
    def evidence(self) -> int | None:
        return self.worst_control.evidence if self.worst_control else None

    def title(self, locale: str) -> str:
        return self.titles.get(locale, self.promise)

    def reason(self, locale: str) -> str:
        if self.worst_control is None:
            return reason("", unproved("unbound"), locale)
        return self.worst_control.reason(locale)


def board(at: datetime | None = None) -> list[Line]:
    """Every promise of the publication in force, in its order, with what stands now."""
    at = at or clock.now()
    published = publication.current()
    rows = _newest(published)
    return [_line(published, promise, rows, at) for promise in published.policy.promises]


def promise(promise_id: str, at: datetime | None = None) -> Line:
    """One promise as it stands. Raises Problem 404 for one the policy does not make."""
    found = next((line for line in board(at) if line.promise == promise_id), None)
    if found is None:
        raise Problem("promises.unknown", f"the policy has no promise {promise_id}", status=404)
    return found


@dataclass(frozen=True, slots=True)
class Past:
    """A verdict as it was reached then."""

    promise: str
    control: str
    verdict: Verdict
    at: datetime
    evidence: int | None
    publication: str

    def reason(self, locale: str) -> str:
        return reason(self.control, self.verdict, locale)


def history(promise_id: str, limit: int = 100) -> list[Past]:
    """What was found about a promise, newest first."""
    rows = Row.objects.filter(promise=promise_id).order_by("-at", "-id")[:limit]
    return [_past(row) for row in rows]


def counts(lines: Iterable[Line]) -> dict[str, int]:
    """How many promises are kept, broken and unproved."""
    found = {status.value: 0 for status in Status}
    for line in lines:
        found[line.status.value] += 1
    return found


def document(lines: Iterable[Line]) -> dict[str, Any]:
    """The board as `published/verdicts.json` carries it, with reasons in every locale."""
    return {line.promise: _entry(line) for line in lines}


def _entry(line: Line) -> dict[str, Any]:
    decides = line.worst_control
    return {
        "status": line.status.value,
        "at": rfc3339(line.at) if line.at else None,
        "proved_at": rfc3339(line.proved_at) if line.proved_at else None,
        "reason": {locale: line.reason(locale) for locale in LOCALES},
        "evidence": line.evidence,
        "control": decides.id if decides else None,
        "law": list(decides.law) if decides else [],
    }


def _newest(published: Published) -> dict[tuple[str, str], tuple[Row, datetime | None]]:
    """The newest row per promise and control, and when it was last kept."""
    found: dict[tuple[str, str], tuple[Row, datetime | None]] = {}
    for promise_id, declared in published.policy.promises.items():
        for binding in declared.controls:
            rows = Row.objects.filter(promise=promise_id, control=binding.control).order_by("-at", "-id")
            newest = rows.first()
            if newest is not None:
                kept = newest if newest.status == Status.KEPT else rows.filter(status=Status.KEPT).first()
                found[promise_id, binding.control] = newest, kept.at if kept else None
    return found


def _line(published: Published, promise_id: str, rows: Mapping[tuple[str, str], Any], at: datetime) -> Line:
    declared = published.policy.promises[promise_id]
    controls = tuple(_control(promise_id, binding, rows, at) for binding in declared.controls)
    return Line(promise_id, controls, _titles(published, promise_id))


def _control(promise_id: str, binding: Binding, rows: Mapping[tuple[str, str], Any], at: datetime) -> ControlLine:
    control = all_controls().get(binding.control)
    if control is None:
        verdict = unproved("no-control", control=binding.control)
        return ControlLine(binding.control, binding.parameters, verdict, None, None, None)
    row, proved_at = rows.get((promise_id, binding.control), (None, None))
    if row is None:
        verdict = unproved("never-run" if control.judge else "no-probe")
        return ControlLine(binding.control, binding.parameters, verdict, None, None, None)
    verdict = aged(_verdict(row), row.at, at, control.fresh_for)
    return ControlLine(binding.control, binding.parameters, verdict, row.at, proved_at, row.evidence)


def _titles(published: Published, promise_id: str) -> dict[str, str]:
    titles = {}
    for locale in published.words:
        try:
            titles[locale] = published.word(locale, "promises", promise_id, "title")
        except Problem:
            continue  # a promise without a title is shown by its id
    return titles


def _verdict(row: Row) -> Verdict:
    return Verdict(Status(row.status), row.reason, row.facts)


def _past(row: Row) -> Past:
    return Past(row.promise, row.control, _verdict(row), row.at, row.evidence, row.publication)
