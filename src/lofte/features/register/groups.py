"""What many people have in common, for the rooms that choose among them: in as many statements for a thousand as for one."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from lofte.core import vault
from lofte.features.register import reads
from lofte.features.register.models import Holding, Relation, Signal


@dataclass(frozen=True, slots=True)
class Related:
    """An open relation: how the company knows somebody, in which market and language, and since when."""

    relation: str
    market: str
    locale: str
    since: datetime


def values_of(people: Sequence[UUID], purpose: str, fields: Iterable[str], *, by: str) -> dict[UUID, Mapping[str, str]]:
    """The latest value of each field held for a purpose. Everybody gets a look; whom the purpose may not see is not in it."""
    asked = sorted(set(fields))
    decided = reads.look(dict.fromkeys(people, asked), purpose, by=by)
    allowed = [each for each in people if decided[each].allowed]
    rows = list(Holding.everyone.filter(person_id__in=allowed, purpose=purpose, field__in=asked).order_by("since"))
    openers = vault.openers(list({row.person_id for row in rows}))
    found: dict[UUID, dict[str, str]] = {each: {} for each in allowed}
    for row in rows:
        if row.person_id in openers:  # who is being erased has no key any more
            found[row.person_id][row.field] = openers[row.person_id].open(row.id, row.sealed).decode()
    return dict(found)


def relations_of(people: Sequence[UUID]) -> dict[UUID, list[Related]]:
    """The open relations of each, the latest first; who has none is not in it."""
    rows = Relation.everyone.filter(person_id__in=list(people), ended_at__isnull=True).order_by("-started_at")
    found: dict[UUID, list[Related]] = {}
    for person, relation, market, locale, since in rows.values_list(
        "person_id", "relation", "market", "locale", "started_at"
    ):
        found.setdefault(person, []).append(Related(relation, market, locale, since))
    return found


def signals_of(people: Sequence[UUID]) -> dict[UUID, dict[str, datetime]]:
    """The latest interest of each kind that each of them showed."""
    found: dict[UUID, dict[str, datetime]] = {}
    rows = Signal.everyone.filter(person_id__in=list(people)).values_list("person_id", "kind", "at")
    for person, kind, at in rows:
        found.setdefault(person, {})[kind] = at
    return found
