"""What this room holds: inquiries and their history. The words of letters are the register's, under the clock of their purpose."""

import json
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from lofte.core import merging, vault
from lofte.core.holdings import HANDLE, Holds, NotPersonal, Room, declare, register
from lofte.features.outreach.inquiries import follow, intake, models

_POLICY = NotPersonal("a key of the policy, or a word of the code")
_STAFF = NotPersonal("a staff member's number, or the name of a role")
_WORK = NotPersonal("how far the work has come")
_ASKED = Holds("*", "dialogue")

declare(
    models.Inquiry, reference=NotPersonal("random, written only on letters about it"), kind=_ASKED, purpose=_POLICY, market=_POLICY,
    locale=Holds("*", "locale"), form=_POLICY, sealed=Holds("*", "*"), state=_WORK, outcome=_WORK, turn=_WORK, assignee=_STAFF,
    received_at=_ASKED, latest_at=_ASKED, due_on=_WORK, answered_at=_WORK, closed_at=_WORK, request=HANDLE,
)  # fmt: skip
declare(
    models.Step, inquiry=HANDLE, kind=_WORK, by=_STAFF, at=_ASKED, reason=_POLICY, dialogue=HANDLE, sealed=_ASKED, mail=HANDLE,
)  # fmt: skip
declare(
    models.ReplyAddress,
    hash=NotPersonal("the hash of random digits that were mailed to the person; goes with the inquiry"),
    inquiry=HANDLE,
)


def _export(person_id: UUID) -> dict[str, Any]:
    """Every inquiry with its history; words of letters are named by their holding, notes of ours are opened."""
    rows = list(models.Inquiry.objects.of(person_id).defer("sealed").order_by("received_at", "id"))
    steps = list(models.Step.objects.of(person_id).order_by("at", "id")) if rows else []
    notes = _notes(person_id, steps)
    return {"inquiries": [_shown(row, [each for each in steps if each.inquiry == row.id], notes) for row in rows]}


def _shown(row: models.Inquiry, steps: list[models.Step], notes: Mapping[UUID, str]) -> dict[str, Any]:
    said = [
        {
            "at": each.at, "kind": each.kind, "by": each.by, "reason": each.reason, "holding": each.dialogue,
            "words": notes.get(each.id, ""),
        }
        for each in steps
    ]  # fmt: skip
    return {
        "id": row.id, "reference": row.reference, "kind": row.kind, "purpose": row.purpose, "market": row.market,
        "state": row.state, "outcome": row.outcome, "received_at": row.received_at, "due": row.due_on,
        "closed_at": row.closed_at, "history": said,
    }  # fmt: skip


def _notes(person_id: UUID, steps: list[models.Step]) -> dict[UUID, str]:
    """What staff noted for themselves; the caller gives it to the person alone."""
    sealed = [each for each in steps if each.kind == "noted" and each.sealed is not None]
    key = vault.opener(person_id) if sealed else None
    return {each.id: json.loads(key.open(each.id, each.sealed or b""))["words"] for each in sealed} if key else {}


def _merge(keep: UUID, gone: UUID) -> dict[str, int]:
    return {
        "inquiries_inquiry": merging.move(models.Inquiry, keep, gone, sealed=["sealed"]),
        "inquiries_step": merging.move(models.Step, keep, gone, sealed=["sealed"]),
        "inquiries_replyaddress": merging.move(models.ReplyAddress, keep, gone),
    }


register(Room("inquiries", export=_export, merge=_merge))

__all__ = ["follow", "intake"]  # imported for their duties, and for what they take in
