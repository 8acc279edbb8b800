"""What this room holds, and its side of `core.ports`."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from lofte.core import ports
from lofte.core.holdings import Holds, NotPersonal, Room, declare, register
from lofte.features.rights import (
    asked,
    erasure,
    follow,
    merging,
    models,
    own_acts,
    requests,
    restriction,
    together,
    verbs,
)

_POLICY = NotPersonal("a key of the policy")
_WORK = NotPersonal("how far the work has come; counts and names of tables, never values")
_WHEN = NotPersonal("when work was done, about nobody once it is")

declare(models.Ask, sealed=Holds("rights", "email"), market=_POLICY, locale=_POLICY, asked_at=_WHEN)
declare(
    models.Correction, holding_id=NotPersonal("the id of a row"), sealed=Holds("rights", "email"),
    asked_at=Holds("rights", "dialogue"), expires_at=Holds("rights", "dialogue"),
)  # fmt: skip
declare(
    models.Erasure, subject=Holds("erasure", "handle"), by=NotPersonal("person, sweep or a staff member's number"), state=_WORK,
    sealed=Holds("erasure", "*"), indexes=NotPersonal("places in the evidence log, forgotten when they are shredded"), counts=_WORK,
    residue=_WORK, kept=_WORK, elsewhere=_WORK, searched=_WORK, evidence_index=_WORK,
    started_at=_WHEN, finished_at=_WHEN, next_at=_WHEN, hand=NotPersonal("the id of a batch or of a search"),
)  # fmt: skip

declare(
    models.Request, reference=NotPersonal("random, written only on letters about it"),
    subject=Holds("rights", "handle"), owner=NotPersonal("whose vault key seals the row"),
    sealed=Holds("rights", "email"), hash=Holds("rights", "email"), right=Holds("rights", "dialogue"),
    purpose=_POLICY, channel=_POLICY, market=_POLICY, locale=Holds("rights", "locale"), law=_POLICY,
    by=NotPersonal("person, system or a staff member's number"), state=_WORK, outcome=_WORK, ends_itself=_WORK, turn=_WORK,
    assignee=NotPersonal("a staff member's number or the name of a role"),
    received_at=Holds("rights", "dialogue"), identified_at=_WHEN, extended_at=_WHEN, closed_at=_WHEN, due_on=_WHEN,
    notice_by=_WHEN, noted_at=_WHEN,
)  # fmt: skip
declare(
    models.Step, request=NotPersonal("the id of a row"), kind=_WORK, by=NotPersonal("person, system or a staff member's number"),
    at=_WHEN, reason=NotPersonal("one of a few words of the code, a staff member's number or the name of a role"),
    sealed=Holds("rights", "dialogue"), about=NotPersonal("the id of a row"),
)  # fmt: skip
declare(
    models.Restriction, request=NotPersonal("the id of a row"), by=NotPersonal("person or a staff member's number"),
    since=Holds("rights", "dialogue"), told_at=Holds("rights", "dialogue"), lifted_at=Holds("rights", "dialogue"),
)  # fmt: skip


class _Eraser:
    """This room as `core.ports.Eraser`."""

    erase = staticmethod(verbs.erase)
    begin = staticmethod(erasure.begin)
    begin_crowd = staticmethod(together.begin)
    resume = staticmethod(verbs.resume)


class _Restrictions:
    """This room as `core.ports.Restrictions`."""

    is_restricted = staticmethod(restriction.is_restricted)
    restricted_of = staticmethod(restriction.restricted_of)


def _export(person_id: UUID) -> dict[str, Any]:
    """When the data was restricted; requests are gathered with their words by `gathering`."""
    rows = models.Restriction.objects.of(person_id).order_by("since")
    return {"restrictions": list(rows.values("since", "told_at", "lifted_at", "by"))}


def _erase(person_id: UUID, hashes: frozenset[str]) -> dict[str, int]:
    """Requests are kept as bare records (what, when, how it ended) without the person and their words."""
    order = models.Erasure.objects.filter(subject=person_id).values_list("id", flat=True).first()
    own_acts.forget_person(person_id, order, hashes)
    return {}


def _erase_crowd(people: Mapping[UUID, frozenset[str]]) -> Mapping[UUID, Mapping[str, int]]:
    """The few of them who asked for something, or somebody did from their address."""
    hashes = frozenset().union(*people.values())
    for person_id in own_acts.who_asked(people, hashes):
        _erase(person_id, people[person_id])
    return {}


ports.provide("eraser", _Eraser())
ports.provide("restrictions", _Restrictions())
ports.provide("asking", asked)
ports.provide("requests", requests)
register(Room("rights", export=_export, erase=_erase, merge=merging.merge, erase_crowd=_erase_crowd))

__all__ = ["follow"]  # imported for its duties
