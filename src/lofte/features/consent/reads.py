"""Does this person agree, now?"""

from collections.abc import Mapping, Sequence
from uuid import UUID

from django.db.models import Exists, OuterRef

from lofte.core.models import Entry
from lofte.core.ports import Standing
from lofte.features.consent.models import Consent


def is_granted(person_id: UUID, purpose: str) -> bool:
    """Whether the latest event on this purpose is a grant."""
    said = (
        Consent.objects.of(person_id)
        .filter(purpose=purpose)
        .order_by("-ordinal")
        .values_list("action", flat=True)
        .first()
    )
    return bool(said == Consent.Action.GRANTED)


def standings(person_id: UUID) -> Mapping[str, Standing]:
    """The latest event of each purpose the person said anything about."""
    rows = Consent.objects.of(person_id).order_by("purpose", "ordinal").values_list("purpose", "action", "at")
    return {purpose: Standing(purpose, action, at) for purpose, action, at in rows}


def standings_of(people: Sequence[UUID]) -> Mapping[UUID, Mapping[str, Standing]]:
    """The same for many people at once; who said nothing is not in it."""
    rows = Consent.everyone.filter(person_id__in=people).order_by("person_id", "purpose", "ordinal")
    found: dict[UUID, dict[str, Standing]] = {}
    for person, purpose, action, at in rows.values_list("person_id", "purpose", "action", "at"):
        found.setdefault(person, {})[purpose] = Standing(purpose, action, at)
    return found


def events_of(person_id: UUID) -> list[Consent]:
    """The whole history, oldest first."""
    return list(Consent.objects.of(person_id).order_by("at", "ordinal"))


def entries_of(person_id: UUID) -> Mapping[UUID, int]:
    """Where in the evidence log each event is, by event id; those on their way are not in it."""
    rows = Entry.objects.of(person_id).filter(about__isnull=False).values_list("about", "index")
    return dict(rows)


def count_granted(purpose: str) -> int:
    """People whose consent to a purpose stands now."""
    later = Consent.everyone.filter(person_id=OuterRef("person_id"), purpose=purpose, ordinal__gt=OuterRef("ordinal"))
    granted = Consent.everyone.filter(purpose=purpose, action=Consent.Action.GRANTED)
    return granted.exclude(Exists(later)).count()


def record_counts() -> Mapping[str, int]:
    """Figures for the probe of P14: grants on file, those without wording, and those the log does not have yet."""
    grants = Consent.everyone.filter(action=Consent.Action.GRANTED)
    total, logged = grants.count(), Entry.everyone.filter(kind="consent.granted").count()
    return {"records": total, "without_wording": grants.filter(wording="").count(), "unlogged": max(total - logged, 0)}
