"""Letters to the person about what goes to others. The law demands them (GDPR 13(1)(e), 13(3), 14): they need no consent."""

from dataclasses import dataclass, field
from datetime import date
from uuid import UUID

from lofte.core import links, mail, ports, publication
from lofte.features.sharing.models import Case, Disclosure
from lofte.kernel.problems import Problem
from lofte.rules import values
from lofte.rules.catalogue import say

NAME = "shared"


@dataclass(frozen=True, slots=True)
class Referral:
    """They are referred to a partner."""

    partner: str
    services: tuple[str, ...]
    kind: str = field(default="referral", init=False)


@dataclass(frozen=True, slots=True)
class Authority:
    """An authority has decided that it gets their data."""

    authority: str
    law: str
    decision: str
    kind: str = field(default="authority", init=False)


@dataclass(frozen=True, slots=True)
class Merger:
    """Their data may go with a business; told before it does, with the day before which they can object."""

    successor: str
    free_from: date
    kind: str = field(default="merger", init=False)


Kind = Referral | Authority | Merger


def send(person_id: UUID, letter: Kind, row: Disclosure) -> UUID:
    """Queue it, in the caller's transaction. Raises Problem `sharing.untold` for somebody without an address."""
    sent = _send(person_id, letter, row.purpose, row.fields, row.country, row.id)
    if sent is None:
        raise Problem(
            "sharing.untold", "there is no address to write to", law="GDPR 13(1)(e)", status=409,
            way_out="Tell them by telephone or in a meeting, and say so.",
        )  # fmt: skip
    return sent


def announce(person_id: UUID, case: Case, free_from: date) -> UUID | None:
    """Tell somebody of a merger or sale before it takes their data along. None without an address."""
    return _send(person_id, Merger(case.name, free_from), case.purpose, case.fields, case.country, case.id)


def _send(person_id: UUID, letter: Kind, purpose: str, fields: list[str], country: str, about: UUID) -> UUID | None:
    register = ports.register()
    to = register.read(person_id, "rights", ("email",), by="rights").get("email", "")
    market, locale = register.market_of(person_id) or ("", "")
    if not to or not market:
        return None
    words = compose(letter, market, locale, purpose, fields, country)
    return mail.send(mail.Letter(NAME, person_id, to, words, "rights", about=about))


def compose(letter: Kind, market: str, locale: str, purpose: str, fields: list[str], country: str) -> mail.Words:
    """The letter as it would be sent."""
    published, kind = publication.current(), letter.kind
    policy = published.policy
    slots: dict[str, str] = {
        "organisation": policy.organisation.name,
        "purpose": _word(locale, "purposes", purpose, "name"),
    }
    match letter:
        case Referral(partner, services):
            slots |= {
                "name": partner,
                "services": values.joined(locale, [say(locale, f"sharing.service.{each}") for each in services]),
            }
        case Authority(authority, law, decision):
            slots |= {"name": authority, "law": law, "decision": decision}
        case Merger(successor, free_from):
            slots |= {"name": successor, "day": values.day(locale, free_from)}
    controller = policy.controllers[policy.markets[market].controller]
    facts = [
        (say(locale, "sharing.letter.to"), slots["name"]),
        (say(locale, "sharing.letter.what"), listed(locale, [_word(locale, "fields", each) for each in fields])),
        (say(locale, "sharing.letter.why"), slots["purpose"]),
        (say(locale, "sharing.letter.country"), values.country(locale, country)),
    ]
    return mail.compose(
        NAME, market, locale,
        subject=say(locale, f"sharing.letter.{kind}.subject", **slots), lead=say(locale, f"sharing.letter.{kind}.lead", **slots),
        after=[say(locale, f"sharing.letter.{kind}.after", **slots), say(locale, "sharing.letter.see", email=controller.email)],
        button=say(locale, "sharing.letter.button"), url=links.link("portal", market, locale), facts=facts,
    )  # fmt: skip


def listed(locale: str, words: list[str]) -> str:
    """Names as one list: only the first keeps its capital, unless it is an abbreviation."""
    return values.joined(
        locale, [*words[:1], *(each if each[1:2].isupper() else each[:1].lower() + each[1:] for each in words[1:])]
    )


def _word(locale: str, section: str, key: str, part: str | None = None) -> str:
    try:
        return publication.current().word(locale, section, key, part)
    except Problem:
        return key
