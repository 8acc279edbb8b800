"""Questions to this room: who may get what, what has left and on what ground, and what stands wrong. Nobody is named here."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Case as Case_
from django.db.models import Count, F, Max, Q, When
from django.db.models.functions import Coalesce, TruncDate

from lofte.core import publication
from lofte.core.country import countries_of
from lofte.features.sharing import agreements, cases
from lofte.features.sharing.models import Agreement, Case, Disclosure, Recall

State = Disclosure.State
_YEAR = timedelta(days=365)
_PURPOSE_BY_ROLE = {"authority": Case.Kind.AUTHORITY, "controller": Case.Kind.MERGER}


@dataclass(frozen=True, slots=True)
class Given:
    """One disclosure as lists show it: which, to whom, what for. About whom is on its own page, by a look."""

    id: UUID
    person_id: UUID
    reference: str
    recipient: str
    name: str
    purpose: str
    fields: tuple[str, ...]
    at: datetime
    state: str
    has_evidence: bool
    handed_at: datetime | None
    has_endpoint: bool
    case: UUID | None


@dataclass(frozen=True, slots=True)
class Party:
    """One recipient of the policy, as the map and the list show it."""

    id: str
    name: str
    role: str
    country: str
    countries: tuple[str, ...]
    markets: tuple[str, ...]
    purposes: tuple[str, ...]
    fields: tuple[str, ...]
    running: int
    ends: date | None
    given: int
    last: datetime | None


def parties(at: datetime) -> list[Party]:
    """Every recipient the policy declares, with what is on file and how much went there in the last year."""
    policy = publication.current().policy
    rows = [row for row in agreements.listed() if agreements.runs(row, at.date())]
    went = {
        str(each["recipient"]): each
        for each in Disclosure.everyone.filter(handed_at__gte=at - _YEAR)
        .values("recipient")
        .annotate(count=Count("id"), last=Max("handed_at"))
        .order_by()
    }
    found = []
    for key, each in policy.recipients.items():
        mine = [row for row in rows if row.recipient == key]
        systems = [system for system in policy.systems.values() if system.recipient == key]
        tags = [tag for tag in policy.tags.values() if tag.recipient == key]
        by_case = _PURPOSE_BY_ROLE.get(each.role, "")
        purposes = dict.fromkeys(
            [
                *(one for row in mine for one in row.purposes),
                *(tag.purpose for tag in tags),
                *filter(None, [by_case and cases.purpose_of(by_case)]),
            ]
        )
        fields = dict.fromkeys(
            [
                *(one for row in mine for one in row.fields),
                *(one for one_of in systems for one in one_of.fields),
                *(one for tag in tags for one in tag.data),
            ]
        )
        found.append(
            Party(
                id=key,
                name=each.name,
                role=each.role,
                country=each.country,
                countries=countries_of(policy, key),
                markets=tuple(each.markets),
                purposes=tuple(purposes),
                fields=tuple(fields),
                running=len(mine),
                ends=min((row.expires for row in mine), default=None),
                given=int(went[key]["count"]) if key in went else 0,
                last=went[key]["last"] if key in went else None,
            )
        )
    return found


def disclosures(states: tuple[str, ...] = (), limit: int = 100, *, agreement: UUID | None = None) -> list[Given]:
    """The latest disclosures under agreements (not those of cases, which show their own), newest first."""
    rows = Disclosure.everyone.filter(case__isnull=True)
    if states:
        rows = rows.filter(state__in=states)
    if agreement is not None:
        rows = rows.filter(agreement=agreement)
    with_endpoint = set(Agreement.objects.exclude(endpoint="").values_list("id", flat=True))
    return [_given(row, with_endpoint) for row in rows.order_by("-at")[:limit]]


def of_person(person_id: UUID) -> list[Given]:
    """What of one person went, or is on its way, to whom: without a value."""
    with_endpoint = set(Agreement.objects.exclude(endpoint="").values_list("id", flat=True))
    return [_given(row, with_endpoint) for row in Disclosure.objects.of(person_id).order_by("-at")]


def counts() -> dict[str, int]:
    """How many disclosures stand in each state, and how many recalls wait."""
    rows = Disclosure.everyone.filter(case__isnull=True).values("state").annotate(count=Count("id")).order_by()
    found = Counter({str(each["state"]): int(each["count"]) for each in rows})
    found["unconfirmed"] = Recall.objects.filter(confirmed_at__isnull=True).count()
    return dict(found)


def _given(row: Disclosure, with_endpoint: set[UUID]) -> Given:
    return Given(
        id=row.id, person_id=row.person_id, reference=row.reference, recipient=row.recipient, name=row.name, purpose=row.purpose,
        fields=tuple(row.fields), at=row.at, state=row.state, has_evidence=row.evidence_index is not None, handed_at=row.handed_at,
        has_endpoint=row.agreement in with_endpoint, case=row.case,
    )  # fmt: skip


# --- what probes ask ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Fault:
    """Disclosures that contradict what is promised: which kind of fault, by recipient, and how many."""

    kind: str
    recipient: str
    count: int


def faults(at: datetime) -> list[Fault]:
    """Everything that has left, judged by the rows alone, whoever wrote them.

    `no-evidence`: it left and the log has not got it. `no-ground`: neither agreement nor case. `not-agreed`: the agreement did not
    hold on that day, or says nothing of the purpose, a field or the country. `no-decision`, `one-signer`, `beyond-decision`: a case
    without document, released by fewer than two, or with more fields than it names. `no-notice`: a merger or sale before its day.
    `undeclared`: a recipient the policy does not know. `not-recalled`: a recall nobody was told of past its time.
    """
    found: Counter[tuple[str, str]] = Counter()
    on_file = {row.id: row for row in Agreement.objects.defer("sealed", "sealed_contact", "sealed_secret")}
    in_hand = {row.id: row for row in Case.objects.defer("sealed", "sealed_name", "sealed_contact")}
    bare = set(Case.objects.filter(Q(sealed__isnull=True) | Q(digest="")).values_list("id", flat=True))
    known = publication.current().policy.recipients
    for row in _left_by_kind():
        kinds = ["no-evidence"] if row["unlogged"] else []
        if row["recipient"] not in known:
            kinds.append("undeclared")
        kinds += _against(row, on_file, in_hand, bare)
        for kind in kinds:
            found[kind, row["recipient"]] += row["count"]
    late = Recall.objects.filter(Q(told_at__isnull=True) & Q(confirmed_at__isnull=True), due__lte=at)
    for row in late:
        found["not-recalled", row.recipient] += 1
    return [Fault(kind, recipient, count) for (kind, recipient), count in sorted(found.items())]


def _left_by_kind() -> Any:
    """What has left, counted by everything a promise asks of it: however much went, few rows come back."""
    left = Disclosure.everyone.filter(Q(state__in=[State.HANDED_OVER, State.RECALLED]) | Q(handed_at__isnull=False))
    told_apart = left.annotate(
        day=TruncDate(Coalesce("handed_at", "at")), unlogged=Case_(When(evidence_index__isnull=True, then=1), default=0)
    )
    asked = ("agreement", "case", "recipient", "purpose", "fields", "country", "day", "unlogged")
    return told_apart.values(*asked).annotate(count=Count("id")).order_by()


def _against(
    row: Mapping[str, Any], on_file: Mapping[UUID, Agreement], in_hand: Mapping[UUID, Case], bare: set[UUID]
) -> list[str]:  # fmt: skip
    day = row["day"]
    if row["agreement"] is not None and row["agreement"] in on_file:
        return [] if _was_agreed(row, on_file[row["agreement"]], day) else ["not-agreed"]
    if row["case"] is None or row["case"] not in in_hand:
        return ["no-ground"]
    case, kinds = in_hand[row["case"]], []
    if case.id in bare:
        kinds.append("no-decision")
    if len(set(case.released_by)) < 2:
        kinds.append("one-signer")
    if not set(row["fields"]) <= set(case.fields):
        kinds.append("beyond-decision")
    if case.kind == Case.Kind.MERGER and (case.free_from is None or day < case.free_from):
        kinds.append("no-notice")
    return kinds


def _was_agreed(row: Mapping[str, Any], agreement: Agreement, day: date) -> bool:
    ended = agreement.ended_at.date() if agreement.ended_at else date.max
    return (
        agreement.recipient == row["recipient"]
        and agreement.signed <= day <= min(agreement.expires, ended)
        and row["purpose"] in agreement.purposes
        and set(row["fields"]) <= set(agreement.fields)
        and row["country"] == agreement.country
        and bool(agreement.digest)
    )


def on_file(at: datetime) -> list[dict[str, Any]]:
    """Every agreement that runs, as a probe compares it with the promise: what is on file, and what is not."""
    return [
        {
            "agreement": row.id, "recipient": row.recipient, "purposes": tuple(row.purposes), "fields": tuple(row.fields),
            "country": row.country, "expires": row.expires, "has_document": bool(row.digest),
            "review_overdue": row.review_at < at.date(),
        }
        for row in agreements.listed()
        if agreements.runs(row, at.date())
    ]  # fmt: skip


def unlogged(at: datetime, longer_than: timedelta = timedelta(minutes=10)) -> int:
    """Disclosures that wait for the log longer than they should."""
    rows = Disclosure.everyone.filter(evidence_index__isnull=True, state=State.RECORDED, at__lte=at - longer_than)
    return rows.filter(at__lte=F("at")).count()


def cases_open() -> list[Case]:
    return [row for row in cases.listed() if row.state not in (Case.State.CLOSED, Case.State.WITHDRAWN)]
