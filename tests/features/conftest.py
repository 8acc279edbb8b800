"""A person in the house, made by the same verbs as in life."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from django.contrib.auth.models import User

from lofte.core import clock, mail, roles
from lofte.features.consent import verbs as consent
from lofte.features.outreach import verbs as outreach
from lofte.features.register import verbs as register


@pytest.fixture(autouse=True)
def _who_works_here(request: pytest.FixtureRequest) -> None:
    """Two data protection leads: the `staff:1` and `staff:7` these tests speak of. An actor that is nobody is let in nowhere."""
    if request.node.get_closest_marker("django_db") is None:
        return
    request.getfixturevalue("db")
    request.getfixturevalue("home")
    for number in (1, 7):
        roles.give(User.objects.create(pk=number, username=f"lead-{number}"), ["lead"], by=roles.OPERATOR)


@pytest.fixture
def somebody(published: Any, db: Any) -> Callable[..., UUID]:
    """A customer with three holdings; ``somebody(email="a@b.example")``."""

    def make(email: str = "kari.nordmann@example.no", name: str = "Kari Nordmann", purpose: str = "customer") -> UUID:
        person = register.welcome()
        register.begin_relation(person, "customer" if purpose == "customer" else "prospect", market="NO", locale="nb")
        values = {"email": email, "name": name} | ({"company": "Nordmann og datter"} if purpose != "answers" else {})
        register.hold(person, values, purpose, source="form:newsletter", market="NO", locale="nb")
        return person

    return make


@pytest.fixture
def subscriber(somebody: Callable[..., UUID]) -> Callable[..., UUID]:
    """A person whose newsletter consent stands, without the walk over mail."""

    def make(email: str = "ola@example.no", name: str = "Ola Nordmann") -> UUID:
        person = somebody(email, name, "newsletter")
        consent.grant(person, "newsletter", market="NO", locale="nb", shown="form.newsletter", method="double_opt_in")
        return person

    return make


@pytest.fixture
def signed_up(published: Any, db: Any, letterbox: Any) -> Callable[..., UUID]:
    """Somebody who walked the whole way: form, mail, link."""

    def walk(email: str = "ola@example.no", **values: str) -> UUID:
        outreach.ask_to_subscribe("NO", "nb", {"email": email, **values})
        mail.deliver(clock.now())
        return outreach.confirm(letterbox.link("confirm")).person_id

    return walk
