"""One disclosure from decision to handing over. In this order, whoever it is for:

asked at the gate -> written down and owed to the log, with the letter to the person, in one transaction -> durable in the log ->
asked at the gate once more -> the values are read, with a look, and leave. Nothing leaves before the log has it.
"""

import base64
import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from lofte.core import actions, clock, obligations, outbox, ports, publication
from lofte.core.models import Mail, new_id
from lofte.core.models import Obligation as Owed
from lofte.core.retry import in_transaction
from lofte.features.sharing import agreements, gate, letters
from lofte.features.sharing.models import Agreement, Case, Disclosure
from lofte.kernel.instants import rfc3339
from lofte.kernel.problems import Place, Problem

State = Disclosure.State
TOLD = ("letter", "phone", "meeting")
"""How a person is told of a referral: by our letter, or in the conversation in which they asked for it."""
DOOR = "partner"
"""The family of systems that partners with an endpoint are (`core.systems.family`)."""


@dataclass(frozen=True, slots=True)
class Handed:
    """What leaves, as one JSON file."""

    reference: str
    content: bytes


# --- partners -------------------------------------------------------------------------------------------------------


def refer(
    person_id: UUID, recipient: str, purpose: str, fields: Iterable[str], by: str, *,
    partner: UUID | None = None, told: str = "letter",
) -> UUID:  # fmt: skip
    """Refer a person to a partner: decided, written down, and the person told. Returns the disclosure's id.

    ``partner`` names the agreement where the recipient has several. Nothing has left yet: an endpoint is served as soon as the log
    has it, without one somebody hands it over. Raises Problem `sharing.denied`, `sharing.which-partner`, `sharing.untold`,
    `sharing.no-values`, `sharing.twice`.
    """
    wanted = tuple(sorted(set(fields)))
    if told not in TOLD:
        raise Problem("sharing.untold", "the person must be told", Place(key="told"), law="GDPR 13(1)(e)", status=422)
    if not wanted:
        raise Problem("sharing.no-values", "nothing was chosen", Place(key="fields"), status=422)
    agreement = _agreement(recipient, partner, purpose, wanted)
    country = agreement.country if agreement else ""
    way = gate.WayOut(recipient, purpose, wanted, country, agreement)
    decided = gate.demand(person_id, way)
    if agreement is None:  # the gate has refused already: there is no way without an agreement
        raise Problem("sharing.denied", f"{recipient} has no agreement: no-agreement", law="GDPR 28(3)", status=403)
    _demand_new(person_id, agreement, purpose)
    held = ports.register().read(person_id, purpose, wanted, by=by)
    if missing := [each for each in wanted if not held.get(each)]:
        raise Problem(
            "sharing.no-values", "some of this is not held for the purpose", Place(key="fields"),
            expected=", ".join(missing), status=422,
        )  # fmt: skip
    return _write_referral(person_id, agreement, way, decided, by, told)


def choices(person_id: UUID, purpose: str) -> list[Agreement]:
    """The agreements a person could be referred under for a purpose: those that run, and open the gate for one field at least."""
    known = ports.register().market_of(person_id)
    market = known[0] if known else ""
    found = []
    for key, each in publication.current().policy.recipients.items():
        if each.markets and market not in each.markets:
            continue
        for row in agreements.running(key, purpose):
            way = gate.WayOut(key, purpose, tuple(row.fields), row.country, row)
            if gate.ask(person_id, way, market=market).allowed or any(
                gate.ask(person_id, gate.WayOut(key, purpose, (field,), row.country, row), market=market).allowed
                for field in row.fields
            ):
                found.append(row)
    return found


@in_transaction
def _write_referral(
    person_id: UUID, agreement: Agreement, way: gate.WayOut, decided: Any, by: str, told: str
) -> UUID:  # fmt: skip
    row_id = write(
        person_id, way, decided, name=agreement.partner, by=by, told=told,
        letter=letters.Referral(agreement.partner, tuple(agreement.services)) if told == "letter" else None,
    )  # fmt: skip
    _owe_delivery(person_id, agreement, row_id, way.purpose)
    return row_id


def _owe_delivery(person_id: UUID, agreement: Agreement, disclosure: UUID, purpose: str) -> None:
    """Where the partner has an endpoint, delivering is owed like any act in another system; only the row's id is sealed with it."""
    if agreement.endpoint:
        pairs = [("disclosure", str(disclosure))]
        obligations.owe_to(f"{DOOR}:{agreement.id}", Owed.What.SHARE, person_id, pairs, about=new_id(), purpose=purpose)


def owe_again(person_id: UUID, row: Disclosure) -> None:
    """Something that was handed over has changed here: it goes once more, or waits to be handed over once more."""
    if row.agreement:
        _owe_delivery(person_id, agreements.row_of(row.agreement), row.id, row.purpose)


def _agreement(recipient: str, partner: UUID | None, purpose: str, fields: tuple[str, ...]) -> Agreement | None:
    if partner is not None:
        row = agreements.row_of(partner)
        if row.recipient != recipient:
            raise Problem(
                "sharing.which-partner", "this agreement is with another recipient", Place(key="partner"), status=422
            )
        return row
    found = (
        agreements.running(recipient, purpose, fields)
        or agreements.running(recipient, purpose)
        or agreements.running(recipient)
    )
    if len(found) > 1:
        raise Problem(
            "sharing.which-partner", "several partners have an agreement: say which", Place(key="partner"), status=422
        )
    return found[0] if found else None


def _demand_new(person_id: UUID, agreement: Agreement, purpose: str) -> None:
    there = Disclosure.objects.of(person_id).filter(agreement=agreement.id, purpose=purpose, state=State.RECORDED)
    if there.exists():
        raise Problem(
            "sharing.twice", "this person is already on the way to this partner", Place(key="partner"), status=409
        )


# --- writing it down ------------------------------------------------------------------------------------------------


@in_transaction
def write(
    person_id: UUID, way: gate.WayOut, decided: Any, *, name: str, by: str, told: str, letter: letters.Kind | None
) -> UUID:  # fmt: skip
    """The row, the fact for the log and the letter, together. ``decided`` is what the gate answered."""
    policy, row_id = publication.current(), new_id()
    known = ports.register().market_of(person_id)
    market = known[0] if known else ""
    row = Disclosure(
        id=row_id, person_id=person_id, agreement=way.agreement.id if way.agreement else None,
        case=way.case.id if way.case else None,
        reference=reference(), recipient=way.recipient, name=name, purpose=way.purpose, fields=list(way.fields),
        basis=policy.policy.purposes[way.purpose].basis.value, country=way.country, market=market, ground=decided.reason,
        law=decided.law, promise=decided.promise, told=told, by=by, at=clock.now(),
    )  # fmt: skip
    if letter is not None:
        row.mail = letters.send(person_id, letter, row)
    row.save(force_insert=True)
    outbox.add("disclosure.decided", _fact(row), policy=policy.digest, person_id=person_id, about=row_id)
    actions.record("disclosure.decided", by, recipient=row.recipient, purpose=row.purpose)
    return row_id


def note_evidence(fact: outbox.Fact) -> None:
    """The decided disclosure stands in the log: from now on it may be handed over."""
    if fact.about is not None and fact.person_id is not None:
        rows = Disclosure.objects.of(fact.person_id).filter(id=fact.about)
        rows.update(evidence_index=fact.index)


def reference() -> str:
    """Ten letters and digits that people can read out; random, so that it says nothing by itself."""
    text = base64.b32encode(os.urandom(10)).decode()
    return f"{text[:5]}-{text[5:10]}"


def _fact(row: Disclosure) -> dict[str, Any]:
    fact = {
        "disclosure": str(row.id), "recipient": row.recipient, "purpose": row.purpose, "fields": row.fields, "basis": row.basis,
        "country": row.country, "market": row.market, "ground": row.ground, "law": row.law, "promise": row.promise,
        "told": row.told,
    }  # fmt: skip
    fact |= {"agreement": str(row.agreement)} if row.agreement else {}
    return fact | ({"case": str(row.case)} if row.case else {})


# --- handing over ---------------------------------------------------------------------------------------------------


@in_transaction
def hand_over(person_id: UUID, disclosure: UUID, *, by: str) -> Handed:
    """What leaves, in hand, and noted as handed over in the same transaction. A second time it is the same data, freshly read.

    Raises Problem `sharing.no-evidence` while the log has not got it, `sharing.denied`, `sharing.closed`, `sharing.unsent`.
    """
    row = one(person_id, disclosure)
    _demand_ready(row)
    way = way_of(row)
    gate.demand(person_id, way, market=row.market)
    values = _values(row, by)
    at = clock.now()
    moved = Disclosure.objects.of(person_id).filter(id=row.id, state=row.state, evidence_index__isnull=False)
    if not moved.update(state=State.HANDED_OVER, handed_at=at, handed_by=by):
        raise _closed()
    fact = {"disclosure": str(row.id), "recipient": row.recipient, "fields": sorted(values), "by": by.partition(":")[0]}
    outbox.add("disclosure.handed_over", fact, policy=publication.current().digest, person_id=person_id, about=row.id)
    actions.record("disclosure.handed_over", by, recipient=row.recipient, purpose=row.purpose)
    return Handed(row.reference, json.dumps(_letter(row, values, rfc3339(at)), ensure_ascii=False, indent=1).encode())


def one(person_id: UUID, disclosure: UUID) -> Disclosure:
    row: Disclosure | None = Disclosure.objects.of(person_id).filter(id=disclosure).first()
    if row is None:
        raise Problem("sharing.no-disclosure", "there is no such disclosure of this person", status=404)
    return row


@in_transaction
def cancel(person_id: UUID, disclosure: UUID, *, by: str) -> None:
    """It shall not go after all. What has left already is called back instead."""
    rows = Disclosure.objects.of(person_id).filter(id=disclosure, state=State.RECORDED, handed_at__isnull=True)
    if not rows.update(state=State.CANCELLED):
        raise _closed()
    outbox.add("disclosure.cancelled", {"disclosure": str(disclosure)}, person_id=person_id, about=disclosure)
    actions.record("disclosure.cancelled", by)


def way_of(row: Disclosure) -> gate.WayOut:
    agreement = agreements.row_of(row.agreement) if row.agreement else None
    case = Case.objects.filter(pk=row.case).first() if row.case else None
    if agreement is None and case is None:
        raise Problem(
            "sharing.denied",
            f"{row.recipient}: nothing on file lets this go: no-agreement",
            law="GDPR 5(1)(b)",
            status=403,
        )
    return gate.WayOut(row.recipient, row.purpose, tuple(row.fields), row.country, agreement, case)


def _demand_ready(row: Disclosure) -> None:
    if row.state not in (State.RECORDED, State.HANDED_OVER):
        raise _closed()
    if row.evidence_index is None:
        raise Problem(
            "sharing.no-evidence", "the log has not got this disclosure yet, and nothing leaves before", status=409,
            way_out="It is a matter of seconds; try again.",
        )  # fmt: skip
    if row.mail is not None:
        _demand_told(row.person_id, row.mail)


def _demand_told(person_id: UUID, mail: UUID) -> None:
    """The letter has left us: whoever it is about learns of it no later than the recipient does."""
    state = Mail.objects.of(person_id).filter(id=mail).values_list("state", flat=True).first()
    if state in (Mail.State.QUEUED, Mail.State.SENDING):
        raise Problem(
            "sharing.not-told-yet", "the letter to the person has not left yet, and nothing leaves before it does", status=409,
            law="GDPR 13(1)(e)", way_out="It goes within seconds when mail works; see Operation.",
        )  # fmt: skip
    if state is not None and state != Mail.State.SENT:
        raise Problem(
            "sharing.unsent", "the letter that tells the person could not be delivered", law="GDPR 13(1)(e)", status=409,
            way_out="Tell them another way, and refer them anew saying how they were told.",
        )  # fmt: skip


def _values(row: Disclosure, by: str) -> Mapping[str, str]:
    """For a case, the latest value whatever it was given for; for a partner, what is held for the purpose."""
    register = ports.register()
    read = register.gather if row.case else register.read
    return {field: value for field, value in read(row.person_id, row.purpose, row.fields, by=by).items() if value}


def _letter(row: Disclosure, values: Mapping[str, str], at: str) -> dict[str, Any]:
    policy = publication.current().policy
    market = policy.markets.get(row.market)
    controller = policy.controllers[market.controller].name if market else policy.organisation.name
    return {
        "lofte": "disclosure/1", "reference": row.reference, "from": controller, "to": row.name, "at": at, "purpose": row.purpose,
        "ground": row.ground, "law": row.law, "evidence": row.evidence_index, "values": dict(values),
        "terms": "Only for this purpose. When the reference is recalled, erase it and say so.",
    }  # fmt: skip


def _closed() -> Problem:
    return Problem("sharing.closed", "this disclosure was cancelled or called back, or somebody was faster", status=409)
