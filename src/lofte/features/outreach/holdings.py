"""What this room holds: sign-ups in waiting and deliveries. Campaigns are about nobody."""

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from lofte.core import holdings as registry
from lofte.core import many, merging, vault
from lofte.core.holdings import Holds, NotPersonal, Room, declare, register
from lofte.features.outreach import models, preferences, reads, sending

__all__ = ["preferences", "sending"]  # they declare an address and a duty
_POLICY = NotPersonal("a key or hash of the policy, or a word of the code")
_STAFF = NotPersonal("written by staff for everybody, about nobody")

declare(
    models.SignUp, sealed=Holds("newsletter", "*"), hash=Holds("newsletter", "email"), form=_POLICY, purpose=_POLICY,
    channel=_POLICY, shown=_POLICY, market=_POLICY,
    locale=Holds("newsletter", "locale"), wording=_POLICY, publication=_POLICY, asked_at=Holds("newsletter", "interest"),
    expires_at=Holds("newsletter", "interest"),
)  # fmt: skip
declare(
    models.Campaign, name=_STAFF, topic=_POLICY, purpose=_POLICY, markets=_POLICY, segment=NotPersonal("the id of a segment"),
    contents=_STAFF, state=_POLICY, by=NotPersonal("a staff member's number"), made_at=_STAFF, changed_at=_STAFF, due_at=_STAFF,
    started_at=_STAFF, sent_at=_STAFF, place=NotPersonal("how far the sending has come, by a random id"),
    step=_POLICY, looked=_POLICY, is_at_end=_POLICY, halted=_POLICY,
    patience=_STAFF, version=_POLICY,
)  # fmt: skip
declare(
    models.Delivery, campaign_id=NotPersonal("the id of a campaign"), mail_id=NotPersonal("the id of a letter"), state=_POLICY,
    reason=_POLICY, at=Holds("newsletter", "dialogue"),
)  # fmt: skip


def _export(person_id: UUID) -> dict[str, Any]:
    return {
        "deliveries": [
            {"issue": each.campaign_id, "state": each.state, "at": each.at} for each in reads.deliveries_of(person_id)
        ]
    }


def _erase(person_id: UUID, hashes: frozenset[str]) -> Mapping[str, int]:
    """Open sign-ups with an address of this person: they belong to provisional persons, so `person_id` does not reach them."""
    _forget_place([person_id])
    rows = models.SignUp.everyone.filter(hash__in=hashes).exclude(person_id=person_id)
    counts: dict[str, int] = {}
    for provisional in list(rows.values_list("person_id", flat=True)):
        vault.destroy_key(provisional)
        for table, count in registry.erase_rows(provisional).items():
            counts[table] = counts.get(table, 0) + count
    return counts


def _erase_crowd(people: Mapping[UUID, frozenset[str]]) -> dict[UUID, Mapping[str, int]]:
    """As `_erase`, for those of many people with an open sign-up."""
    _forget_place(people)
    hashes = frozenset().union(*people.values())
    there = set(
        models.SignUp.everyone.exclude(hash="").filter(hash__in=many.among_texts(hashes)).values_list("hash", flat=True)
    )
    return {each: _erase(each, mine) for each, mine in people.items() if there & mine}


def _forget_place(people: Iterable[UUID]) -> None:
    """A campaign that has come as far as somebody who goes: one before them is as good a place, and says nothing."""
    for row in models.Campaign.objects.filter(place__in=many.among(people)).only("id", "place"):
        before = UUID(int=row.place.int - 1) if row.place and row.place.int else None
        models.Campaign.objects.filter(pk=row.pk, place=row.place).update(place=before)


def _merge(keep: UUID, gone: UUID) -> dict[str, int]:
    """An issue that went to both counts once: it stands with the one who stays."""
    sent = set(models.Delivery.objects.of(keep).values_list("campaign_id", flat=True))
    doubled = models.Delivery.objects.of(gone).filter(campaign_id__in=sent).values_list("id", flat=True)
    return {
        "outreach_signup": merging.move(models.SignUp, keep, gone, sealed=["sealed"]),
        "outreach_delivery": merging.move(models.Delivery, keep, gone, without=set(doubled)),
    }


register(Room("outreach", export=_export, erase=_erase, merge=_merge, erase_crowd=_erase_crowd))
