"""Holds: a reason in law to keep some fields longer than their clocks say. Placed by name of a statute, with an end or a review.

A hold that names no statute is refused, and so is one whose end has passed or that says neither when it ends nor when somebody
looks at it again. One past its end keeps nothing any more; one past its review is reported until somebody looked.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Q, QuerySet

from lofte.core import actions, clock, many, outbox, ports, publication, roles
from lofte.core.models import Person
from lofte.core.retry import in_transaction
from lofte.core.tasks import duty
from lofte.features.retention.models import Hold
from lofte.kernel.instants import rfc3339
from lofte.kernel.problems import Place, Problem

STATUTES: Mapping[str, str] = {
    "accounting": "GDPR 17(3)(b)",
    "tax": "GDPR 17(3)(b)",
    "employment": "GDPR 17(3)(b)",
    "decision": "GDPR 17(3)(b)",
    "claims": "GDPR 17(3)(e)",
}
"""What kind of law may keep data although its clock has struck, and where the GDPR lets it."""
LONGEST_REVIEW = timedelta(days=366)
_LONGEST_CITATION = 160


@in_transaction
def place(
    person_id: UUID | None, statute: str, citation: str, *, by: str, reviewer: str, fields: Iterable[str] = (),
    purposes: Iterable[str] = (), market: str = "", until: datetime | None = None, review_at: datetime | None = None,
) -> UUID:  # fmt: skip
    """Keep these fields for these purposes (none named: all) of one person, or of everybody in a market. Returns the hold's id.

    Raises Problem `hold.no-statute`, `hold.no-end`, `hold.past`, `hold.undeclared`, `hold.too-wide`, `hold.nobody`.
    """
    at = clock.now()
    asked, kept = sorted(set(fields)), sorted(set(purposes))
    _refuse_lawless(statute, citation, reviewer)
    _refuse_endless(until, review_at, at)
    _refuse_undeclared(asked, kept, market)
    if person_id is None and not kept:
        raise Problem(
            "hold.too-wide", "a hold on everybody names the purposes it is for", Place(key="purposes"), law="GDPR 5(1)(c)",
            status=422,
        )  # fmt: skip
    if person_id is not None and not Person.objects.filter(pk=person_id).exists():
        raise Problem("hold.nobody", "there is no such person", status=404)
    row = Hold.objects.create(
        person_id=person_id, market=market if person_id is None else "", statute=statute, citation=citation.strip(), fields=asked,
        purposes=kept, until=until, review_at=review_at, reviewer=reviewer, placed_by=by, placed_at=at,
    )  # fmt: skip
    _tell("hold.placed", row, by)
    if person_id is not None:
        ports.register().refresh_due(person_id)
    return row.id


@in_transaction
def release(hold_id: UUID, by: str) -> None:
    """Nothing is kept for this reason any more; the clocks go on where they would be. Releasing it again changes nothing."""
    row = _row(hold_id)
    if Hold.objects.filter(pk=hold_id, released_at__isnull=True).update(released_at=clock.now(), released_by=by):
        _tell("hold.released", row, by)
        if row.person_id is not None:
            ports.register().refresh_due(row.person_id)


@in_transaction
def review(hold_id: UUID, review_at: datetime, by: str) -> None:
    """Somebody looked and found that the hold still stands; they say when it is looked at again."""
    row, at = _row(hold_id), clock.now()
    _refuse_endless(None, review_at, at)
    if Hold.objects.filter(pk=hold_id, released_at__isnull=True).update(review_at=review_at, reviewed_at=at):
        _tell("hold.reviewed", row, by)


# --- questions ------------------------------------------------------------------------------------------------------


def holds_of(people: Sequence[UUID] | UUID) -> Mapping[UUID, Sequence[ports.HeldBack]]:
    """The holds on each of these people, the general ones among them. Whether an end has passed is for the clock to say."""
    named = [people] if isinstance(people, UUID) else list(people)
    found: dict[UUID, list[ports.HeldBack]] = {each: [] for each in named}
    general: list[ports.HeldBack] = []
    for row in _standing().filter(Q(person_id__in=many.among(named)) | Q(person_id__isnull=True)):
        (general if row.person_id is None else found[row.person_id]).append(_seen(row))
    if general:
        for person in named:
            found[person] += general
    return found


def held_fields(person_id: UUID, at: datetime) -> frozenset[tuple[str, str]]:
    """What holds keep of a person at an instant, as (purpose, field); ``*`` stands for all."""
    return frozenset(
        (purpose, field)
        for each in holds_of(person_id)[person_id]
        if each.until is None or each.until > at
        for purpose in each.purposes or ("*",)
        for field in each.fields or ("*",)
    )


def hold_rows(person_id: UUID) -> frozenset[UUID]:
    """The holds on this very person that stand: they stay with what they keep when the person is erased."""
    return frozenset(_standing().filter(person_id=person_id).values_list("id", flat=True))


def standing() -> list[Hold]:
    """Every hold that stands, those that must be looked at first."""
    return sorted(_standing(), key=lambda row: row.review_at or row.until or row.placed_at)


def one(hold_id: UUID) -> Hold:
    return _row(hold_id)


def past_review(at: datetime) -> list[Hold]:
    """Holds nobody has looked at in time."""
    rows = _standing().filter(review_at__lte=at).filter(Q(until__isnull=True) | Q(until__gt=at))
    return list(rows.order_by("review_at"))


def past_end(at: datetime) -> list[Hold]:
    """Holds whose end has passed and that nobody has taken away: they keep nothing any more."""
    return list(_standing().filter(until__lte=at).order_by("until"))


def lawless() -> list[Hold]:
    """Holds that stand and name no statute, or neither an end nor a review: somebody wrote past the verbs."""
    return [
        row
        for row in _standing()
        if row.statute not in STATUTES or not row.citation.strip() or (row.until is None and row.review_at is None)
    ]


def version() -> str:
    """Changes whenever a general hold is placed, ends or is released: everybody's deadlines are then worked out anew."""
    rows = Hold.objects.filter(person_id__isnull=True, released_at__isnull=True).order_by("id")
    names = ",".join(str(each) for each in rows.values_list("id", flat=True))
    return hashlib.sha256(names.encode()).hexdigest()[:16] if names else ""


@duty("retention.holds", every=timedelta(hours=1))
def end_passed(at: datetime) -> int:
    """Take away the holds whose end has passed; returns how many."""
    passed = past_end(at)
    for row in passed:
        release(row.id, "system")
    return len(passed)


# --- within ---------------------------------------------------------------------------------------------------------


def _standing() -> QuerySet[Hold]:
    return Hold.objects.filter(released_at__isnull=True)


def _row(hold_id: UUID) -> Hold:
    row = Hold.objects.filter(pk=hold_id).first()
    if row is None:
        raise Problem("hold.unknown", "there is no such hold", status=404)
    return row


def _seen(row: Hold) -> ports.HeldBack:
    is_lawful = (
        row.statute in STATUTES and row.citation.strip() and (row.until is not None or row.review_at is not None)
    )
    return ports.HeldBack(
        id=row.id, statute=row.statute, citation=row.citation, fields=frozenset(row.fields), purposes=frozenset(row.purposes),
        # One that was written past `place` and names no law keeps nothing.
        until=row.until if is_lawful else row.placed_at, review_at=row.review_at, market=row.market,
    )  # fmt: skip


def _tell(event: str, row: Hold, by: str) -> None:
    fact = {
        "hold": str(row.id), "statute": row.statute, "citation": row.citation, "fields": row.fields, "purposes": row.purposes,
        "market": row.market, "until": rfc3339(row.until) if row.until else None, "by": by.partition(":")[0],
    }  # fmt: skip
    outbox.add(event, fact, policy=publication.current().digest, person_id=row.person_id, about=row.id)
    actions.record(event, by, hold=str(row.id), statute=row.statute)


def _refuse_lawless(statute: str, citation: str, reviewer: str) -> None:
    if statute not in STATUTES:
        raise Problem(
            "hold.no-statute", "a hold names the kind of law that asks for it", Place(key="statute"),
            expected="one of " + ", ".join(STATUTES), law="GDPR 5(1)(e), 17(3)", status=422,
        )  # fmt: skip
    if not citation.strip() or len(citation.strip()) > _LONGEST_CITATION or "@" in citation:
        raise Problem(
            "hold.no-statute", "a hold names the section of the law, and nobody in it", Place(key="citation"),
            law="GDPR 5(1)(e), 17(3)", status=422,
        )  # fmt: skip
    if reviewer not in roles.declared():
        raise Problem(
            "hold.no-reviewer", "a hold names the role that looks at it again", Place(key="reviewer"), status=422
        )


def _refuse_endless(until: datetime | None, review_at: datetime | None, at: datetime) -> None:
    if until is None and review_at is None:
        raise Problem(
            "hold.no-end", "a hold has an end, or a day on which somebody looks at it again", Place(key="until"),
            law="GDPR 5(1)(e)", status=422,
        )  # fmt: skip
    for name, day in (("until", until), ("review_at", review_at)):
        if day is not None and day <= at:
            raise Problem("hold.past", "this day has passed", Place(key=name), law="GDPR 5(1)(e)", status=422)
    if until is None and review_at is not None and review_at - at > LONGEST_REVIEW:
        raise Problem(
            "hold.no-end", "a hold without an end is looked at within a year", Place(key="review_at"), law="GDPR 5(1)(e)",
            status=422,
        )  # fmt: skip


def _refuse_undeclared(fields: Sequence[str], purposes: Sequence[str], market: str) -> None:
    policy = publication.current().policy
    declared = {key for key, purpose in policy.purposes.items() if purpose.scope == "person"}
    for name, given, known in (
        ("fields", set(fields), set(policy.fields)), ("purposes", set(purposes), declared),
        ("market", {market} - {""}, set(policy.markets)),
    ):  # fmt: skip
        if given - known:
            raise Problem("hold.undeclared", "the policy does not declare this", Place(key=name), status=422)
