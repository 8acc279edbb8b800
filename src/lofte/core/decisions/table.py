"""The compiled table: a publication, the agreements and the transfer tools on file, ready to answer in microseconds. Pure.

One table serves a whole process until the publication, an agreement or a tool changes; it is safe to share between threads.
Every way out asks `answer`, with the act `share`; whatever the table does not know is denied.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Literal
from zoneinfo import ZoneInfo

from lofte.core.country import OnFile, countries_of, may_leave
from lofte.core.decisions.deciding import Decision, decide, promise_of
from lofte.core.ports import Agreement, Standing
from lofte.rules.marketing import Approach, Channel, Who, may_approach
from lofte.rules.model import Recipient
from lofte.rules.packs import law_pack
from lofte.rules.published import Published
from lofte.rules.ruling import Ruling

EMPLOYMENT = frozenset({"recruitment", "employment"})
"""Purposes whose data is employment data: a listing must say that it covers it."""
_CHANNELS = {"email": Channel.EMAIL, "sms": Channel.SMS, "phone": Channel.LIVE_CALL, "post": Channel.POST}
_HAS_HOURS = frozenset({"phone"})  # the law may close the day for it
_REMEMBERED = 20_000  # judgements of recipient, market, country and day; a year of a busy house is far below


class Act(StrEnum):
    USE = "use"  # work with the data, here or in a system of ours
    SEND = "send"  # write to the person
    SHARE = "share"  # let the data leave for somebody else


@dataclass(frozen=True, slots=True)
class Question:
    """*May I use, send, share these fields for that purpose?*

    ``recipient`` is one of the policy's; without ``country`` every country it takes data to is asked. ``market`` is where the
    person is known: its controller is the exporter, its law pack the law. ``approach`` is what is known of the address a letter
    for marketing would go to, ``channel`` the one it goes over; a letter on a topic of the policy is for marketing without it.
    """

    act: Act
    purpose: str
    fields: frozenset[str]
    recipient: str = ""
    country: str = ""
    market: str = ""
    approach: Approach | None = None
    channel: str = "email"


@dataclass(frozen=True, slots=True)
class Case:
    """A decision of an authority, or a sale or merger, with its document on file, that lets fields leave to one recipient.

    ``released_by`` are the staff who released it, two different people. ``noticed`` is the day people were told that a merger or
    sale moves their data and ``free_from`` the first day after the notice period; an authority's case needs neither.
    """

    kind: Literal["authority", "merger"]
    recipient: str
    fields: frozenset[str]
    released_by: tuple[str, ...]
    noticed: date | None = None
    free_from: date | None = None

    def lacks(self, on: date) -> str:
        """What the case still lacks, empty when it lets data go."""
        if len(set(self.released_by)) < 2:
            return "case-not-released"
        if self.kind == "merger" and (self.noticed is None or self.free_from is None or on < self.free_from):
            return "case-notice-runs"
        return ""


_BY_CASE = {"authority": "GDPR 6(1)(c)", "merger": "GDPR 6(1)(f)"}
_BY_ROLE = {"processor": "GDPR 28(3)", "joint_controller": "GDPR 26(1)"}


def compiled(published: Published, agreements: Iterable[Agreement], on_file: Iterable[OnFile] = ()) -> "Table":
    """The table of a publication with what is on file. Costs milliseconds; `answer` then costs microseconds."""
    return Table(published, tuple(agreements), tuple(on_file))


@dataclass(slots=True)
class _Party:
    """A recipient, as the table needs it."""

    declared: Recipient
    countries: tuple[str, ...]
    agreements: tuple[Agreement, ...]
    held: frozenset[str]  # fields of the systems it runs for us, where it is our processor
    rulings: dict[tuple[str, str, int, bool], Ruling] = field(default_factory=dict)


class Table:
    """Answers questions about one publication and what was on file when it was compiled."""

    def __init__(self, published: Published, agreements: Sequence[Agreement], on_file: Sequence[OnFile]) -> None:
        policy = published.policy
        self._published = published
        self._on_file = {each: [one for one in on_file if one.recipient in ("", each)] for each in policy.recipients}
        self._parties = {
            name: _Party(
                declared,
                countries_of(policy, name),
                tuple(each for each in agreements if each.recipient == name),
                frozenset(each for system in policy.systems.values() if system.recipient == name for each in system.fields),
            )
            for name, declared in policy.recipients.items()
        }  # fmt: skip
        self._contact = frozenset(key for key, shape in policy.fields.items() if shape.category == "contact")
        self._fields = {key: frozenset(each.fields) for key, each in policy.purposes.items()}
        self._zones = {key: ZoneInfo(law_pack(each.law).zone) for key, each in policy.markets.items()}
        self._said: dict[tuple[str, str, str, str], Decision] = {}
        self._uses: dict[tuple[str, str, bool, bool], Decision] = {}
        self._packs = {key: law_pack(each.law) for key, each in policy.markets.items()}
        self._marketing = frozenset(each.purpose for each in policy.topics.values())
        self._approaches: dict[tuple[str, str, str, Approach | None, str, int], Decision] = {}

    def answer(
        self,
        question: Question,
        standings: Mapping[str, Standing],
        restricted: bool,
        at: datetime,
        *,
        case: Case | None = None,
    ) -> Decision:
        """Whether the question is allowed for a person who said this last; ``case`` for authorities, mergers and sales."""
        use = self._use(question, standings, restricted)
        if not use.allowed or question.act is Act.USE:
            return use
        if question.market and question.market not in self._published.policy.markets:
            return self._no(question, "unknown-market", "GDPR 5(1)(a)")
        if question.act is Act.SEND:
            return self._send(question, use, standings, at)
        return self._share(question, self._day(question.market, at), case)

    def _day(self, market: str, at: datetime) -> date:
        """The day it is where the exporter is: agreements and tools begin and end there."""
        return at.astimezone(self._zones.get(market, UTC)).date()

    # --- may it be used at all ----------------------------------------------------------------------------------------

    def _use(self, question: Question, standings: Mapping[str, Standing], restricted: bool) -> Decision:
        """As `decide`, remembered: of the fields it only matters whether the purpose has them all."""
        purpose = question.purpose
        said = standings[purpose].action if purpose in standings else ""
        known = self._fields.get(purpose)
        key = (purpose, said, restricted, known is None or question.fields <= known)
        found = self._uses.get(key)
        if found is None:
            if len(self._uses) > _REMEMBERED:
                self._uses = {}
            found = decide(self._published, purpose, question.fields, standings, restricted=restricted)
            self._uses[key] = found
        return found

    # --- may it be written to them ------------------------------------------------------------------------------------

    def _send(self, question: Question, use: Decision, standings: Mapping[str, Standing], at: datetime) -> Decision:
        """A letter needs an address; one for marketing also what the market's law asks beside the basis."""
        if not question.fields & self._contact:
            return self._no(question, "no-address", "GDPR 5(1)(c)")
        if question.approach is None and question.purpose not in self._marketing:
            return use
        if question.market not in self._packs:
            return self._no(question, "unknown-market", "GDPR 5(1)(a)")
        said = standings.get(question.purpose)
        word = "" if said is None else said.action
        if word == "granted" and said is not None and question.channel not in said.channels:
            return self._no(question, "no-consent", "GDPR 6(1)(a)")
        day = self._day(question.market, at).toordinal()
        key = (question.market, question.purpose, word, question.approach, question.channel, day)
        found = self._approaches.get(key)
        if found is None:
            found = self._by_law(question, use, word, at)
            if question.channel not in _HAS_HOURS:
                if len(self._approaches) > _REMEMBERED:
                    self._approaches = {}
                self._approaches[key] = found
        return found

    def _by_law(self, question: Question, use: Decision, word: str, at: datetime) -> Decision:
        """As `may_approach` says of the market, in the words of a decision. Consent needs no exception, yet has its conditions."""
        known = question.approach or Approach(
            _CHANNELS[question.channel], Who.NATURAL, optout_in_message=True, sender_shown=True, postal_address=True
        )
        asked = replace(
            known, channel=_CHANNELS[question.channel], has_consent=word == "granted", objected=word == "objected"
        )
        ruling = may_approach(self._packs[question.market], asked, at)
        if ruling.allowed and asked.has_consent:
            return use
        reason = ruling.reason.replace(".", "-").replace("_", "-")
        return self._remembered(question, ruling.allowed, reason, ruling.citation)

    # --- may it leave -------------------------------------------------------------------------------------------------

    def _share(self, question: Question, on: date, case: Case | None) -> Decision:
        """The denial, or the decision that says what lets it go."""
        party = self._parties.get(question.recipient)
        if party is None:
            return self._no(question, "undeclared-recipient", "GDPR 13(1)(e)")
        if question.market not in self._published.policy.markets:
            return self._no(question, "unknown-market", "GDPR 44")
        if party.declared.markets and question.market not in party.declared.markets:
            return self._no(question, "other-market", "GDPR 13(1)(e)")
        lacking, law, by = self._basis(question, party, on, case)
        if lacking:
            return self._no(question, lacking, law)
        countries = (question.country,) if question.country else party.countries
        for country in countries:
            if country not in party.countries:
                return self._no(question, "undeclared-country", "GDPR 13(1)(f)")
            ruling = self._ruling(question, party, country, on)
            if not ruling.allowed:
                return self._no(question, _reason_of(ruling), ruling.citation)
        return self._yes(question, by, law)

    def _basis(self, question: Question, party: _Party, on: date, case: Case | None) -> tuple[str, str, str]:
        """What is lacking (or nothing), the law, and what lets it go: an agreement, a case, or a system it runs for us."""
        role = party.declared.role
        law = _BY_ROLE.get(role, "GDPR 5(1)(b)")
        if case is not None:
            return self._by_case(question, case, on)
        if role == "authority":
            return "no-case", "GDPR 6(3)", ""
        if role == "processor" and party.held and question.fields <= party.held:
            return "", law, "processor"
        if not party.agreements:
            return "no-agreement", law, ""
        running = [each for each in party.agreements if each.holds(on)]
        if not running:
            return (
                "agreement-over" if any(each.signed <= on for each in party.agreements) else "agreement-not-begun",
                law,
                "",
            )
        for_this = [each for each in running if question.purpose in each.purposes]
        if not for_this:
            return "purpose-not-agreed", "GDPR 5(1)(b)", ""
        with_these = [each for each in for_this if question.fields <= each.fields]
        if not with_these:
            return "field-not-agreed", "GDPR 5(1)(c)", ""
        country = question.country or party.declared.country
        if not any(country == each.country for each in with_these):
            return "country-not-agreed", "GDPR 44", ""
        return "", law, "agreement"

    def _by_case(self, question: Question, case: Case, on: date) -> tuple[str, str, str]:
        role = self._parties[question.recipient].declared.role
        is_fitting = role == "authority" if case.kind == "authority" else role == "controller"
        if case.recipient != question.recipient or not is_fitting:
            return "case-of-another", "GDPR 5(1)(b)", ""
        if not question.fields <= case.fields:
            return "field-not-in-case", "GDPR 5(1)(c)", ""
        return case.lacks(on), _BY_CASE[case.kind], case.kind

    def _ruling(self, question: Question, party: _Party, country: str, on: date) -> Ruling:
        is_hr = question.purpose in EMPLOYMENT
        key = (question.market, country, on.toordinal(), is_hr)
        found = party.rulings.get(key)
        if found is None:
            if len(party.rulings) > _REMEMBERED:
                party.rulings = {}
            mine = self._on_file[question.recipient]
            found = may_leave(
                self._published.policy, mine, question.market, question.recipient, country, on, is_hr=is_hr
            )
            party.rulings[key] = found
        return found

    # --- saying so ----------------------------------------------------------------------------------------------------

    def _no(self, question: Question, reason: str, law: str) -> Decision:
        return self._remembered(question, False, reason, law)

    def _yes(self, question: Question, by: str, law: str) -> Decision:
        return self._remembered(question, True, by, law)

    def _remembered(self, question: Question, allowed: bool, reason: str, law: str) -> Decision:
        key = (question.purpose, question.recipient, reason, law)
        found = self._said.get(key)
        if found is None:
            if len(self._said) > _REMEMBERED:
                self._said = {}
            party = self._parties.get(question.recipient)
            role = party.declared.role if party else ""
            found = self._said[key] = Decision(
                allowed, reason, promise_of(self._published, question.purpose, reason, role), law
            )
        return found


def _reason_of(ruling: Ruling) -> str:
    """`transfers.listing_lapsed` -> `transfer-listing-lapsed`: the reason as other systems read it."""
    return "transfer-" + ruling.reason.removeprefix("transfers.").replace("_", "-")
