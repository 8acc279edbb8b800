"""Tries every way out on a made-up person: to a partner, an authority, a successor. First what must be refused, then the whole way
with everything on file, to recipients that are made up as well: nothing leaves the house, and nobody else is touched.

Agreements and cases of a probe say so (``by``), have a contact in the canary's mailbox and no endpoint, and are gone afterwards.
"""

import json
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import transaction

from lofte.core import approvals, clock, obligations, roles, vault
from lofte.features.consent import verbs as consents
from lofte.features.register import reads as register_reads
from lofte.features.register import verbs as register
from lofte.features.sharing import agreements, cases, disclosures, gate, letters, recalls
from lofte.features.sharing import reads as sharing
from lofte.features.sharing.models import Agreement, Case, Disclosure, Member, Recall
from lofte.kernel.problems import Problem
from lofte.probes.instruments import at_large, customer
from lofte.probes.instruments.mailbox import Mailbox
from lofte.probes.instruments.staff import two_of_staff
from lofte.probes.world import World
from lofte.rules.controls._gates import Left, Passage, Way
from lofte.rules.model import Policy

BY = "probe"
_NOBODY = "probe-undeclared"
_PARTNER, _AUTHORITY, _SUCCESSOR = "Probe Partner", "Probe Authority", "Probe Successor"
_PAPER = ("probe.txt", b"A document that a probe made up to see whether one is asked for.")
_WAIT_S = 60.0
_DAY = timedelta(days=1)


@dataclass
class Tried:
    """What came of it, for each kind of way out that the policy has."""

    outside: Passage | None = None
    partner: Passage | None = None
    authority: Passage | None = None
    merger: Passage | None = None


@dataclass
class _Walk:
    world: World
    policy: Policy
    mailbox: Mailbox
    person_id: UUID
    market: str
    locale: str
    address: str
    staff: tuple[str, str]
    held: dict[str, frozenset[str]] = field(default_factory=dict)
    """The fields held, by purpose."""

    def parameters(self, control_id: str) -> dict[str, Any]:
        bound = (one for promise in self.policy.promises.values() for one in promise.controls)
        return next((dict(one.parameters) for one in bound if one.control == control_id), {})

    def recipient(self, control_id: str) -> str:
        """One of those the promise speaks of, in the canary's market; empty when there is none."""
        named = self.parameters(control_id).get("recipients", ())
        here = ((key, self.policy.recipients[key]) for key in named if key in self.policy.recipients)
        return next((key for key, one in here if not one.markets or self.market in one.markets), "")


def tried(world: World) -> Tried:
    """The trials of this round; made once, whoever asks first. Raises Unable without a mailbox."""
    return world.once("gates", lambda: _try(world))


def way(world: World, parameters: Mapping[str, Any], passage: Passage | None, faults: frozenset[str]) -> Way:
    """What was tried, beside what has left for the recipients a promise names and what is on file about them."""
    named, at = frozenset(parameters.get("recipients", ())), world.now()
    gone = Disclosure.everyone.filter(recipient__in=named, handed_at__isnull=False)
    return Way(
        passage=passage,
        left=tuple(
            Left(one.kind, one.recipient, one.count)
            for one in sharing.faults(at)
            if one.kind in faults and one.recipient in named
        ),
        used=gone.count(),
        lacking=tuple(sorted({str(one["recipient"]) for one in sharing.on_file(at) if _lacks(one, named, parameters)})),
    )


def _lacks(one: Mapping[str, Any], named: frozenset[str], parameters: Mapping[str, Any]) -> bool:
    """Whether an agreement that runs has no document, or names purposes the promise does not."""
    meant = frozenset(parameters.get("purposes", ()))
    return one["recipient"] in named and (not one["has_document"] or bool(meant and not set(one["purposes"]) <= meant))


def _try(world: World) -> Tried:
    mailbox = Mailbox(world.mailbox)
    at_large.erase_left_behind(world)
    _clear()
    market, locale = world.editions()[0]
    mark = secrets.token_hex(6)
    address = f"canary-{mark}@{world.canary_domain}"
    person_id = register.welcome()
    at_large.note(world, person_id)
    found = Tried()
    with two_of_staff("sharing.manage", "approvals.decide") as staff:
        try:
            walk = _Walk(world, world.published.policy, mailbox, person_id, market, locale, address, staff)
            _furnish(walk, mark)
            found.outside = _outside(walk)
            found.authority = _to_an_authority(walk)
            found.merger = _to_a_successor(walk)
            found.partner = _to_a_partner(walk)  # the last: it ends with the person's erasure, and the partner is told
            return found
        finally:
            at_large.erase(world, [person_id])
            _clear()
            mailbox.forget(address)


def _furnish(walk: _Walk, mark: str) -> None:
    """A whole customer in the market, with an address that letters reach."""
    values = customer.sample(mark, walk.address, f"Canary {mark.capitalize()}")
    customer.furnish(walk.policy, walk.person_id, values, walk.market, walk.locale)
    for row in register_reads.open_all(walk.person_id, "security", by=BY).values():
        walk.held[row.purpose] = walk.held.get(row.purpose, frozenset()) | {row.field}


# --- to nobody that is declared --------------------------------------------------------------------------------------


def _outside(walk: _Walk) -> Passage:
    """Whoever the policy does not name, or for what it does not say, gets nothing."""
    seen = _Seen()
    purpose = next(iter(walk.held), "")
    elsewhere = [key for key, one in walk.policy.recipients.items() if one.markets and walk.market not in one.markets]
    declared = [key for key, one in walk.policy.recipients.items() if key not in elsewhere]
    seen.must_refuse("recipient", _demand, walk, _NOBODY, purpose)
    for name in declared[:1]:
        seen.must_refuse("purpose", _demand, walk, name, _NOBODY)
    for name in elsewhere[:1]:
        seen.must_refuse("market", _demand, walk, name, purpose)
    bare = [
        name for name in declared if walk.policy.recipients[name].role != "processor" and not agreements.running(name)
    ]
    for name in bare[:1]:
        seen.must_refuse("nothing-on-file", _demand, walk, name, purpose)
    partner = walk.recipient("partners_agreed")
    if partner:
        seen.must_refuse("sold", _agree, walk, partner, without_payment=False)
    return seen.passage(done=seen.trials > 0)


def _demand(walk: _Walk, recipient: str, purpose: str) -> None:
    known = walk.policy.recipients.get(recipient)
    fields = tuple(sorted(walk.held.get(purpose, frozenset({"email"}))))[:1]
    gate.demand(
        walk.person_id, gate.WayOut(recipient, purpose, fields, known.country if known else ""), market=walk.market
    )


# --- to a partner -----------------------------------------------------------------------------------------------------


def _to_a_partner(walk: _Walk) -> Passage | None:
    recipient = walk.recipient("partners_agreed")
    meant = walk.parameters("partners_agreed").get("purposes", ())
    purpose = next((one for one in meant if one in walk.held), "")
    if not recipient or not purpose:
        return None
    seen, fields = _Seen(), sorted(walk.held[purpose])
    agreed, beyond = fields[:1], fields[1:2]
    over = _agree(walk, recipient, purposes=[purpose], fields=agreed, expires=clock.now().date() - _DAY)
    seen.must_refuse("expired", disclosures.refer, walk.person_id, recipient, purpose, agreed, BY, partner=over)
    runs = _agree(walk, recipient, purposes=[purpose], fields=agreed)
    if beyond:
        seen.must_refuse("field", disclosures.refer, walk.person_id, recipient, purpose, beyond, BY, partner=runs)
    others = [one for one in walk.held if one != purpose]
    for other in others[:1]:
        held = sorted(walk.held[other])[:1]
        seen.must_refuse("purpose", disclosures.refer, walk.person_id, recipient, other, held, BY, partner=runs)
    seen.must_refuse("untold", disclosures.refer, walk.person_id, recipient, purpose, agreed, BY, partner=runs, told="")
    made = disclosures.refer(walk.person_id, recipient, purpose, agreed, BY, partner=runs)
    given = _hand_over(walk, seen, made)
    seen.fields_beyond(given, agreed)
    seen.told = _is_told(walk, _PARTNER)
    row = disclosures.one(walk.person_id, made)
    at_large.erase(walk.world, [walk.person_id])
    seen.recalled = Recall.objects.filter(reference=row.reference, what=Recall.What.ERASE).exists()
    return seen.passage(done=given is not None)


def _agree(walk: _Walk, recipient: str, **otherwise: Any) -> UUID:
    """A made-up agreement on file; as any, with its document."""
    today, meant = clock.now().date(), walk.parameters("partners_agreed").get("purposes", ())
    purposes = [one for one in meant if one in walk.held]
    said: dict[str, Any] = {
        "recipient": recipient, "partner": _PARTNER, "services": [agreements.SERVICES[0]], "purposes": purposes,
        "fields": sorted(walk.held[purposes[0]])[:1] if purposes else [], "country": walk.policy.recipients[recipient].country,
        "signed": today - 30 * _DAY, "expires": today + _DAY, "reviewer": sorted(roles.declared())[0],
        "contact": walk.address, "document_name": _PAPER[0], "document": _PAPER[1], "without_payment": True,
    }  # fmt: skip
    said |= otherwise
    return agreements.record(agreements.Given(review_at=said["expires"], **said), by=BY)


# --- to an authority --------------------------------------------------------------------------------------------------


def _to_an_authority(walk: _Walk) -> Passage | None:
    control = "authority_decision_on_file"
    recipient, purpose = walk.recipient(control), str(walk.parameters(control).get("purpose", ""))
    if not recipient or purpose not in walk.policy.purposes:
        return None
    seen = _Seen()
    named, beyond = _some_fields(walk, purpose)
    seen.must_refuse("no-decision", _open, walk, Case.Kind.AUTHORITY, recipient, named, document=b"")
    seen.must_refuse("no-case", _demand_by, walk, recipient, purpose, named, None)
    case = _open(walk, Case.Kind.AUTHORITY, recipient, named)
    cases.add_person(case, walk.person_id, by=BY)
    seen.must_refuse("not-released", _demand_by, walk, recipient, purpose, named, cases.row_of(case))
    _release(walk, seen, case)
    if beyond:
        seen.must_refuse("field", _demand_by, walk, recipient, purpose, beyond, cases.row_of(case))
    given = _hand_over_case(walk, seen, case)
    seen.fields_beyond(given, named)
    return seen.passage(done=given is not None)


# --- to a successor ---------------------------------------------------------------------------------------------------


def _to_a_successor(walk: _Walk) -> Passage | None:
    """A sale of the business the canary is a customer of. Only the canary is told and named: the scope is never worked out."""
    control = "transfer_case_noticed"
    recipient, purpose = walk.recipient(control), str(walk.parameters(control).get("purpose", ""))
    if not recipient or purpose not in walk.policy.purposes:
        return None
    seen = _Seen()
    named, beyond = _some_fields(walk, purpose)
    case = _open(walk, Case.Kind.MERGER, recipient, named, relations=[customer.relation_of(walk.policy)])
    seen.must_refuse("no-notice", cases.ask_release, case, by=walk.staff[0])
    free_from = _announce_to(walk, case)
    seen.must_refuse("notice-runs", cases.ask_release, case, by=walk.staff[0])
    seen.told = _is_told(walk, _SUCCESSOR)
    promised = clock.now().date() + timedelta(days=_days(walk.parameters(control).get("notice", "P30D")))
    if free_from <= promised:
        seen.let_through.append("notice-too-short")
    # The period has run, on a day that is only supposed.
    Case.objects.filter(pk=case).update(noticed_on=clock.now().date() - 90 * _DAY, free_from=clock.now().date() - _DAY)
    seen.must_refuse("not-released", _demand_by, walk, recipient, purpose, named, cases.row_of(case))
    _release(walk, seen, case)
    if beyond:
        seen.must_refuse("field", _demand_by, walk, recipient, purpose, beyond, cases.row_of(case))
    seen.must_refuse("objected", _demand_after_objection, walk, recipient, purpose, named, case)
    given = _hand_over_case(walk, seen, case)
    seen.fields_beyond(given, named)
    return seen.passage(done=given is not None)


def _announce_to(walk: _Walk, case: UUID) -> Any:
    """What the duty does for everybody in a scope, for the canary alone; returns the day from which data may go."""
    today = clock.now().date()
    free_from = cases._free_from(today)
    with transaction.atomic():
        mail = letters.announce(walk.person_id, cases.row_of(case), free_from)
        Member.objects.create(
            person_id=walk.person_id, case=case, state=Member.State.NOTICED, noticed_at=clock.now(), mail=mail
        )
        Case.objects.filter(pk=case).update(
            state=Case.State.NOTICED, notice_began=clock.now(), noticed_on=today, free_from=free_from
        )
    return free_from


def _demand_after_objection(walk: _Walk, recipient: str, purpose: str, named: list[str], case: UUID) -> None:
    """Whoever says no stays; the no itself is taken back with the trial."""
    with transaction.atomic():
        consents.object_to(walk.person_id, purpose, method="portal")
        _demand_by(walk, recipient, purpose, named, cases.row_of(case))


def _days(period: str) -> int:
    return int(period[1:-1]) if period.endswith("D") and period[1:-1].isdecimal() else 0


# --- cases ------------------------------------------------------------------------------------------------------------


def _open(walk: _Walk, kind: str, recipient: str, fields: list[str], **otherwise: Any) -> UUID:
    said: dict[str, Any] = {
        "kind": kind, "recipient": recipient, "market": walk.market, "fields": fields, "law": "Löfte Probe 1 §",
        "decided_on": clock.now().date(), "document_name": _PAPER[0], "document": _PAPER[1], "decision": "Probe 1", "tells": False,
        "name": _AUTHORITY if kind == Case.Kind.AUTHORITY else _SUCCESSOR, "contact": walk.address,
    }  # fmt: skip
    return cases.begin(cases.Given(**(said | otherwise)), by=BY)


def _some_fields(walk: _Walk, purpose: str) -> tuple[list[str], list[str]]:
    """A field the case names, and one the purpose would allow but the case does not name."""
    held = sorted({one for fields in walk.held.values() for one in fields} & set(walk.policy.purposes[purpose].fields))
    return held[:1], held[1:2]


def _demand_by(walk: _Walk, recipient: str, purpose: str, fields: list[str], case: Case | None) -> None:
    country = walk.policy.recipients[recipient].country
    gate.demand(walk.person_id, gate.WayOut(recipient, purpose, tuple(fields), country, None, case), market=walk.market)


def _release(walk: _Walk, seen: "_Seen", case: UUID) -> None:
    """One asks; the same person in another session may not say yes; another one does."""
    first, second = walk.staff
    asked = cases.ask_release(case, by=first)
    seen.must_refuse("alone", approvals.decide, asked, first, True)
    approvals.decide(asked, second, True)


def _hand_over_case(walk: _Walk, seen: "_Seen", case: UUID) -> dict[str, str] | None:
    """The released case, carried on as the duty does; what left of the canary."""

    def carried() -> bool:
        cases.carry(clock.now())
        return cases.row_of(case).state == Case.State.READY

    if not _eventually(carried):
        return None
    handed = [json.loads(line) for line in cases.hand_over(case, by=BY)]
    row = Disclosure.objects.of(walk.person_id).filter(case=case).first()
    seen.logged = row is not None and row.evidence_index is not None
    return handed[0]["values"] if handed else None


def _hand_over(walk: _Walk, seen: "_Seen", made: UUID) -> dict[str, str] | None:
    """As soon as the log has it and the letter has gone; never before."""
    given: list[dict[str, str]] = []

    def handed() -> bool:
        was_logged = disclosures.one(walk.person_id, made).evidence_index is not None
        try:
            given.append(json.loads(disclosures.hand_over(walk.person_id, made, by=BY).content)["values"])
        except Problem as problem:
            if problem.code in ("sharing.no-evidence", "sharing.not-told-yet"):
                return False
            raise
        if not was_logged and disclosures.one(walk.person_id, made).evidence_index is None:
            seen.let_through.append("before-evidence")
        return True

    if not _eventually(handed):
        return None
    seen.logged = disclosures.one(walk.person_id, made).evidence_index is not None
    return given[0]


def _is_told(walk: _Walk, name: str) -> bool:
    return _eventually(lambda: any(name in one.text for one in walk.mailbox.letters_to(walk.address)))


# --- what is seen -----------------------------------------------------------------------------------------------------


@dataclass
class _Seen:
    trials: int = 0
    let_through: list[str] = field(default_factory=list)
    beyond: list[str] = field(default_factory=list)
    told: bool = True
    logged: bool = True
    recalled: bool = True

    def must_refuse(self, way: str, attempt: Callable[..., object], *given: Any, **named: Any) -> None:
        """Try it; what goes through is undone, and remembered."""
        self.trials += 1
        try:
            with transaction.atomic():
                attempt(*given, **named)
                raise _UndoneError
        except Problem:
            return
        except _UndoneError:
            self.let_through.append(way)

    def fields_beyond(self, given: dict[str, str] | None, named: list[str]) -> None:
        self.beyond = sorted(set(given or {}) - set(named))

    def passage(self, *, done: bool) -> Passage:
        return Passage(
            trials=self.trials, done=done, let_through=tuple(self.let_through), beyond=tuple(self.beyond), told=self.told,
            logged=self.logged, recalled=self.recalled,
        )  # fmt: skip


class _UndoneError(Exception):
    """Ends a transaction in which something was let through that should not have been."""


# --- around it --------------------------------------------------------------------------------------------------------


def _clear() -> None:
    """What probes put on file, this round's and a killed one's."""
    mine = list(Agreement.objects.filter(by=BY).values_list("id", flat=True))
    opened = list(Case.objects.filter(by=BY).values_list("id", flat=True))
    for row in [*Recall.objects.filter(agreement__in=mine), *Recall.objects.filter(case__in=opened)]:
        recalls.confirm(row.id, by=BY)
        obligations.forget(row.id)
        vault.destroy_key(row.id, forever=False)
        row.delete()
    Member.everyone.filter(case__in=opened).delete()
    Case.objects.filter(id__in=opened).delete()
    Agreement.objects.filter(id__in=mine).delete()


def _eventually(is_so: Callable[[], bool], timeout_s: float = _WAIT_S) -> bool:
    until = time.monotonic() + timeout_s
    while not is_so():
        if time.monotonic() > until:
            return False
        time.sleep(0.1)
    return True
