"""Purposes by law: who answers for which signal, what Global Privacy Control refuses, and what the exemptions may not cover."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from lofte.rules.checks import storage
from lofte.rules.checks.case import Case
from lofte.rules.model import ConsentType, Policy, StorageModel
from lofte.rules.signals import answered_by_signal, granted_after_signal, is_remembered, signals_of
from lofte.rules.source import Source, read

EXAMPLE = Path(__file__).parent.parent.parent / "policies" / "xledger"
TODAY = date(2026, 11, 23)
pytestmark = pytest.mark.skipif(not EXAMPLE.is_dir(), reason="the example policy is not part of this checkout")


@pytest.fixture(scope="module")
def source() -> Source:
    return read({"policy.yaml": (EXAMPLE / "policy.yaml").read_text(encoding="utf-8")})


@pytest.fixture(scope="module")
def policy(source) -> Policy:
    assert source.policy is not None
    return source.policy


def changed(policy: Policy, purpose: str, **fields: Any) -> Policy:
    changes = policy.purposes[purpose].model_copy(update=fields)
    return policy.model_copy(update={"purposes": policy.purposes | {purpose: changes}})


def test_types_follow_the_purposes_of_the_tags_that_obey_them(policy):
    signals = signals_of(policy, "SE")

    assert signals.google == {
        ConsentType.AD_STORAGE: ("marketing",),
        ConsentType.AD_USER_DATA: ("marketing",),
        ConsentType.AD_PERSONALIZATION: ("marketing",),
        ConsentType.ANALYTICS_STORAGE: ("statistics",),
        ConsentType.FUNCTIONALITY_STORAGE: ("functional",),
        ConsentType.PERSONALIZATION_STORAGE: None,
        ConsentType.SECURITY_STORAGE: (),
    }
    assert signals.meta == ("marketing",)
    assert [signals_of(policy, market).limits_use for market in ("SE", "GB", "US")] == [False, False, True]


def test_the_signal_refuses_advertising_everywhere_and_statistics_of_a_processor_nowhere(policy):
    assert {answered_by_signal(policy, market) for market in policy.markets} == {frozenset({"marketing"})}


def test_the_signal_refuses_whatever_runs_until_somebody_objects(policy):
    out = changed(policy, "statistics", storage_by_market={"US": StorageModel.OPT_OUT})

    assert answered_by_signal(out, "US") == {"marketing", "statistics"}
    assert answered_by_signal(out, "SE") == {"marketing"}


@pytest.mark.parametrize(
    ("market", "method", "left"),
    [
        ("US", "banner", {"statistics"}),  # "accept" in a plain banner is no complete consent request
        ("US", "frame", {"statistics"}),
        ("US", "preferences", {"statistics", "marketing"}),
        ("SE", "banner", {"statistics", "marketing"}),  # on opt-in an explicit later yes holds for this site
    ],
)
def test_a_yes_after_the_signal_counts_as_the_law_of_the_market_has_it(policy, market, method, left):
    assert granted_after_signal(policy, market, frozenset({"statistics", "marketing"}), method, TODAY) == left


@pytest.mark.parametrize("market", ["SE", "NO", "FI", "GB", "US"])
def test_accept_in_the_banner_is_no_yes_to_what_the_signal_has_refused(policy, market):
    both = frozenset({"statistics", "marketing"})

    assert granted_after_signal(policy, market, both, "banner", TODAY, is_all=True) == {"statistics"}
    assert granted_after_signal(policy, market, both, "preferences", TODAY, is_all=True) == both


def test_before_the_rule_was_in_force_any_yes_counted(policy):
    both = frozenset({"statistics", "marketing"})

    assert granted_after_signal(policy, "US", both, "banner", date(2024, 6, 30)) == both


def test_the_signal_is_remembered_only_where_something_would_run_without_it(policy):
    out = changed(policy, "marketing", storage_by_market={"US": StorageModel.OPT_OUT})

    assert [is_remembered(policy, market, TODAY) for market in ("US", "SE")] == [False, False]
    assert [is_remembered(out, market, TODAY) for market in ("US", "SE")] == [True, False]


def faults(source: Source, policy: Policy) -> set[str]:
    return {one.code for one in storage.problems(Case(source, policy, TODAY, ())) if one.severity == "error"}


@pytest.mark.parametrize(
    ("purpose", "exempt_as", "codes"),
    [
        (
            "statistics",
            "own_statistics",
            {"storage.exemption-shared"},
        ),  # Google may use what it counts for ends of its own
        ("marketing", "appearance_and_functionality", {"storage.exemption-shared", "storage.exemption-advertising"}),
        ("statistics", None, {"storage.exemption-shared", "storage.exemption-unnamed"}),
    ],
)
def test_the_british_exemptions_are_refused_for_what_they_do_not_cover(source, policy, purpose, exempt_as, codes):
    exempt = {"GB": StorageModel.EXEMPT_WITH_OBJECTION}

    assert faults(source, changed(policy, purpose, storage_by_market=exempt, exempt_as=exempt_as)) == codes


@pytest.mark.parametrize(("market", "codes"), [("GB", set()), ("SE", {"storage.forbidden-model"})])
def test_own_statistics_without_a_vendor_are_lawful_in_britain_and_nowhere_else(source, policy, market, codes):
    exempt = {market: StorageModel.EXEMPT_WITH_OBJECTION}
    own = changed(policy, "statistics", storage_by_market=exempt, exempt_as="own_statistics")
    tags = {key: tag for key, tag in own.tags.items() if tag.purpose != "statistics"}

    assert faults(source, own.model_copy(update={"tags": tags})) == codes


def test_an_exemption_cannot_answer_for_advertising(source, policy):
    exempt = {"GB": StorageModel.EXEMPT_WITH_OBJECTION}
    own = changed(
        policy, "statistics", storage_by_market=exempt, exempt_as="own_statistics", signals=[ConsentType.AD_STORAGE]
    )
    tags = {key: tag for key, tag in own.tags.items() if tag.purpose != "statistics"}

    assert faults(source, own.model_copy(update={"tags": tags})) == {"storage.exemption-advertising"}


def test_opt_out_is_known_to_colorado_and_to_no_other_market(source, policy):
    lawful = {
        market
        for market in policy.markets
        if not faults(source, changed(policy, "marketing", storage_by_market={market: StorageModel.OPT_OUT}))
    }

    assert lawful == {"US"}
