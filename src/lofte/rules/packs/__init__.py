"""Law packs: dated legal values of a jurisdiction, each with citation, source, status and the day it was checked.

Data in YAML beside this file, found by name; this module only reads them and picks the value in force on a day.
Anyone may call it. A value that is not in force is a Problem, never a guess.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any

from ruamel.yaml import YAML

from lofte.kernel.problems import Place, Problem
from lofte.rules.codes import fault
from lofte.rules.model import TransferTool

NEEDED_TOPICS = (
    "storage",
    "storage_exemptions",
    "authority.name",
    "authority.web",
    "storage_authority.name",
    "complaints",
    "marketing_email",
    "consent_age",
    "rights_deadline",
    "breach",
)
"""What every market needs a value for, on any day it is open."""

_SHARED = ("areas", "holidays", "transfers", "notice", "notice-words")


@dataclass(frozen=True, slots=True)
class LawValue:
    """One dated value. ``valid_from`` and ``valid_to`` are the first and last day, None is open.

    A ``valid_from`` of None means that the beginning was not checked: the value applies, and proves nothing about the past.
    ``weaker`` gives the parts of the value whose status is weaker than ``status``.
    """

    law: str
    topic: str
    value: Any
    valid_from: date | None
    valid_to: date | None
    citation: str
    source: str
    status: str
    checked_on: date
    title: str = ""
    weaker: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_verified(self) -> bool:
        return self.status != "unverified"

    @property
    def unsure(self) -> tuple[str, ...]:
        """The parts that were not verified, although the value as a whole was."""
        return tuple(part for part, status in self.weaker.items() if status == "unverified")

    def is_in_force(self, at: date) -> bool:
        return _in_force(self.valid_from, self.valid_to, at)


@dataclass(frozen=True, slots=True)
class LawPack:
    """A jurisdiction.

    ``zone`` is where its days begin; ``regime`` decides the transfer rules, ``notice`` what a privacy notice must say.
    """

    law: str
    country: str
    zone: str
    regime: str
    notice: str
    topics: Mapping[str, Sequence[LawValue]]


@dataclass(frozen=True, slots=True)
class Ground:
    """What lets data go to a country: a decision or an instrument."""

    reference: str
    scope: str
    needs_assessment: bool
    citation: str


@dataclass(frozen=True, slots=True)
class NoticeItem:
    """One thing a notice must say: by a value used in the text, by words in it, or by both in one block."""

    id: str
    law: str
    says: str
    values: tuple[str, ...]
    words: str
    when: str


def laws() -> list[str]:
    """Every law pack there is."""
    names = (item.name.removesuffix(".yaml") for item in files(__name__).iterdir() if item.name.endswith(".yaml"))
    return sorted(name.upper() for name in names if name not in _SHARED)


@cache
def law_pack(law: str) -> LawPack:
    """The pack of a jurisdiction. Raises KeyError when there is none."""
    if law not in laws():
        raise KeyError(f"no law pack {law}")
    content = _load(law.lower())
    topics = {
        topic: tuple(_law_value(content, topic, row) for row in rows) for topic, rows in content["topics"].items()
    }
    head = {key: content[key] for key in ("law", "country", "zone", "regime", "notice")}
    return LawPack(**head, topics=MappingProxyType(topics))


def value_at(pack: LawPack, topic: str, at: date) -> LawValue:
    """The value in force on a day. Raises Problem when none is, KeyError when the pack does not know the topic."""
    found = _row_at(pack.topics[topic], at)
    if found is None:
        raise _not_in_force(pack, topic, at)
    return found


def find_value(pack: LawPack, topic: str, at: date) -> LawValue | None:
    """The value in force on a day; None when the jurisdiction has no such rule, or not yet.

    Raises Problem when the rule ran out without a successor: a rule that was abolished has a last row whose value is null.
    """
    rows = pack.topics.get(topic, ())
    found = _row_at(rows, at)
    if found is None and any(row.valid_to is not None and row.valid_to < at for row in rows):
        raise _not_in_force(pack, topic, at)
    return found if found is not None and found.value is not None else None


def values_at(pack: LawPack, prefix: str, at: date) -> list[LawValue]:
    """Every value in force on a day whose topic begins with ``prefix``, in the order of the pack; raises as `find_value`."""
    found = (find_value(pack, topic, at) for topic in pack.topics if topic.startswith(prefix))
    return [row for row in found if row is not None]


def _row_at(rows: Sequence[LawValue], at: date) -> LawValue | None:
    return next((row for row in rows if row.is_in_force(at)), None)


def _not_in_force(pack: LawPack, topic: str, at: date) -> Problem:
    rows = pack.topics[topic]
    ended = max((row.valid_to for row in rows if row.valid_to and row.valid_to < at), default=None)
    detail = f"{topic} of {pack.law} ended on {ended}" if ended else f"{topic} of {pack.law} is not yet in force"
    return fault(
        "law.value-expired", detail, Place(key=topic), expected=f"a value in force on {at}", law=rows[-1].citation
    )


def spoken(value: Any, locale: str) -> str:
    """A pack value as text: names have one form per locale or language, addresses are lines."""
    if isinstance(value, Mapping):
        return str(value.get(locale) or value.get(locale.partition("-")[0]) or value["default"])
    if isinstance(value, str):
        return value
    return ", ".join(str(item) for item in value)


@cache
def eea() -> frozenset[str]:
    """The countries of the European Economic Area, ISO 3166-1 alpha-2."""
    return frozenset(_load("areas")["eea"])


def normal_country(code: str) -> str:
    """The ISO code for one in common use: UK is GB, EL is GR."""
    aliases: Mapping[str, str] = _load("areas")["aliases"]
    return aliases.get(code, code)


def free_area(pack: LawPack) -> frozenset[str] | None:
    """The countries data moves to freely from this jurisdiction; None when its law limits no export."""
    match _load("transfers")["free"][pack.regime]:
        case None:
            return None
        case "uk-and-eea":
            return eea() | {"GB"}
        case _:
            return eea()


def transfer_ground(pack: LawPack, country: str, tool: TransferTool, at: date) -> Ground | None:
    """The decision or instrument by which this tool lets data go from a jurisdiction to a country on a day."""
    rows = _load("transfers")
    country = normal_country(country)
    decisions = {TransferTool.ADEQUACY: rows["adequacy"], TransferTool.DPF: rows["dpf"]}.get(tool, [])
    for row in decisions:
        if row["country"] == country and pack.regime in row["regimes"] and _may_rest_on(row, at):
            return Ground(row["decision"], row["scope"], False, row["citation"])
    for row in rows["instruments"]:
        if row["tool"] == tool and pack.regime in row["regimes"] and is_row_in_force(row, at):
            return Ground(row["instrument"], "", row["assessed"], row["citation"])
    return None


def _may_rest_on(row: Mapping[str, Any], at: date) -> bool:
    """A row under ``review`` is not relied on until counsel has confirmed it, one switched off never again."""
    stop: date | None = row.get("kill_switch")
    return is_row_in_force(row, at) and not row.get("review") and (stop is None or at < stop)


def notice_items(pack: LawPack, at: date) -> list[NoticeItem]:
    """What a privacy notice in this jurisdiction must say on a day."""
    return [
        NoticeItem(
            row["id"], row["law"], row["says"], tuple(row.get("values", ())), row.get("words", ""), row.get("when", "")
        )
        for row in _load("notice")[pack.notice]
        if is_row_in_force(row, at)
    ]


def notice_stems(words: str, locale: str) -> list[str]:
    """The stems by which a text is seen to speak of a right."""
    stems: str = _load("notice-words")[words][locale.partition("-")[0]]
    return stems.split("|")


def _law_value(content: Mapping[str, Any], topic: str, row: Mapping[str, Any]) -> LawValue:
    return LawValue(
        law=content["law"],
        topic=topic,
        value=row["value"],
        valid_from=row["valid_from"],
        valid_to=row["valid_to"],
        citation=row["citation"],
        source=row["source"],
        status=row["status"],
        checked_on=row.get("checked_on", content["checked_on"]),
        title=row.get("title", ""),
        weaker=row.get("weaker", {}),
    )


def _in_force(first: date | None, last: date | None, at: date) -> bool:
    return (first is None or first <= at) and (last is None or at <= last)


def is_row_in_force(row: Mapping[str, Any], at: date) -> bool:
    """Whether a row of a shared file applies on a day, both ends inclusive."""
    return _in_force(row.get("valid_from"), row.get("valid_to"), at)


def shared(name: str) -> Mapping[str, Any]:
    """One of the files that serve every jurisdiction: areas, holidays, transfers."""
    return _load(name)


@cache
def _load(name: str) -> Mapping[str, Any]:
    text = files(__name__).joinpath(f"{name}.yaml").read_text(encoding="utf-8")
    content: Mapping[str, Any] = YAML(typ="safe", pure=True).load(text)
    return content


__all__ = [
    "NEEDED_TOPICS",
    "Ground",
    "LawPack",
    "LawValue",
    "NoticeItem",
    "eea",
    "find_value",
    "free_area",
    "is_row_in_force",
    "law_pack",
    "laws",
    "normal_country",
    "notice_items",
    "notice_stems",
    "shared",
    "spoken",
    "transfer_ground",
    "value_at",
    "values_at",
]
