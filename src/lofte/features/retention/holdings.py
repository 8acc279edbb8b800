"""What this room holds: holds on people, the questions they were asked, and plans that name them. Runs are about nobody."""

from typing import Any
from uuid import UUID

from lofte.core import ports
from lofte.core.holdings import Holds, NotPersonal, Room, declare, register
from lofte.core.merging import move
from lofte.features.retention import brake, holds, models, verbs, warnings

_RUN = NotPersonal("counts of a run, about nobody")
_LAW = NotPersonal("which law asks, in the words of the law")
_POLICY = NotPersonal("keys of the policy or words of the code")
_STAFF = NotPersonal("a staff member's number, or the name of a role")
_WHEN = Holds("*", "interest")

declare(
    models.Sweep, started_at=_RUN, finished_at=_RUN, people=_RUN, holdings=_RUN, erased=_RUN, left=_RUN, publication=_RUN,
    rules=_RUN, foreseen=_RUN, unwarned=_RUN, stop=_RUN,
)  # fmt: skip
declare(
    models.Hold, statute=_LAW, citation=_LAW, fields=_POLICY, purposes=_POLICY, market=_POLICY, until=_WHEN, review_at=_WHEN,
    reviewer=_STAFF, placed_by=_STAFF, placed_at=_WHEN, reviewed_at=_WHEN, released_by=_STAFF, released_at=_WHEN,
)  # fmt: skip
declare(
    models.Notice, clock=_POLICY, due_at=_WHEN, wait_until=_WHEN, state=_WHEN, mail=NotPersonal("the id of a letter's row"),
    warned_at=_WHEN, answered_at=_WHEN,
)  # fmt: skip
declare(
    models.Stop, at=_RUN, rules=_RUN, reason=_RUN, people=_RUN, registered=_RUN, foreseen=_RUN, state=_RUN, made_at=_RUN,
    approval=_RUN, asked_by=_STAFF, released_by=_STAFF, released_at=_RUN,
)  # fmt: skip
declare(models.Planned, stop=NotPersonal("the id of a plan"))


class _Retention:
    """This room as `core.ports.Retention`."""

    holds_of = staticmethod(holds.holds_of)
    held_fields = staticmethod(holds.held_fields)
    hold_rows = staticmethod(holds.hold_rows)
    graces_of = staticmethod(warnings.graces_of)
    answers_of = staticmethod(warnings.answers_of)


def _export(person_id: UUID) -> dict[str, Any]:
    """Why something is kept longer, and what the person was asked before something goes."""
    held = models.Hold.objects.filter(person_id=person_id).order_by("placed_at")
    asked = models.Notice.objects.of(person_id).order_by("warned_at")
    return {
        "holds": list(
            held.values("statute", "citation", "fields", "purposes", "until", "review_at", "placed_at", "released_at")
        ),
        "warnings": list(asked.values("clock", "due_at", "state", "warned_at", "answered_at")),
    }


def _merge(keep: UUID, gone: UUID) -> dict[str, int]:
    """Holds and answers follow the person. A plan that named the one who goes does not reach the one who stays."""
    twice = {
        row.id
        for row in models.Notice.objects.of(gone)
        if models.Notice.objects.of(keep).filter(clock=row.clock, due_at=row.due_at).exists()
    }
    models.Planned.objects.of(gone)._raw_delete(using="default")
    return {
        "retention_hold": models.Hold.objects.filter(person_id=gone).update(person_id=keep),
        "retention_notice": move(models.Notice, keep, gone, without=twice),
    }


ports.provide("retention", _Retention())
register(Room("retention", export=_export, merge=_merge))

__all__ = ["brake", "verbs"]
