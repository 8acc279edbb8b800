"""What is held about a person, in words, for the portal and the console. Decides nothing."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from lofte.features.rights.overview import ConsentItem, Overview
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
        "looks": [
            {
                "at": look.at,
                "who": spoken(here, "portal.by", _stem(look.by)),
                "purpose": _purpose(here, look.purpose),
                "fields": _fields(here, look.fields),
                "allowed": look.allowed,
            }
            for look in overview.looks
        ],
        "mails": [
            {
                "at": mail.at,
                "letter": spoken(here, "portal.letter", mail.letter),
                "state": spoken(here, "portal.mail_state", mail.state),
            }
            for mail in overview.mails
        ],
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
    """One entry a value, with every use made of it beneath: a person thinks of their address once."""
    by_value: dict[tuple[str, str], list[Held]] = defaultdict(list)
    for item in items:
        by_value[item.field, item.value].append(item)
    order = list(here.published.policy.fields)
    ranked = sorted(by_value.items(), key=lambda pair: order.index(pair[0][0]) if pair[0][0] in order else len(order))
    return [
        {
            "name": _word(here, "fields", field),
            "value": value,
            "correct_url": link("correct", held[0].id) if link and _may_correct(here, field) else "",
            "uses": [_use(here, item, now) for item in held],
        }
        for (field, value), held in ranked
    ]


def _use(here: Edition, item: Held, now: datetime) -> dict[str, Any]:
    return {
        "purpose": _purpose(here, item.purpose),
        "basis": sentence(here.say(f"common.bases.{item.basis}")),
        "source": spoken(here, "portal.sources", _stem(item.source)),
        "since": item.since,
        "clock": kept_for(here, item.clock),
        "due": item.due,
        "left": calendar.left(here.locale, item.due, now) if item.due else "",
        "spent": _spent(item.since, item.due, now) if item.due else 0,
    }


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
