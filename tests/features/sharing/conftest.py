"""A policy with partners, authorities and successors; an agreement on file; a person who asked something."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest

from lofte.core import clock, mail, outbox
from lofte.features.register import verbs as register
from lofte.features.sharing import agreements, facts

PDF = b"%PDF-1.7 signed by both"


def with_recipients(policy: dict[str, Any]) -> None:
    """Edits the small policy: a partner, an authority and a successor in Norway, and the promises about them."""
    policy["purposes"]["restructuring"] = {
        "basis": "legitimate_interest", "scope": "person", "fields": ["email", "name", "company"], "clock": "end-of-relation",
        "balancing": policy["purposes"]["answers"]["balancing"],
    }  # fmt: skip
    policy["purposes"]["legal-hold"] = {
        "basis": "legal_obligation", "scope": "person", "fields": ["email", "name", "company", "dialogue"], "clock": "statute",
    }  # fmt: skip
    policy["recipients"] |= {
        "partners-no": {"name": "Partners in Norway", "role": "partner", "country": "NO", "markets": ["NO"]},
        "partners-us": {"name": "Partners in the US", "role": "partner", "country": "US"},
        "authorities-no": {"name": "Authorities in Norway", "role": "authority", "country": "NO", "markets": ["NO"]},
        "successor-no": {"name": "A new owner", "role": "controller", "country": "NO", "markets": ["NO"]},
    }
    policy["promises"] |= {
        "P21": _bound("partners_agreed", recipients=["partners-no", "partners-us"], purposes=["answers"]),
        "P22": _bound("authority_decision_on_file", recipients=["authorities-no"], purpose="legal-hold", approvals=2),
        "P23": _bound("transfer_case_noticed", recipients=["successor-no"], purpose="restructuring", notice="P30D"),
    }  # fmt: skip


def _bound(control: str, **parameters: Any) -> dict[str, Any]:
    return {"controls": [{"control": control, "with": parameters}]}


@pytest.fixture
def sharing_policy(published: Any, republish: Callable[..., Any], db: Any) -> Any:
    return republish(with_recipients)


@pytest.fixture
def given(sharing_policy: Any) -> Callable[..., agreements.Given]:
    """An agreement as staff would note it down; anything may be said otherwise."""

    def make(**otherwise: Any) -> agreements.Given:
        today = clock.now().date()
        said: dict[str, Any] = {
            "recipient": "partners-no", "partner": "Regnskap Nord AS", "services": ["accounting"], "purposes": ["answers"],
            "fields": ["name", "email", "phone"], "country": "NO", "signed": today - timedelta(days=10),
            "expires": today + timedelta(days=300), "review_at": today + timedelta(days=200), "reviewer": "lead",
            "contact": "personvern@regnskap.example", "document_name": "avtale.pdf", "document": PDF, "without_payment": True,
        }  # fmt: skip
        return agreements.Given(**(said | otherwise))

    return make


@pytest.fixture
def agreement(given: Callable[..., agreements.Given]) -> UUID:
    return agreements.record(given(), by="staff:1")


@pytest.fixture
def lead(sharing_policy: Any) -> Callable[..., UUID]:
    """A prospect who asked something."""

    def make(email: str = "kari.nordmann@example.no", name: str = "Kari Nordmann") -> UUID:
        person = register.welcome()
        register.begin_relation(person, "prospect", market="NO", locale="nb")
        register.hold(
            person, {"email": email, "name": name}, "answers", source="form:inquiry", market="NO", locale="nb"
        )
        return person

    return make


@pytest.fixture
def settled(log: Any, letterbox: Any) -> Callable[[], None]:
    """Let the log and the mail catch up, and everybody hear what happened."""
    outbox.unsubscribe_all()
    for kind, handler in facts.SUBSCRIPTIONS.items():
        outbox.subscribe(kind, handler)

    def run() -> None:
        mail.deliver(clock.now())
        while outbox.drain():
            mail.deliver(clock.now())

    yield run
    outbox.unsubscribe_all()


def in_days(days: int) -> date:
    return clock.now().date() + timedelta(days=days)
