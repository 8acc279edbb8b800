"""What is held about a person, in words, for the portal and the console. Decides nothing."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from lofte.features.rights.overview import ConsentItem, LookItem, Overview
from lofte.kernel.problems import Problem
from lofte.rules.catalogue import room_words
from lofte.web import calendar
from lofte.web.pages import Edition, kept_for, sentence

LinkTo = Callable[[str, Any], str]
"""From a kind of page (``correct``, ``receipt-page``, ``receipt-json``) and what it is about, to its address."""


def in_words(here: Edition, overview: Overview, now: datetime, link: LinkTo | None = None) -> dict[str, Any]:
    return {
        "holdings": held_in_words(here, overview.holdings, now, link),
        "relations": [
            {"name": _word(here, "relations", item.relation, "name"), "since": item.started_at, "ended": item.ended_at}
            for item in overview.relations
        ],
        "consents": _consents(here, overview, link),
        "interests": _interests(here, overview),
        "disclosures": [
            {
                "at": item.at,
                "recipient": _recipient(here, item.recipient),
                "purpose": _purpose(here, item.purpose),
                "fields": _fields(here, item.fields),
            }
            for item in overview.disclosures
        ],
        "looks": [_look(here, look) for look in overview.looks if _stem(look.by) != "person"],
        "own_looks": [_look(here, look) for look in overview.looks if _stem(look.by) == "person"],
        "mails": [
            {
                "at": mail.at,
                "letter": spoken(here, "portal.letter", mail.letter),
                "state": spoken(here, "portal.mail_state", mail.state),
            }
            for mail in overview.mails
        ],
    }


def _look(here: Edition, look: LookItem) -> dict[str, Any]:
    return {
        "at": look.at,
        "who": spoken(here, "portal.by", _stem(look.by)),
        "purpose": _purpose(here, look.purpose),
        "fields": _fields(here, look.fields),
    }


class Held(Protocol):
    """One holding, as the person's overview and the register's own reads both give it."""

    @property
    def id(self) -> UUID: ...
    @property
    def field(self) -> str: ...
    @property
    def value(self) -> str: ...
    @property
    def purpose(self) -> str: ...
    @property
    def basis(self) -> str: ...
    @property
    def source(self) -> str: ...
    @property
    def clock(self) -> str | None: ...
    @property
    def since(self) -> datetime: ...
    @property
    def due(self) -> datetime | None: ...


def held_in_words(
    here: Edition, items: Iterable[Held], now: datetime, link: LinkTo | None = None
) -> list[dict[str, Any]]:
    """One entry a use (purpose, basis, source, clock), what goes first on top, with the values held for it beneath."""
    uses: dict[tuple[object, ...], list[Held]] = defaultdict(list)
    for item in items:
        due = item.due.date() if item.due else None
        uses[item.purpose, item.basis, _stem(item.source), item.clock, due].append(item)
    ranked = sorted(uses.values(), key=lambda held: (held[0].due is None, held[0].due or now, held[0].purpose))
    return [_use(here, held, now, link) for held in ranked]


def _use(here: Edition, held: list[Held], now: datetime, link: LinkTo | None) -> dict[str, Any]:
    first = held[0]
    due = min((item.due for item in held if item.due), default=None)
    return {
        "purpose": _purpose(here, first.purpose),
        "why": _word(here, "purposes", first.purpose, "why"),
        "basis": sentence(here.say(f"common.bases.{first.basis}")),
        "source": spoken(here, "portal.sources", _stem(first.source)),
        "clock": kept_for(here, first.clock),
        "due": due,
        "left": calendar.left(here.locale, due, now) if due else "",
        "spent": _spent(min(item.since for item in held), due, now) if due else 0,
        "values": [_value(here, item, link) for item in sorted(held, key=lambda item: _rank(here, item.field))],
    }


def _value(here: Edition, item: Held, link: LinkTo | None) -> dict[str, Any]:
    is_open = link is not None and _may_correct(here, item.field)
    return {
        "name": _word(here, "fields", item.field),
        "value": _shown(here, item),
        "correct_url": link("correct", item.id) if link and is_open else "",
    }


def _shown(here: Edition, item: Held) -> str:
    """Topics are kept by their ids; everything else as it was written."""
    if item.field != "topics":
        return item.value
    return ", ".join(spoken(here, "news.topic", topic) for topic in item.value.split(",") if topic)


_ORDER = ("name", "email", "phone", "identity", "contact", "work", "preference", "dialogue", "behaviour", "device")


def _rank(here: Edition, field: str) -> tuple[int, str]:
    """Name and address first, then by kind: a published policy keeps no order of its own."""
    declared = here.published.policy.fields.get(field)
    known = (field, declared.category) if declared else (field,)
    return min((_ORDER.index(name) for name in known if name in _ORDER), default=len(_ORDER)), field


def _spent(since: datetime, due: datetime, now: datetime) -> int:
    """How much of the time has gone, in whole percent."""
    whole = (due - since).total_seconds()
    return max(0, min(100, round(100 * (now - since).total_seconds() / whole))) if whole > 0 else 100


def _may_correct(here: Edition, field: str) -> bool:
    """What a person wrote can be put right by them; what follows from events (registrations, clicks) is no text."""
    declared = here.published.policy.fields.get(field)
    return declared is not None and declared.kind in ("email", "phone", "name", "text")


def _consents(here: Edition, overview: Overview, link: LinkTo | None) -> list[dict[str, Any]]:
    events: dict[str, list[ConsentItem]] = defaultdict(list)
    for item in sorted(overview.consents, key=lambda item: item.at, reverse=True):
        events[item.purpose].append(item)
    standing = {item.purpose: item for item in overview.purposes}
    return [
        {
            "id": purpose,
            "purpose": _purpose(here, purpose),
            "why": _word(here, "purposes", purpose, "why"),
            "granted": facts[0].action == "granted",
            "may_withdraw": purpose in standing and standing[purpose].may_withdraw,
            "facts": [_consent_fact(here, fact, link) for fact in facts],
        }
        for purpose, facts in events.items()
        if any(fact.action != "objected" for fact in facts)
    ]


def _consent_fact(here: Edition, fact: ConsentItem, link: LinkTo | None) -> dict[str, Any]:
    receipt = None
    if link and fact.evidence_index is not None:
        receipt = {
            "index": fact.evidence_index,
            "page_url": link("receipt-page", fact.evidence_index),
            "json_url": link("receipt-json", fact.evidence_index),
        }
    return {
        "what": spoken(here, "portal.did", f"{fact.action}-{fact.method}", fact.action),
        "granted": fact.action == "granted",
        "at": fact.at,
        "receipt": receipt,
    }


def _interests(here: Edition, overview: Overview) -> list[dict[str, Any]]:
    return [
        {
            "id": item.purpose,
            "name": _purpose(here, item.purpose),
            "why": _word(here, "purposes", item.purpose, "why"),
            **{part: _word(here, "purposes", item.purpose, part) for part in ("interest", "necessity", "balance")},
            "objected": item.state == "objected",
            "may_object": item.may_object,
        }
        for item in overview.purposes
        if item.may_object or item.state == "objected"
    ]


def _stem(name: str) -> str:
    """`form.newsletter` is a form, `staff:7` a member of staff."""
    return name.replace(":", ".").partition(".")[0]


def _purpose(here: Edition, purpose: str) -> str:
    """The purpose's name; a use outside the policy (the person's own visit, say) has its word in the interface."""
    return _word(here, "purposes", purpose, "name") or spoken(here, "portal.purposes", purpose)


def _fields(here: Edition, fields: Iterable[str]) -> str:
    return ", ".join(_word(here, "fields", field) or field for field in fields)


def _recipient(here: Edition, recipient: str) -> str:
    declared = here.published.policy.recipients.get(recipient)
    return declared.name if declared else recipient


def _word(here: Edition, section: str, key: str, part: str | None = None) -> str:
    """A word of the policy; empty when this publication no longer has it (a purpose since removed)."""
    try:
        return here.word(section, key, part)
    except Problem:
        return ""


def spoken(here: Edition, room: str, *keys: str) -> str:
    """The interface's word for the first key it knows; else the last key itself."""
    group, _, rest = room.partition(".")
    words = room_words(here.locale, group)
    return next((words[f"{rest}.{key}"] for key in keys if f"{rest}.{key}" in words), keys[-1])
