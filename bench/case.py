"""One measured figure."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Case:
    """``limit`` is what this machine can do at all, ``bar`` what is asked of us; ``ok`` is None where nothing is asked."""

    bench: str
    case: str
    value: float
    unit: str
    limit: float | None = None
    bar: float | None = None
    ok: bool | None = None


def at_least(bench: str, case: str, value: float, unit: str, bar: float, limit: float | None = None) -> Case:
    return Case(bench, case, round(value, 2), unit, limit, bar, value >= bar)


def at_most(bench: str, case: str, value: float, unit: str, bar: float, limit: float | None = None) -> Case:
    return Case(bench, case, round(value, 2), unit, limit, bar, value <= bar)
