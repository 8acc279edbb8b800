"""`decide`: allowed or denied, with the promise and the law it rests on."""

from datetime import UTC, datetime

import pytest

from lofte.core.decisions import BY_LAW, decide
from lofte.core.ports import Standing
from lofte.rules.model import Policy
from lofte.rules.published import Published

AT = datetime(2026, 11, 22, tzinfo=UTC)


@pytest.fixture
def policy(home, republish):
    """The small policy with promises bound to the controls that name its purposes."""

    def with_promises(content):
        content["promises"] = {
            "P05": {"controls": [{"control": "data_secured", "with": {}}]},
            "P06": {"controls": [{"control": "purpose_limited", "with": {"purposes": ["answers", "newsletter"]}}]},
            "P11": {"controls": [{"control": "newsletter_only_with_consent", "with": {"purpose": "newsletter"}}]},
            "P12": {"controls": [{"control": "legitimate_interest_balanced", "with": {"purposes": ["answers"]}}]},
            "P17": {"controls": [{"control": "customer_on_contract", "with": {"purpose": "customer"}}]},
            "P28": {"controls": [{"control": "portal_gives_access", "with": {}}]},
            "P29": {"controls": [{"control": "erasure_complete", "with": {}}]},
        }

    return republish(with_promises)


def said(purpose, action):
    return {purpose: Standing(purpose, action, AT)}


CASES = {
    "a purpose nobody declared": (("profiling", ["email"], {}), (False, "undeclared-purpose", "P06", "GDPR 5(1)(b)")),
    "a purpose of the browser": (("statistics", ["email"], {}), (False, "undeclared-purpose", "P06", "GDPR 5(1)(b)")),
    "a field the purpose lacks": (("newsletter", ["phone"], {}), (False, "undeclared-field", "P06", "GDPR 5(1)(c)")),
    "news without a yes": (("newsletter", ["email"], {}), (False, "no-consent", "P11", "GDPR 6(1)(a)")),
    "news after a no": (
        ("newsletter", ["email"], said("newsletter", "withdrawn")), (False, "no-consent", "P11", "GDPR 6(1)(a)"),
    ),
    "news after a yes": (
        ("newsletter", ["email"], said("newsletter", "granted")), (True, "declared", "P11", "GDPR 6(1)(a)"),
    ),
    "a weighed interest": (("answers", ["email"], {}), (True, "declared", "P12", "GDPR 6(1)(f)")),
    "a weighed interest after an objection": (
        ("answers", ["email"], said("answers", "objected")), (False, "objected", "P12", "GDPR 21(1)"),
    ),
    "a contract": (("customer", ["email"], {}), (True, "declared", "P17", "GDPR 6(1)(b)")),
    "a contract after an objection": (
        ("customer", ["email"], said("customer", "objected")), (True, "declared", "P17", "GDPR 6(1)(b)"),
    ),
    "the person's own visit": (("portal", ["email", "phone"], {}), (True, "by-law", "P28", "GDPR 15")),
    "an erasure": (("erasure", ["email"], {}), (True, "by-law", "P29", "GDPR 17")),
    "a search for leaks": (("security", ["email"], {}), (True, "by-law", "P05", "GDPR 32(1)(d)")),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_every_decision_names_reason_promise_and_law(policy, case):
    (purpose, fields, standings), expected = CASES[case]
    found = decide(policy, purpose, fields, standings)

    assert (found.allowed, found.reason, found.promise, found.law) == expected


@pytest.mark.parametrize("purpose", ["newsletter", "answers", "customer", "accounting"])
def test_restricted_data_is_stored_and_nothing_else(policy, purpose):
    found = decide(policy, purpose, ["name"], said(purpose, "granted"), restricted=True)

    assert (found.allowed, found.reason, found.promise, found.law) == (False, "restricted", "P28", "GDPR 18(2)")


@pytest.mark.parametrize("purpose", BY_LAW)
def test_restricted_data_is_there_for_the_persons_own_rights(policy, purpose):
    assert decide(policy, purpose, ["name"], {}, restricted=True).allowed


def test_restricted_data_serves_legal_claims(home, republish):
    def with_claims(content):
        content["purposes"]["legal-claims"] = content["purposes"]["answers"]

    assert decide(republish(with_claims), "legal-claims", ["name"], {}, restricted=True).allowed


@pytest.mark.parametrize("purpose", ["customer", "rights", "portal", "erasure"])
def test_a_purpose_that_is_not_the_askers_is_denied_even_by_law(policy, purpose):
    found = decide(policy, purpose, ["name"], {}, may_state=frozenset({"answers"}))

    assert (found.allowed, found.reason, found.promise, found.law) == (False, "not-their-purpose", "P05", "GDPR 32(4)")


def test_every_denial_for_the_example_policy_rests_on_a_promise(compiled_xledger):
    policy = compiled_xledger.policy
    for purpose, declared in policy.purposes.items():
        if declared.scope == "person":
            for restricted in (False, True):
                assert (
                    decide(compiled_xledger, purpose, declared.fields, {}, restricted=restricted).promise
                    in policy.promises
                )


def test_a_policy_without_promises_still_decides():
    bare = Published(
        version="2026-01", digest="x", published_at="2026-01-01T00:00:00Z", words={}, wordings={},
        policy=Policy.model_construct(purposes={}, promises={}),
    )  # fmt: skip

    assert decide(bare, "newsletter", ["email"], {}) == decide(bare, "other", ["email"], {})
    assert decide(bare, "newsletter", ["email"], {}).promise == ""


@pytest.fixture(scope="module")
def compiled_xledger():
    from pathlib import Path

    from lofte.features.policy.files import read_directory
    from lofte.rules.compile import compile_policy
    from lofte.rules.source import read

    folder = Path(__file__).parents[2] / "policies" / "xledger"
    return compile_policy(read(read_directory(folder)), AT, None).published
