"""Subscribers with something in common."""

import pytest

from lofte.features.consent import verbs as consent
from lofte.features.register import verbs as register


@pytest.fixture
def segment_policy(republish, db):
    """The small policy, whose newsletter may use interest; groups of less than three are not told."""

    def change(policy):
        policy["fields"]["interest"] = {"kind": "event", "category": "behaviour"}
        policy["fields"]["title"] = {"kind": "text", "category": "work"}
        policy["purposes"]["newsletter"]["fields"].append("interest")
        policy["topics"] = {each: {"purpose": "newsletter"} for each in ("product", "insight", "events")}
        policy["outreach"] = {"smallest_group": 3}

    return republish(change)


@pytest.fixture
def reader(segment_policy):
    """A subscriber: ``reader("a@x.example", company="Björk AB", market="SE")``."""

    def make(email, *, market="SE", locale="sv", relation="prospect", consents=True, **values):
        person = register.welcome()
        here = {"market": market, "locale": locale}
        register.begin_relation(person, relation, **here)
        register.hold(person, {"email": email, **values}, "newsletter", source="form:newsletter", **here)
        if consents:
            consent.grant(person, "newsletter", shown="form.newsletter", method="double_opt_in", **here)
        return person

    return make
