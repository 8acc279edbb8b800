"""Asks the table with what the rooms know: what the person said, whether they restricted their data, what is on file.

`may_share` is what every way out asks before a disclosure; whoever then discloses writes the evidence first. `ask` is for other
systems: what was asked and answered is in the log before they hear it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from lofte.core import clock, outbox, ports, publication
from lofte.core.decisions.deciding import BY_LAW, Decision, promise_of
from lofte.core.decisions.table import Act, Case, Question, Table, compiled
from lofte.core.gates import tools
from lofte.core.models import Person
from lofte.kernel.problems import Problem

_known: tuple[tuple[str, str, str], Table] | None = None


def table() -> Table:
    """The table of the publication in force and what is on file now; compiled anew only when one of them changed."""
    global _known
    published, agreements = publication.current(), ports.agreements()
    key = (published.digest, agreements.agreements_version() if agreements else "", tools.version())
    if _known is None or _known[0] != key:
        _known = (key, compiled(published, agreements.agreements() if agreements else (), tools.on_file()))
    return _known[1]


def may_share(
    person_id: UUID, recipient: str, purpose: str, fields: Iterable[str], *,
    market: str = "", country: str = "", case: Case | None = None, at: datetime | None = None,
) -> Decision:  # fmt: skip
    """May these fields of a person leave to a recipient of the policy, for this purpose, now?

    ``market`` is where the person is known (asked of the register when empty). ``country`` narrows to one of the countries the
    recipient takes data to; empty asks all of them. ``case`` is the decision of an authority, or the sale or merger, that asks.
    Writes nothing: whoever lets the data leave writes the evidence first, with the decision's reason, promise and law.
    """
    if not market:
        known = ports.register().market_of(person_id)
        market = known[0] if known else ""
    question = Question(Act.SHARE, purpose, frozenset(fields), recipient, country, market)
    return table().answer(
        question, ports.consents().standings(person_id), ports.is_restricted(person_id), at or clock.now(), case=case
    )


@dataclass(frozen=True, slots=True)
class Answer:
    """A decision with its place in the evidence log, where it stands since before the answer left."""

    decision: Decision
    evidence: int
    at: datetime
    policy: str


def ask(question: Question, person_id: UUID | None, *, is_about_someone: bool, by: str) -> Answer:
    """Decide for another system (``by`` is its token) and keep the decision first.

    Without a person the answer is about the policy and what is on file; a consent then counts as not given. A person who was
    named and is not in the register, or of whom nothing is held for the purpose, is a denial. Raises Problem 503 when the log
    cannot be written: no answer without evidence.
    """
    at, published = clock.now(), publication.current()
    question = _with_market(question, person_id)
    decision = _decided(question, person_id, is_about_someone, at)
    fact = _fact(question, decision) | {"by": by, "about": "person" if is_about_someone else "policy"}
    kind = "decision.allowed" if decision.allowed else "decision.denied"
    try:
        index = outbox.add_and_wait(kind, fact, published.digest, person_id=person_id)
    except TimeoutError as error:
        raise Problem("evidence.slow", "the log has not answered in time", way_out="Ask again.", status=503) from error
    return Answer(decision, index, at, published.digest)


def known(person_id: UUID) -> UUID | None:
    """The same id when it is somebody in the register; None for nobody, and for who has not confirmed an address yet."""
    return person_id if Person.objects.filter(pk=person_id, provisional=False).exists() else None


def _with_market(question: Question, person_id: UUID | None) -> Question:
    known = ports.register().market_of(person_id) if person_id and not question.market else None
    if known is None:
        return question
    return Question(question.act, question.purpose, question.fields, question.recipient, question.country, known[0])


def _decided(question: Question, person_id: UUID | None, is_about_someone: bool, at: datetime) -> Decision:
    if question.purpose in BY_LAW:  # what the law asks of us is no purpose of another system
        return _denied(question, "not-their-purpose", "GDPR 32(4)")
    if person_id is None:
        answered = table().answer(question, {}, False, at)
        return _denied(question, "unknown-person", "GDPR 6(1)") if answered.allowed and is_about_someone else answered
    standings, restricted = ports.consents().standings(person_id), ports.is_restricted(person_id)
    answered = table().answer(question, standings, restricted, at)
    if answered.allowed and not question.fields & ports.register().fields_held(person_id, question.purpose):
        return _denied(question, "not-held", "GDPR 5(1)(b)")
    return answered


def _denied(question: Question, reason: str, law: str) -> Decision:
    return Decision(False, reason, promise_of(publication.current(), question.purpose, reason), law)


def _fact(question: Question, decision: Decision) -> dict[str, object]:
    """What was asked and answered. Names that the policy does not have are left out: they could be anything, a person too."""
    policy = publication.current().policy
    ours = sorted(question.fields & set(policy.fields))
    return {
        "act": question.act.value,
        "purpose": question.purpose if question.purpose in policy.purposes else "",
        "fields": ours,
        "other_fields": len(question.fields) - len(ours),
        "recipient": question.recipient if question.recipient in policy.recipients else "",
        "country": question.country,
        "market": question.market if question.market in policy.markets else "",
        "allowed": decision.allowed,
        "reason": decision.reason,
        "promise": decision.promise,
        "law": decision.law,
    }
