"""law.md: every value of every law pack, with its days, article and status, and the public holidays and transfers they share."""

from collections.abc import Iterator, Mapping
from typing import Any

from docs.generate.markdown import code, page, table

from lofte.rules.packs import LawPack, LawValue, law_pack, laws, shared

NAME = "law.md"

_LEAD = """What the law packs hold. Engineering material, not legal advice. Of a topic the row in force on the day counts; days are
inclusive, and an empty *from* means that the beginning was not checked.

| status | meaning |
| --- | --- |
| `primary-read` | the provision itself was read |
| `official-page` | the authority, government or legislature says so |
| `secondary` | only commentary was read; screens say *check before relying* |
| `unverified` | not verified; the safer side stands here and screens say so |

Parts whose status is weaker than the row's stand in brackets. How to change a value: `src/lofte/rules/packs/README.md`."""


def made() -> str:
    packs = [law_pack(law) for law in laws()]
    return page("Law packs", _LEAD, *(part for pack in packs for part in _pack(pack)), *_transfers(), *_holidays())


def _pack(pack: LawPack) -> Iterator[str]:
    yield f"## {pack.law}"
    yield f"Country {pack.country}, days begin in {pack.zone}."
    rows = [_row(topic, row) for topic, found in pack.topics.items() for row in found]
    yield table(("topic", "value", "from", "to", "citation", "status", "checked"), rows)


def _row(topic: str, row: LawValue) -> tuple[str, ...]:
    weaker = "; ".join(f"{part}: {status}" for part, status in row.weaker.items())
    return (
        code(topic),
        _told(row.value),
        _day(row.valid_from),
        _day(row.valid_to),
        _linked(row.citation, row.source),
        f"{row.status} ({weaker})" if weaker else row.status,
        row.checked_on.isoformat(),
    )


def _transfers() -> Iterator[str]:
    rows = shared("transfers")
    yield "## Transfers"
    yield "Denied unless a row says otherwise. *Review* rows deny until counsel has confirmed them for that exporter."
    decisions = [
        (
            row["country"],
            row["decision"],
            row["scope"],
            ", ".join(row["regimes"]),
            "review" if row.get("review") else "",
            _day(row["valid_from"]),
            _day(row["valid_to"]),
            row["citation"],
            row["status"],
        )
        for row in [*rows["adequacy"], *rows["dpf"]]
    ]
    yield table(("country", "decision", "scope", "from law", "", "from", "to", "citation", "status"), decisions)
    instruments = [
        (
            row["tool"],
            row["instrument"],
            ", ".join(row["regimes"]),
            _day(row["valid_from"]),
            row["citation"],
            row["status"],
        )
        for row in rows["instruments"]
    ]
    yield table(("tool", "instrument", "from law", "from", "citation", "status"), instruments)


def _holidays() -> Iterator[str]:
    yield "## Public holidays"
    yield "Days that move the end of a period under Regulation (EEC, Euratom) 1182/71. Eves are not among them."
    states = [(state, row) for state, row in shared("holidays").items() if isinstance(row, Mapping) and row["days"]]
    rows = [
        (state, "; ".join(day["name"] for day in row["days"]), row["from"], row["citation"]) for state, row in states
    ]
    yield table(("State", "days", "from", "citation"), rows)


def _told(value: Any) -> str:
    match value:
        case Mapping():
            return "; ".join(f"{key}: {_told(item)}" for key, item in value.items())
        case list():
            return ", ".join(_told(item) for item in value)
        case bool():
            return "yes" if value else "no"
        case _:
            return str(value)


def _day(day: Any) -> str:
    return "" if day is None else str(day)


def _linked(citation: str, source: str) -> str:
    return f"[{citation}]({source})" if source.startswith("http") else citation
