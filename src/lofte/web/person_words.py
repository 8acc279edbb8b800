"""What is held about a person, in words, for the portal and the console. Decides nothing."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from lofte.core import roles
from lofte.features.outreach.forms import specs
from lofte.features.rights.overview import (
    CarriedItem,
    ConsentItem,
    FormItem,
    LookItem,
    MaterialItem,
    Overview,
    RegistrationItem,
    SaidItem,
)
from lofte.kernel.problems import Problem
from lofte.rules.catalogue import room_words
from lofte.rules.values import country
from lofte.web import calendar, segment_words
from lofte.web.pages import Edition, kept_for, sentence

LinkTo = Callable[[str, Any], str]
"""From a kind of page (``correct``, ``receipt-page``, ``receipt-json``) and what it is about, to its address."""


_OWN_VISIT = frozenset({"person", "rights"})
"""Looks by the person, and by the system while it does what the person asked for."""


def in_words(here: Edition, overview: Overview, now: datetime, link: LinkTo | None = None) -> dict[str, Any]:
    return {
        "holdings": held_in_words(here, overview.holdings, now, link, frozenset(item.id for item in overview.dialogue)),
        "relations": [
            {"name": _word(here, "relations", item.relation, "name"), "since": item.started_at, "ended": item.ended_at}
            for item in overview.relations
        ],
        "consents": _consents(here, overview, link),
        "interests": _interests(here, overview),
        "disclosures": [
            {
                "at": item.at,
                "recipient": item.name or _recipient(here, item.recipient),
                "class": _recipient(here, item.recipient) if item.name else "",
                "purpose": _purpose(here, item.purpose),
                "fields": _fields(here, item.fields),
                "country": country(here.locale, item.country) if item.country else "",
                "ground": spoken(here, "sharing.ground", item.ground),
                "law": item.law,
                "state": item.state,
                "state_name": spoken(here, "sharing.own_state", item.state),
                "handed_at": item.handed_at,
                "evidence": item.evidence_index,
            }
            for item in sorted(overview.disclosures, key=lambda item: item.at, reverse=True)
        ],
        "segments": segment_words.own(here.locale, overview.segments),
        "transfers": [
            {
                "name": item.name,
                "purpose": _purpose(here, item.purpose),
                "fields": _fields(here, item.fields),
                "country": country(here.locale, item.country) if item.country else "",
                "free_from": item.free_from,
            }
            for item in overview.transfers
        ],
        "registrations": [_registration(here, item, now) for item in overview.registrations],
        "materials": [_material(here, item, now) for item in overview.materials],
        "forms": [_form(here, item) for item in overview.forms],
        "places": [
            {
                "company": item.company,
                "title": ", ".join(filter(None, (item.title, item.role))),
                "since": item.started_at,
                "ended": item.ended_at,
            }
            for item in overview.places
        ],
        "dialogue": [_said(here, item) for item in sorted(overview.dialogue, key=lambda item: item.at, reverse=True)],
        "attachments": [
            {"name": item.name, "size": calendar.size(here.locale, item.size), "at": item.at, "state": item.state}
            for item in overview.attachments
        ],
        "carried": [_carried(here, item) for item in reversed(overview.carried)],
        "restricted_since": overview.restricted_since,
        "taken_out": any(item.taken_out for item in overview.holdings),
        "looks": [_look(here, look) for look in overview.looks if _stem(look.by) not in _OWN_VISIT],
        "own_looks": [_look(here, look) for look in overview.looks if _stem(look.by) in _OWN_VISIT],
        "mails": [
            {
                "at": mail.at,
                "letter": spoken(here, "portal.letter", mail.letter),
                "state": spoken(here, "portal.mail_state", mail.state),
            }
            for mail in overview.mails
        ],
    }


def _said(here: Edition, item: SaidItem) -> dict[str, Any]:
    return {
        "at": item.at,
        "how": spoken(here, "portal.said", f"{item.medium}-{item.direction}", item.medium),
        "mine": item.direction == "in",
        "words": item.words,
        "purpose": _purpose(here, item.purpose),
    }


def _material(here: Edition, item: MaterialItem, now: datetime) -> dict[str, Any]:
    until = calendar.day(here.locale, item.ends_at)
    return {
        "title": item.title or here.say("materials.own.withdrawn"),
        "asked": here.say("materials.own.asked", day=calendar.day(here.locale, item.asked_at)),
        "link": here.say("materials.own.works", day=until) if item.ends_at > now else here.say("materials.own.dead"),
        "taken": here.say("materials.own.times", n=item.times) if item.times else here.say("materials.own.not_taken"),
        "due": here.say("materials.own.gone_by", day=calendar.day(here.locale, item.due)),
    }


def _form(here: Edition, item: FormItem) -> dict[str, Any]:
    boxes = [
        here.say(
            f"forms.own.{'ticked' if box.ticked else 'left'}", purpose=_word(here, "purposes", box.purpose, "name")
        )
        for box in item.boxes
    ]
    day = calendar.moment(here.locale, item.at)
    return {
        "name": specs.name_of(item.form, item.version, here.locale),
        "sent": here.say("forms.own.sent_from", day=day, page=item.page) if item.page else here.say("forms.own.sent", day=day),
        "purpose": _word(here, "purposes", item.purpose, "name"), "boxes": boxes, "wording": item.wording[:16],
    }  # fmt: skip


def _registration(here: Edition, item: RegistrationItem, now: datetime) -> dict[str, Any]:
    return {
        "id": item.id,
        "title": item.title,
        "place": item.place,
        "at": item.starts_at,
        "state": spoken(here, "events.own.state", item.state),
        "reference": item.reference,
        "may_leave": item.state in ("registered", "waiting") and item.ends_at > now,
        "due": item.due,
        "answers": [{"name": _fields(here, [each.field]), "value": each.value} for each in item.answers],
    }


def _carried(here: Edition, item: CarriedItem) -> dict[str, Any]:
    declared = here.published.policy.systems.get(item.system)
    is_done = item.verified_at is not None
    return {
        "what": spoken(here, "portal.carried", item.what),
        "system": declared.name if declared else item.system,
        "is_done": is_done,
        "state": here.say(
            "portal.carried.done" if is_done else "portal.carried.waits",
            at=calendar.moment(here.locale, item.verified_at or item.made_at),
        ),
    }


def _look(here: Edition, look: LookItem) -> dict[str, Any]:
    return {
        "at": look.at,
        "who": spoken(here, "portal.by", _stem(look.by)),
        "role": role_in_words(here, look.role),
        "allowed": look.allowed,
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
    here: Edition,
    items: Iterable[Held],
    now: datetime,
    link: LinkTo | None = None,
    talks: frozenset[UUID] = frozenset(),
) -> list[dict[str, Any]]:
    """One entry a use (purpose, basis, source, clock), what goes first on top, with the values held for it beneath.

    ``talks`` are entries of the dialogue that the page shows by themselves: here they are only counted.
    """
    uses: dict[tuple[object, ...], list[Held]] = defaultdict(list)
    for item in items:
        due = item.due.date() if item.due else None
        uses[item.purpose, item.basis, _stem(item.source), item.clock, due].append(item)
    ranked = sorted(uses.values(), key=lambda held: (held[0].due is None, held[0].due or now, held[0].purpose))
    return [_use(here, held, now, link, talks) for held in ranked]


def _use(
    here: Edition, held: list[Held], now: datetime, link: LinkTo | None, talks: frozenset[UUID]
) -> dict[str, Any]:  # fmt: skip
    first = held[0]
    shown = [item for item in held if item.id not in talks]
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
        "values": [_value(here, item, link) for item in sorted(shown, key=lambda item: _rank(here, item.field))],
        "talks": len(held) - len(shown),
    }


def _value(here: Edition, item: Held, link: LinkTo | None) -> dict[str, Any]:
    is_open = link is not None and may_correct(here, item.field)
    return {
        "name": _word(here, "fields", item.field),
        "value": _shown(here, item),
        "correct_url": link("correct", item.id) if link and is_open else "",
    }


def _shown(here: Edition, item: Held) -> str:
    """Topics are kept by their ids; everything else as it was written."""
    if item.field != "topics":
        return item.value
    chosen = [each.partition(".")[0] for each in item.value.split(",") if each]
    return ", ".join(_word(here, "topics", topic, "name") or topic for topic in chosen)


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


def may_correct(here: Edition, field: str) -> bool:
    """What a person is called and reached by they put right themselves; what follows from events is no text, and what was said
    was said: about that they write to us."""
    declared = here.published.policy.fields.get(field)
    is_text = declared is not None and declared.kind in ("email", "phone", "name", "text")
    return is_text and declared is not None and declared.category != "dialogue"


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
        "words": fact.words,
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


def role_in_words(here: Edition, role: str) -> str:
    """The roles of the member of staff who looked, as this installation calls them."""
    return ", ".join(sentence(roles.name(each, here.locale)) for each in role.split(",") if each)


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
