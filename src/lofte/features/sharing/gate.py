"""Every way out asks here, and here `core.decisions.may_share` is asked. A refusal is a fact in the log too, about nobody."""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from lofte.core import clock, decisions, outbox, publication
from lofte.core.retry import in_transaction
from lofte.features.sharing.models import Agreement
from lofte.features.sharing.models import Case as CaseRow
from lofte.kernel.problems import Problem


@dataclass(frozen=True, slots=True)
class WayOut:
    """To whom something would go, and on what: a partner's agreement, or a case."""

    recipient: str
    purpose: str
    fields: tuple[str, ...]
    country: str
    agreement: Agreement | None = None
    case: CaseRow | None = None


def ask(person_id: UUID, way: WayOut, *, market: str = "") -> decisions.Decision:
    """May these fields of this person leave by this way, now? Writes nothing."""
    if way.agreement is not None and (lacking := _lacking(way.agreement, way.purpose, way.fields)):
        promise = decisions.promise_of(publication.current(), way.purpose, lacking)
        return decisions.Decision(False, lacking, promise, "GDPR 5(1)(b)")
    case = as_decided(way.case) if way.case is not None else None
    return decisions.may_share(
        person_id, way.recipient, way.purpose, way.fields, country=way.country, market=market, case=case
    )  # fmt: skip


def demand(person_id: UUID, way: WayOut, *, market: str = "") -> decisions.Decision:
    """As `ask`; raises Problem `sharing.denied`, whose last word is the reason, and puts the refusal into the log."""
    decided = ask(person_id, way, market=market)
    if not decided.allowed:
        _refused(way, decided)
        raise Problem(
            "sharing.denied", f"{way.recipient} may not be given this for {way.purpose}: {decided.reason}", law=decided.law,
            status=403,
        )  # fmt: skip
    return decided


def as_decided(case: CaseRow) -> decisions.Case:
    """The case as the table judges it."""
    return decisions.Case(
        "authority" if case.kind == CaseRow.Kind.AUTHORITY else "merger", case.recipient, frozenset(case.fields),
        tuple(case.released_by), case.noticed_on, case.free_from,
    )  # fmt: skip


def _lacking(agreement: Agreement, purpose: str, fields: Iterable[str]) -> str:
    """What this very agreement lacks: another of the same recipient may say more, and does not count."""
    today = clock.now().date()
    if agreement.ended_at is not None or not agreement.signed <= today <= agreement.expires:
        return "agreement-over"
    if purpose not in agreement.purposes:
        return "purpose-not-agreed"
    return "" if set(fields) <= set(agreement.fields) else "field-not-agreed"


@in_transaction
def _refused(way: WayOut, decided: decisions.Decision) -> None:
    fact = {
        "recipient": way.recipient, "purpose": way.purpose, "fields": sorted(way.fields), "country": way.country,
        "reason": decided.reason, "promise": decided.promise, "law": decided.law,
    }  # fmt: skip
    outbox.add("disclosure.refused", fact, policy=publication.current().digest)
