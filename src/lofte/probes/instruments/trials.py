"""What the register is asked for and must refuse, tried on a canary while it is on file."""

from collections.abc import Callable
from dataclasses import dataclass, field
from uuid import UUID

from django.db import transaction

from lofte.core import mail, ports
from lofte.features.register import reads, verbs
from lofte.features.register.models import Look
from lofte.kernel.problems import Problem
from lofte.probes.instruments import customer
from lofte.rules.model import Policy

UNDECLARED = "probe-undeclared"
_BY = "probe"


@dataclass
class Tried:
    """``gave`` are the ways that served what they had to refuse; ``recorded`` whether a read left its trace."""

    trials: int = 0
    gave: list[str] = field(default_factory=list)
    recorded: bool | None = None
    took_extra: bool | None = None


class _UndoneError(Exception):
    """Ends a transaction in which something was let through that should not have been."""


def misuse(policy: Policy, person_id: UUID, address: str, market: str, locale: str) -> Tried:
    """Try every way a purpose nobody declared could be served; whatever is let through is undone."""
    tried = Tried()
    browsing = next((key for key, one in policy.purposes.items() if one.scope == "browser"), UNDECLARED)
    extra = {"source": _BY, "market": market, "locale": locale}
    letter = mail.Letter("issue", person_id, address, mail.Words("Canary", "Canary"), UNDECLARED)
    for way, attempt in (
        ("read", lambda: ports.register().read(person_id, UNDECLARED, ("email",), by=_BY)),
        ("read", lambda: ports.register().read(person_id, browsing, ("email",), by=_BY)),
        ("field", lambda: _read_beyond(policy, person_id)),
        ("keep", lambda: verbs.hold(person_id, {"email": address}, UNDECLARED, **extra)),
        ("mail", lambda: mail.send(letter)),
    ):
        tried.trials += 1
        if not _is_refused(attempt) and way not in tried.gave:
            tried.gave.append(way)
    agreement = customer.purposes_of(policy, customer.relation_of(policy))
    if agreement:
        tried.took_extra = not _is_refused(lambda: verbs.hold(person_id, {"shoe-size": "42"}, agreement[0], **extra))
    tried.recorded = _is_recorded(person_id)
    return tried


def is_refused(person_id: UUID, purpose: str) -> bool:
    """Whether the register refuses now to give the person's address for this purpose."""
    return _is_refused(lambda: reads.demand(person_id, purpose, ("email",), by=_BY))


def _is_refused(attempt: Callable[[], object]) -> bool:
    """Whether a Problem came of it. What went through is rolled back; the looks of those that were refused stay."""
    try:
        with transaction.atomic():
            attempt()
            raise _UndoneError
    except Problem:
        return True
    except _UndoneError:
        return False


def _read_beyond(policy: Policy, person_id: UUID) -> None:
    """Ask for a field that is held, on behalf of a purpose that does not declare it."""
    held = {one.field for one in reads.open_all(person_id, "security", by="probe").values()} | {"email"}
    for purpose, declared in policy.purposes.items():
        beyond = sorted(held - set(declared.fields))
        if declared.scope == "person" and beyond:
            reads.demand(person_id, purpose, beyond, by=_BY)
            return
    raise Problem("probe.nothing-beyond", "every purpose declares every field", status=404)


def _is_recorded(person_id: UUID) -> bool:
    """Read as the service does and look for the trace: who, for which purpose, which fields."""
    before = Look.objects.of(person_id).count()
    ports.register().read(person_id, "rights", ("email",), by=_BY)
    last = Look.objects.of(person_id).order_by("-at").first()
    return bool(Look.objects.of(person_id).count() > before and last and last.by == _BY and "email" in last.fields)
