"""Does this person agree, now?"""

from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

from django.db.models import Exists, OuterRef, Q

from lofte.core import many
from lofte.core.models import Entry
from lofte.core.ports import Standing
from lofte.features.consent.models import Consent

ALL, EMAIL = "", "email"


def is_granted(person_id: UUID, purpose: str, channel: str = EMAIL) -> bool:
    """Whether the latest event on this purpose and channel is a grant."""
    latest = by_channel(Consent.objects.of(person_id).filter(purpose=purpose).order_by("ordinal"))
    said = latest.get(channel)
    return said is not None and said.action == Consent.Action.GRANTED


def purpose_of(person_id: UUID, event: UUID) -> str:
    """What an event of somebody is about; empty when there is no such event."""
    return Consent.objects.of(person_id).filter(pk=event).values_list("purpose", flat=True).first() or ""


def is_standing(person_id: UUID, event: UUID) -> bool:
    """Whether an event is a grant that nothing has taken back since."""
    said = Consent.objects.of(person_id).filter(pk=event).first()
    return said is not None and is_granted(person_id, said.purpose, said.channel)


def by_channel(events: Iterable[Consent]) -> dict[str, Consent]:
    """The latest event of each channel, from the events of one person and purpose in order. What speaks of all speaks of each.

    Under `ALL` stands the latest event that spoke of all.
    """
    latest: dict[str, Consent] = {}
    for event in events:
        if event.channel == ALL:
            latest = dict.fromkeys([*latest, ALL], event)
        else:
            latest[event.channel] = event
    return latest


def standing(events: Sequence[Consent]) -> Standing:
    """What one person said of one purpose, from all events on it in order: granted while any channel is."""
    granted = {channel: each for channel, each in by_channel(events).items() if each.action == Consent.Action.GRANTED}
    last = max(granted.values(), key=lambda each: each.ordinal) if granted else events[-1]
    return Standing(last.purpose, last.action, last.at, frozenset(granted))


def standings(person_id: UUID) -> Mapping[str, Standing]:
    """What the person said of each purpose they said anything about."""
    return standings_of([person_id]).get(person_id, {})


def standings_of(people: Sequence[UUID]) -> Mapping[UUID, Mapping[str, Standing]]:
    """The same for many people at once; who said nothing is not in it."""
    events: dict[UUID, dict[str, list[Consent]]] = {}
    rows = Consent.everyone.filter(person_id__in=many.among(people)).order_by("person_id", "purpose", "ordinal")
    for row in rows.only("person_id", "purpose", "channel", "ordinal", "action", "at"):
        events.setdefault(row.person_id, {}).setdefault(row.purpose, []).append(row)
    return {person: {purpose: standing(said) for purpose, said in mine.items()} for person, mine in events.items()}


def events_of(person_id: UUID) -> list[Consent]:
    """The whole history, oldest first."""
    return list(Consent.objects.of(person_id).order_by("at", "ordinal"))


def entries_of(person_id: UUID) -> Mapping[UUID, int]:
    """Where in the evidence log each event is, by event id; those on their way are not in it."""
    rows = Entry.objects.of(person_id).filter(about__isnull=False).values_list("about", "index")
    return dict(rows)


def count_granted(purpose: str, channel: str = EMAIL) -> int:
    """People whose consent to a purpose over a channel stands now."""
    about = Q(channel__in=(channel, ALL))
    later = Consent.everyone.filter(
        about, person_id=OuterRef("person_id"), purpose=purpose, ordinal__gt=OuterRef("ordinal")
    )
    granted = Consent.everyone.filter(purpose=purpose, channel=channel, action=Consent.Action.GRANTED)
    return granted.exclude(Exists(later)).count()


def record_counts() -> Mapping[str, int]:
    """Figures for the probe of P14: grants on file, those without wording, and those the log does not have yet."""
    grants = Consent.everyone.filter(action=Consent.Action.GRANTED)
    total, logged = grants.count(), Entry.everyone.filter(kind="consent.granted").count()
    return {"records": total, "without_wording": grants.filter(wording="").count(), "unlogged": max(total - logged, 0)}
