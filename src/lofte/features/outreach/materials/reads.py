"""Questions about materials: for their pages, for staff, for the person, and for whoever asks whether the promise is kept."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Count, F, OuterRef, Q, Subquery

from lofte.core import publication
from lofte.features.outreach.materials import terms
from lofte.features.outreach.materials.models import File, Grant, Material

State = Material.State


@dataclass(frozen=True, slots=True)
class Numbers:
    """How many people asked and how many of them were given the file. None where the group is too small to be told."""

    asked: int | None
    taken: int | None


def on_offer(market: str, locale: str) -> list[Material]:
    """What can be asked for in a market and language, the latest first; not that on which a probe tries things out."""
    rows = Material.objects.filter(state=State.PUBLISHED).exclude(by="probe").order_by("-published_at", "slug")
    return [row for row in rows if market in row.markets and row.words.get(locale, {}).get("title")]


def listed(limit: int = 200) -> list[Material]:
    """Everything staff have written: drafts first, then what is offered, then what was taken back."""
    order = {State.DRAFT: 0, State.PUBLISHED: 1, State.WITHDRAWN: 2}
    rows = list(Material.objects.order_by("-changed_at")[:limit])
    return sorted(rows, key=lambda row: order[State(row.state)])


def files_of(rows: Sequence[Material]) -> Mapping[str, File]:
    """The files of some materials, by digest."""
    return File.objects.in_bulk([digest for row in rows for digest in row.files.values()])


def numbers(material_ids: Sequence[UUID]) -> Mapping[UUID, Numbers]:
    """Counts of people by material, as far as grants are remembered."""
    rows = Grant.everyone.filter(material_id__in=list(material_ids)).order_by().values("material_id")
    counted = rows.annotate(asked=Count("id"), taken=Count("id", filter=Q(taken_at__isnull=False)))
    found = {each["material_id"]: Numbers(_told(each["asked"]), _told(each["taken"])) for each in counted}
    return {each: found.get(each, Numbers(0, 0)) for each in material_ids}


def _told(count: int) -> int | None:
    """A number about fewer people than the policy's smallest group says too much about each of them."""
    return count if count == 0 or count >= publication.current().policy.outreach.smallest_group else None


# --- for campaigns --------------------------------------------------------------------------------------------------


def people_asking(material_id: UUID, after: UUID | None, limit: int) -> list[UUID]:
    """Who asked for a material, in order of id; pass the last one to go on. That they asked is no consent to anything."""
    rows = Grant.everyone.filter(material_id=material_id)
    if after is not None:
        rows = rows.filter(person_id__gt=after)
    return list(rows.order_by("person_id").values_list("person_id", flat=True)[:limit])


def asked_by(people: Sequence[UUID]) -> Mapping[UUID, frozenset[UUID]]:
    """Which materials each of these people asked for."""
    found: dict[UUID, set[UUID]] = {each: set() for each in people}
    rows = Grant.everyone.filter(person_id__in=list(people))
    for person_id, material_id in rows.values_list("person_id", "material_id"):
        found[person_id].add(material_id)
    return {each: frozenset(materials) for each, materials in found.items()}


# --- for the person -------------------------------------------------------------------------------------------------


def of_person(person_id: UUID) -> list[dict[str, Any]]:
    """What somebody asked for, the latest first."""
    words = Material.objects.filter(pk=OuterRef("material_id")).values("words")
    rows = Grant.objects.of(person_id).annotate(words=Subquery(words)).order_by("-asked_at")
    return [_shown(row, row.words or {}) for row in rows]


def _shown(row: Grant, words: Mapping[str, Mapping[str, str]]) -> dict[str, Any]:
    said = words.get(row.locale, {})
    return {
        "id": row.id, "material": row.material_id, "title": said.get("title", ""), "purpose": row.purpose, "form": row.form,
        "asked_at": row.asked_at, "ends_at": row.ends_at, "taken_at": row.taken_at, "times": row.times, "due": row.due_at,
    }  # fmt: skip


# --- for the promise ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Faults:
    """What contradicts the promise, counted in the rows themselves; nothing anywhere is how it should be."""

    too_long: int  # links that live longer than promised
    of_withdrawn: int  # links that live although the material was taken back
    overdue: int  # grants that should have been forgotten


def faults(at: datetime) -> Faults:
    live = Grant.everyone.filter(ends_at__gt=at)
    offered = Material.objects.filter(state=State.PUBLISHED).values("id")
    return Faults(
        too_long=live.filter(ends_at__gt=F("asked_at") + terms.link_lasts()).count(),
        of_withdrawn=live.exclude(material_id__in=offered).count(),
        overdue=Grant.everyone.filter(due_at__lte=at).count(),
    )
