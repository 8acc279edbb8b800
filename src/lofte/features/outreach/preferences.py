"""The way out and the preference centre: who holds the link of a letter says what they want to read, without a login.

A link never expires and may be used again and again; it can take back and choose among what stands, never agree to something new:
a forwarded letter must not subscribe anybody. Known and unknown links get the same answer where nothing can be shown.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from lofte.core import codes, ports, publication
from lofte.core.codes import Opened
from lofte.core.mailing import inbound
from lofte.core.mailing.inbound import Incoming
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
    """A topic on offer over a channel, and whether it is wanted."""

    topic: str
    channel: str
    is_wanted: bool

    @property
    def key(self) -> str:
        return self.topic if self.channel == topics.EMAIL else f"{self.topic}.{self.channel}"


@dataclass(frozen=True, slots=True)
class Preferences:
    """What a link opens: no name and no address, only choices. None of them where nothing stands any more."""

    market: str
    locale: str
    purpose: str
    choices: tuple[Choice, ...]


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


def preferences(code: str) -> Preferences | None:
    """What the holder of a link can choose among; changes nothing. None for a link that is not known."""
    opened = codes.peek(code, CODE)
    if opened is None:
        return None
    purpose = _purpose(opened)
    return Preferences(opened.market, opened.locale, purpose, tuple(_choices(opened, purpose)))


@in_transaction
def prefer(code: str, wanted: Sequence[str]) -> Preferences | None:
    """Replace what somebody wants to read by these (`Choice.key`). Nothing wanted over a channel takes that consent back."""
    opened = codes.peek(code, CODE)
    if opened is None:
        return None
    purpose = _purpose(opened)
    known = _choices(opened, purpose)
    for channel in dict.fromkeys(each.channel for each in known):
        chosen = [each.topic for each in known if each.channel == channel and each.key in wanted]
        if chosen:
            topics.choose(opened.person_id, purpose, chosen, source="preferences", by="person", channel=channel)
        else:
            _leave(opened.person_id, purpose, "preferences", channel)
    return Preferences(opened.market, opened.locale, purpose, tuple(_choices(opened, purpose)))


def _purpose(opened: Opened) -> str:
    """What the link is about: the campaign it came with or the consent it was given for; else the newsletter."""
    if opened.about is not None:
        campaign = Campaign.objects.filter(pk=opened.about).first()
        purpose = campaign.purpose if campaign else ports.consents().purpose_of(opened.person_id, opened.about)
        if purpose:
            return purpose
    return publication.current().policy.forms[FORM].purpose


def _leave(person_id: UUID, purpose: str, method: str, channel: str = topics.EMAIL) -> None:
    """Take the consent back over one channel; what rests on legitimate interest is objected to altogether."""
    declared = publication.current().policy.purposes.get(purpose)
    if declared is None:
        return
    if declared.basis is Basis.CONSENT:
        ports.consents().withdraw(person_id, purpose, method=method, channel=channel)
    else:
        ports.consents().object_to(person_id, purpose, method=method)


def _choices(opened: Opened, purpose: str) -> list[Choice]:
    """The topics over each channel that stands now; what was never agreed to is not offered here."""
    found = []
    for channel in sorted(_channels(opened.person_id, purpose)):
        there = topics.of_market(opened.market, purpose, channel)
        chosen = topics.chosen_by(opened.person_id, purpose, by="person", channel=channel) if there else ()
        found += [Choice(topic, channel, topic in chosen) for topic in there]
    return found


def _channels(person_id: UUID, purpose: str) -> frozenset[str]:
    policy, said = publication.current().policy, ports.consents().standings(person_id).get(purpose)
    if purpose not in policy.purposes:
        return frozenset()
    if policy.purposes[purpose].basis is not Basis.CONSENT:
        return frozenset() if said and said.action == "objected" else frozenset({topics.EMAIL})
    return said.channels if said and said.action == "granted" else frozenset()


def standing_of(person_id: UUID) -> Mapping[str, tuple[Choice, ...]]:
    """What somebody chose, by purpose of the topics there are: for their own page."""
    market, locale = ports.register().market_of(person_id) or ("", "")
    opened = Opened(person_id, market, locale, None, None)
    purposes = dict.fromkeys(each.purpose for each in publication.current().policy.topics.values())
    return {purpose: tuple(_choices(opened, purpose)) for purpose in purposes}
