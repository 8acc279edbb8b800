"""What this room holds: who asked for which material. Materials and their files are about nobody."""

from typing import Any
from uuid import UUID

from lofte.core import merging
from lofte.core.holdings import Holds, NotPersonal, Room, declare, register
from lofte.features.outreach.materials import models, reads

_POLICY = NotPersonal("a key of the policy, or a word of the code")
_STAFF = NotPersonal("written by staff for everybody, about nobody")
_ASKED = Holds("*", "interest")

declare(
    models.Material, slug=_STAFF, markets=_POLICY, words=_STAFF, files=NotPersonal("hashes of files"), form=_POLICY,
    downloads=_STAFF, state=_POLICY, by=NotPersonal("a staff member's number"), made_at=_STAFF, changed_at=_STAFF,
    published_at=_STAFF, withdrawn_at=_STAFF,
)  # fmt: skip
declare(
    models.File, digest=NotPersonal("the hash of a file"), name=_STAFF, media_type=_POLICY, size=_STAFF,
    by=NotPersonal("a staff member's number"), given_at=_STAFF,
)  # fmt: skip
declare(
    models.Grant, material_id=NotPersonal("the id of a material"), form=_POLICY, purpose=_POLICY, market=_POLICY,
    locale=Holds("*", "locale"), left=_ASKED, asked_at=_ASKED, ends_at=_ASKED, due_at=_ASKED, taken_at=_ASKED, times=_ASKED,
    counted_at=_ASKED,
)  # fmt: skip


def _export(person_id: UUID) -> dict[str, Any]:
    return {"materials": reads.of_person(person_id)}


def _merge(keep: UUID, gone: UUID) -> dict[str, int]:
    """Where both asked for the same material, the one whose link lives longer stands."""
    theirs = {row.material_id: row for row in models.Grant.objects.of(keep)}
    dropped: set[UUID] = set()
    for row in models.Grant.objects.of(gone):
        mine = theirs.get(row.material_id)
        if mine is not None and mine.ends_at < row.ends_at:
            models.Grant.objects.of(keep).filter(id=mine.id).delete()
        elif mine is not None:
            dropped.add(row.id)
    return {"materials_grant": merging.move(models.Grant, keep, gone, without=dropped)}


register(Room("materials", export=_export, merge=_merge))
