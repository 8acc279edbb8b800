"""The way out and the preference centre: who holds the link of a letter says what they want to read, without a login.

Everything somebody is written to about stands on one page, by purpose, channel and topic, and is saved in one go. A link never
expires and may be used again and again; it can take back and choose among what stands, never agree to something new: a forwarded
letter must not subscribe anybody. Known and unknown links get the same answer where nothing can be shown.
"""

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from lofte.core import codes, outbox, ports, publication
from lofte.core.codes import Opened
from lofte.core.mailing import inbound
from lofte.core.mailing.inbound import Incoming
from lofte.core.models import new_id
from lofte.core.retry import in_transaction
from lofte.features.outreach import topics
from lofte.features.outreach.models import Campaign
from lofte.features.outreach.signups import FORM
from lofte.rules.model import Basis

CODE = "unsubscribe"


@dataclass(frozen=True, slots=True)
class Left:
    market: str
    locale: str


@dataclass(frozen=True, slots=True)
class Choice:
    """A topic of a purpose over a channel, and whether it is wanted. ``topic`` is empty where the purpose has none there."""

    purpose: str
    topic: str
    channel: str
    is_wanted: bool

    @property
    def key(self) -> str:
        if not self.topic:
            return f"={self.purpose}.{self.channel}"
        return self.topic if self.channel == topics.EMAIL else f"{self.topic}.{self.channel}"


@dataclass(frozen=True, slots=True)
class Change:
    """What a saved choice altered: ``about`` is its fact, whose receipt can be handed over once it is in the log."""

    purpose: str
    channel: str
    about: UUID
    is_end: bool


@dataclass(frozen=True, slots=True)
class Preferences:
    """What a link opens: no name and no address, only choices. None of them where nothing stands any more.

    ``person_id`` is for the receipts of what was ``changed``, never for a page.
    """

    person_id: UUID
    market: str
    locale: str
    choices: tuple[Choice, ...]
    changed: tuple[Change, ...] = ()


# --- one click ------------------------------------------------------------------------------------------------------


@in_transaction
def unsubscribe(code: str, method: str = "one_click") -> Left | None:
    """One click (RFC 8058) out. Idempotent; None when the code is not known (say the same thing all the same)."""
    opened = codes.peek(code, CODE)
    if opened is None:
        return None
    _leave(opened.person_id, _purpose(opened), method)
    return Left(opened.market, opened.locale)


@inbound.address(CODE)
def unsubscribed_by_mail(token: str, message: Incoming) -> None:
    """An empty mail to the address in the header List-Unsubscribe, by the person or their mail program."""
    unsubscribe(token, "mail")


def topic_to_leave(code: str) -> str:
    """The topic of the letter a link came with, where leaving it alone leaves something of its kind. Changes nothing."""
    opened = codes.peek(code, CODE)
    campaign = Campaign.objects.filter(pk=opened.about).first() if opened and opened.about else None
    if opened is None or campaign is None:
        return ""
    wanted = [each.topic for each in _of_kind(opened, campaign.purpose) if each.is_wanted]
    return campaign.topic if campaign.topic in wanted and len(wanted) > 1 else ""


@in_transaction
def leave_topic(code: str) -> Left | None:
    """Leave the topic of the letter and keep the others of its kind; everything of its kind where no other is wanted."""
    opened, topic = codes.peek(code, CODE), topic_to_leave(code)
    if opened is None or not topic:
        return unsubscribe(code, "preferences")
    kind = _of_kind(opened, _purpose(opened))
    _save(opened, [each.key for each in kind if each.is_wanted and each.topic != topic], [each.key for each in kind])
    return Left(opened.market, opened.locale)


def _of_kind(opened: Opened, purpose: str) -> list[Choice]:
    return [each for each in _choices(opened) if each.purpose == purpose and each.channel == topics.EMAIL]


# --- the preference centre ------------------------------------------------------------------------------------------


def preferences(code: str) -> Preferences | None:
    """What the holder of a link can choose among; changes nothing. None for a link that is not known."""
    opened = codes.peek(code, CODE)
    return _shown(opened) if opened else None


@in_transaction
def prefer(code: str, wanted: Collection[str], shown: Collection[str] | None = None) -> Preferences | None:
    """Replace what somebody wants to read by these (`Choice.key`). Nothing wanted of a purpose over a channel ends it there.

    ``shown`` are the choices that were on the page: what was agreed to since stays as it is.
    """
    opened = codes.peek(code, CODE)
    return _save(opened, wanted, shown) if opened else None


def preferences_of(person_id: UUID) -> Preferences:
    """The same for somebody who has been let in."""
    return _shown(_holder(person_id))


@in_transaction
def prefer_of(person_id: UUID, wanted: Collection[str], shown: Collection[str] | None = None) -> Preferences:
    return _save(_holder(person_id), wanted, shown)


def _holder(person_id: UUID) -> Opened:
    market, locale = ports.register().market_of(person_id) or ("", "")
    return Opened(person_id, market, locale, None, None)


def _shown(opened: Opened, changed: Collection[Change] = ()) -> Preferences:
    return Preferences(opened.person_id, opened.market, opened.locale, tuple(_choices(opened)), tuple(changed))


def _save(opened: Opened, wanted: Collection[str], shown: Collection[str] | None) -> Preferences:
    known, changed = _choices(opened), list[Change]()
    for purpose, channel in dict.fromkeys((each.purpose, each.channel) for each in known):
        before = [each for each in known if (each.purpose, each.channel) == (purpose, channel)]
        after = [
            each for each in before
            if (each.key in wanted if shown is None or each.key in shown else each.is_wanted)
        ]  # fmt: skip
        if not after:
            about = _leave(opened.person_id, purpose, "preferences", channel)
            changed += [Change(purpose, channel, about, is_end=True)] if about else []
        elif after != [each for each in before if each.is_wanted]:
            about = _narrow(opened, purpose, channel, [each.topic for each in after])
            changed.append(Change(purpose, channel, about, is_end=False))
    return _shown(opened, changed)


def _narrow(opened: Opened, purpose: str, channel: str, chosen: list[str]) -> UUID:
    topics.choose(opened.person_id, purpose, chosen, source="preferences", by="person", channel=channel)
    fact = {"purpose": purpose, "channel": channel, "topics": chosen, "market": opened.market, "method": "preferences"}
    about = new_id()
    outbox.add("action.topics_chosen", fact, person_id=opened.person_id, about=about)
    return about


def _purpose(opened: Opened) -> str:
    """What the link is about: the campaign it came with or the consent it was given for; else the newsletter."""
    if opened.about is not None:
        campaign = Campaign.objects.filter(pk=opened.about).first()
        purpose = campaign.purpose if campaign else ports.consents().purpose_of(opened.person_id, opened.about)
        if purpose:
            return purpose
    return publication.current().policy.forms[FORM].purpose


def _leave(person_id: UUID, purpose: str, method: str, channel: str = topics.EMAIL) -> UUID | None:
    """Take the consent back over one channel; what rests on legitimate interest is objected to altogether."""
    declared = publication.current().policy.purposes.get(purpose)
    if declared is None:
        return None
    if declared.basis is Basis.CONSENT:
        return ports.consents().withdraw(person_id, purpose, method=method, channel=channel)
    return ports.consents().object_to(person_id, purpose, method=method)


def _choices(opened: Opened) -> list[Choice]:
    """Each purpose somebody is written to about, over each channel that stands now, topic by topic.

    What was never agreed to is not offered here. The purpose of the link comes first.
    """
    policy, about = publication.current().policy, _purpose(opened)
    standing = _standing(opened.person_id, about)
    found = []
    for purpose, channel in sorted(standing, key=lambda each: (each[0] != about, each)):
        there = topics.of_market(opened.market, purpose, channel)
        if not there:
            found.append(Choice(purpose, "", channel, is_wanted=True))
            continue
        is_kept = topics.FIELD in policy.purposes[purpose].fields
        chosen = topics.chosen_by(opened.person_id, purpose, by="person", channel=channel) if is_kept else there
        found += [Choice(purpose, topic, channel, topic in chosen) for topic in there]
    return found


def _standing(person_id: UUID, about: str) -> list[tuple[str, str]]:
    """Purpose and channel of each consent that stands, and of the letters on legitimate interest nobody has objected to."""
    purposes, said = publication.current().policy.purposes, ports.consents().standings(person_id)
    found = [
        (key, channel)
        for key, each in said.items()
        if each.action == "granted" and key in purposes and purposes[key].basis is Basis.CONSENT
        for channel in each.channels
    ]
    lettered = {each.purpose for each in publication.current().policy.topics.values()}
    for key in sorted(lettered):
        objected = key in said and said[key].action == "objected"
        if purposes[key].basis is not Basis.CONSENT and not objected and _is_used(person_id, key, about):
            found.append((key, topics.EMAIL))
    return found


def _is_used(person_id: UUID, purpose: str, about: str) -> bool:
    """Whether letters on a legitimate interest reach them at all: they got one, or something is held for it."""
    return purpose == about or bool(ports.register().fields_held(person_id, purpose))
