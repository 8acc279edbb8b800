"""What people registered or asked for, from the rooms that keep it. What is left there when it has been forgotten is nothing."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal
from uuid import UUID

from lofte.features.outreach.events.models import Event, Registration
from lofte.features.outreach.materials import reads as materials
from lofte.features.outreach.materials.models import Material

Kind = Literal["event", "material"]
_OFFERED = 100


def offered(kind: Kind, locale: str) -> list[tuple[str, str]]:
    """What staff can choose among, the latest first: its id, and its title in a language or else in the first it has."""
    if kind == "event":
        events = Event.objects.exclude(state=Event.State.DRAFT).order_by("-starts_at")[:_OFFERED]
        return [(str(each.id), _title(each.contents, locale)) for each in events]
    published = Material.objects.filter(state=Material.State.PUBLISHED).order_by("-published_at")[:_OFFERED]
    return [(str(each.id), _title(each.words, locale)) for each in published]


def asked_of(kind: Kind, people: Sequence[UUID]) -> Mapping[UUID, frozenset[str]]:
    """Of each of these people, what they have a place at or asked for; who has nothing may be missing."""
    if kind == "material":
        asked = materials.asked_by(people)
        return {person: frozenset(str(each) for each in found) for person, found in asked.items()}
    rows = Registration.everyone.filter(person_id__in=list(people), state=Registration.State.REGISTERED)
    found: dict[UUID, set[str]] = {}
    for person, event in rows.values_list("person_id", "event_id"):
        found.setdefault(person, set()).add(str(event))
    return {person: frozenset(events) for person, events in found.items()}


def _title(words: Mapping[str, Any], locale: str) -> str:
    told: Mapping[str, Any] = words.get(locale) or next(iter(words.values()), {})
    return str(told.get("title", "")) or "–"
