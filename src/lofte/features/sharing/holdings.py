"""What this room holds, and its side of `core.ports`."""

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from lofte.core import many, merging, ports, systems
from lofte.core.holdings import Holds, NotPersonal, Room, declare, register
from lofte.features.sharing import agreements, chores, doors, models, recalls
from lofte.features.sharing.disclosures import DOOR

_POLICY = NotPersonal("a key of the policy, or a word of the code")
_PAPER = NotPersonal("a document between companies or of an authority, sealed for the house; not searched for people")
_STAFF = NotPersonal("a staff member's number, or `endpoint`")
_WHEN = NotPersonal("when something was agreed, decided or done by staff")
_COMPANY = NotPersonal("the name of a company or an authority")
_REFERENCE = NotPersonal("random; given to the recipient with the data")
_SHARED = Holds("*", "dialogue")

declare(
    models.Agreement, recipient=_POLICY, partner=_COMPANY, services=_POLICY, purposes=_POLICY, fields=_POLICY, country=_POLICY,
    signed=_WHEN, expires=_WHEN, review_at=_WHEN, reviewer=_POLICY, without_payment=_POLICY, sealed_name=_PAPER, sealed=_PAPER,
    kind=_PAPER, digest=_PAPER, sealed_contact=NotPersonal("the address of a company's desk, sealed because it may name somebody"),
    endpoint=_COMPANY, sealed_secret=NotPersonal("what requests to the partner are signed with"), by=_STAFF, at=_WHEN,
    ended_at=_WHEN, warned_at=_WHEN, evidence_index=_WHEN,
)  # fmt: skip
declare(
    models.Disclosure, agreement=NotPersonal("the id of a row"), case=NotPersonal("the id of a row"), reference=_REFERENCE,
    recipient=_SHARED, name=_COMPANY, purpose=_POLICY, fields=_POLICY, basis=_POLICY, country=_POLICY, market=_POLICY,
    ground=_POLICY, law=_POLICY, promise=_POLICY,
    told=_SHARED, mail=NotPersonal("the id of a letter"), state=_SHARED, by=_STAFF, at=_SHARED,
    evidence_index=NotPersonal("a place in the evidence log"), handed_at=_SHARED, handed_by=_STAFF,
)  # fmt: skip
declare(
    models.Recall, what=_POLICY, reason=_POLICY, agreement=NotPersonal("the id of a row"), case=NotPersonal("the id of a row"),
    recipient=_POLICY, name=_COMPANY, reference=_REFERENCE, made_at=_WHEN, due=_WHEN, told_at=_WHEN, tellings=_WHEN,
    confirmed_at=_WHEN, confirmed_by=_STAFF,
)  # fmt: skip
declare(
    models.Case, reference=_REFERENCE, kind=_POLICY, recipient=_POLICY, name=_COMPANY, country=_POLICY, market=_POLICY,
    purpose=_POLICY, fields=_POLICY, relations=_POLICY, law=_POLICY, decision=NotPersonal("the number of a decision"),
    decided_on=_WHEN, sealed_name=_PAPER, sealed=_PAPER, file_kind=_PAPER, digest=_PAPER,
    sealed_contact=NotPersonal("the address of a company's desk, sealed because it may name somebody"), tells=_POLICY,
    state=_POLICY, notice_began=_WHEN, noticed_on=_WHEN, free_from=_WHEN, released_by=_STAFF, released_at=_WHEN,
    place=NotPersonal("how far a walk over people has come; empty again when it has ended"), counts=_WHEN, by=_STAFF, at=_WHEN,
    closed_at=_WHEN, evidence_index=_WHEN,
)  # fmt: skip
declare(
    models.Member, case=NotPersonal("the id of a row"), state=_SHARED, reason=_POLICY, noticed_at=_SHARED,
    mail=NotPersonal("the id of a letter"), disclosure=NotPersonal("the id of a row"),
)  # fmt: skip

_SHOWN = (
    "at", "recipient", "name", "purpose", "fields", "basis", "country", "ground", "law", "state", "handed_at", "evidence_index",
)  # fmt: skip


class _Agreements:
    """This room as `core.ports.Agreements`."""

    agreements_version = staticmethod(agreements.agreements_version)
    agreements = staticmethod(agreements.agreements)


class _Sharing:
    """This room as `core.ports.Sharing`."""

    restrict = staticmethod(recalls.restrict)

    def recall(self, person_id: UUID, reason: str, *, purpose: str = "") -> int:
        return recalls.recall(person_id, reason, purpose=purpose)

    def renew(self, person_id: UUID, fields: Iterable[str]) -> int:
        return recalls.renew(person_id, fields)


def _export(person_id: UUID) -> dict[str, Any]:
    """Who got what, when and why; and the cases that cover the person, with the purpose they may object to."""
    rows = models.Disclosure.objects.of(person_id).order_by("at")
    covered = (
        models.Member.objects.of(person_id).exclude(state=models.Member.State.LEFT_OUT).values_list("case", flat=True)
    )
    open_now = [models.Case.State.NOTICED, models.Case.State.RELEASED, models.Case.State.READY]
    mergers = models.Case.objects.filter(id__in=list(covered), kind=models.Case.Kind.MERGER, state__in=open_now)
    return {
        "disclosures": list(rows.values(*_SHOWN)),
        "transfers": list(mergers.order_by("at").values("name", "purpose", "fields", "country", "free_from", "state")),
    }


def _erase(person_id: UUID, hashes: frozenset[str]) -> dict[str, int]:
    """Before the rows go: whoever was given the data is told to erase it. What is owed to them knows a reference alone."""
    recalls.recall(person_id, "erasure")
    models.Case.objects.filter(place=person_id).update(place=None)
    return {}


def _erase_crowd(people: Mapping[UUID, frozenset[str]]) -> Mapping[UUID, Mapping[str, int]]:
    """The same for many: only those somebody was given data of are looked at one by one."""
    shared = (
        models.Disclosure.everyone.filter(person_id__in=many.among(people))
        .order_by()
        .values_list("person_id", flat=True)
        .distinct()
    )
    for person_id in list(shared):
        recalls.recall(person_id, "erasure")
    models.Case.objects.filter(place__in=many.among(people)).update(place=None)
    return {}


def _merge(keep: UUID, gone: UUID) -> dict[str, int]:
    """A case that covers both covers the one who stays."""
    covered = set(models.Member.objects.of(keep).values_list("case", flat=True))
    doubled = models.Member.objects.of(gone).filter(case__in=covered).values_list("id", flat=True)
    return {
        "sharing_disclosure": merging.move(models.Disclosure, keep, gone),
        "sharing_member": merging.move(models.Member, keep, gone, without=set(doubled)),
    }


ports.provide("agreements", _Agreements())
ports.provide("sharing", _Sharing())
systems.family(DOOR, doors.Door)
register(Room("sharing", export=_export, erase=_erase, merge=_merge, erase_crowd=_erase_crowd))

__all__ = ["chores"]  # imported for its duties
