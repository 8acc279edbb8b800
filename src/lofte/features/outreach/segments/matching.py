"""What a segment asks, and whether somebody answers to it. Pure: values in, values out.

A segment is a list of conditions that all hold. Each names values of which somebody has at least one (or, with ``without``, none).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal
from unicodedata import normalize

from lofte.kernel.problems import Problem

Of = Literal["market", "locale", "relation", "topic", "interest", "event", "material", "field"]
How = Literal["is", "contains", "begins", "domain", "held"]
KINDS: tuple[Of, ...] = ("market", "locale", "relation", "topic", "interest", "event", "material", "field")
HOWS: tuple[How, ...] = ("is", "contains", "begins", "domain", "held")
USES: Mapping[str, str] = {"topic": "topics", "interest": "interest", "event": "registrations", "material": "interest"}
"""The field of the policy that a condition uses. One of kind `field` names its own; market, language and relation are none."""


@dataclass(frozen=True, slots=True)
class Condition:
    """``days`` limits an interest to the latest days; ``field`` and ``how`` belong to conditions on a field."""

    of: Of
    values: tuple[str, ...] = ()
    without: bool = False
    field: str = ""
    how: How = "is"
    days: int = 0

    @property
    def uses(self) -> str:
        """The field of the policy it reads, empty for none."""
        return self.field if self.of == "field" else USES.get(self.of, "")


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of somebody, as far as some conditions ask."""

    markets: frozenset[str] = frozenset()
    locales: frozenset[str] = frozenset()
    relations: frozenset[str] = frozenset()
    topics: frozenset[str] = frozenset()
    interests: Mapping[str, datetime] = field(default_factory=dict)
    events: frozenset[str] = frozenset()
    materials: frozenset[str] = frozenset()
    values: Mapping[str, str] = field(default_factory=dict)


def matches(conditions: Sequence[Condition], known: Known, at: datetime) -> bool:
    return all(holds(each, known, at) for each in conditions)


def holds(condition: Condition, known: Known, at: datetime) -> bool:
    return _has_one(condition, known, at) is not condition.without


def _has_one(condition: Condition, known: Known, at: datetime) -> bool:
    wanted = frozenset(condition.values)
    match condition.of:
        case "market":
            return bool(wanted & known.markets)
        case "locale":
            return bool(wanted & known.locales)
        case "relation":
            return bool(wanted & known.relations)
        case "topic":
            return bool(wanted & known.topics)
        case "event":
            return bool(wanted & known.events)
        case "material":
            return bool(wanted & known.materials)
        case "interest":
            since = at - timedelta(days=condition.days)
            return any(kind in known.interests and known.interests[kind] >= since for kind in wanted)
        case "field":
            return _says(condition, known.values.get(condition.field, ""))


def _says(condition: Condition, value: str) -> bool:
    said = plain(value)
    if not said:
        return False
    match condition.how:
        case "held":
            return True
        case "is":
            return said in {plain(each) for each in condition.values}
        case "contains":
            return any(plain(each) in said for each in condition.values)
        case "begins":
            return any(said.startswith(plain(each)) for each in condition.values)
        case "domain":
            return said.rpartition("@")[2] in {plain(each).lstrip("@") for each in condition.values}


def plain(text: str) -> str:
    """As people compare words: neither case nor the way a letter was typed, nor spaces around."""
    return " ".join(normalize("NFKC", text).casefold().split())


def to_rows(conditions: Sequence[Condition]) -> list[dict[str, Any]]:
    """As kept in the database: what says nothing is left out."""
    rows = []
    for each in conditions:
        row: dict[str, Any] = {"of": each.of, "values": list(each.values)}
        if each.of == "field":
            row |= {"field": each.field, "how": each.how}
        if each.of == "interest":
            row |= {"days": each.days}
        rows.append(row | ({"without": True} if each.without else {}))
    return rows


def from_rows(rows: Sequence[Mapping[str, Any]]) -> tuple[Condition, ...]:
    """Raises Problem `segments.unreadable` for what no condition can be made of."""
    try:
        return tuple(
            Condition(
                of=row["of"], values=tuple(str(each) for each in row.get("values", ())), without=bool(row.get("without")),
                field=str(row.get("field", "")), how=row.get("how", "is"), days=int(row.get("days", 0)),
            )
            for row in rows
        )  # fmt: skip
    except (KeyError, TypeError, ValueError) as error:
        raise Problem("segments.unreadable", "the conditions of the segment cannot be read", status=500) from error
