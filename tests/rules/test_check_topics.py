"""Topics: nobody is offered what nobody can agree to, in words of its own, in every market."""

from datetime import date
from pathlib import Path

import pytest

from lofte.rules.check import check

SMALL = Path(__file__).parent.parent / "policies" / "small"
TODAY = date(2026, 11, 22)
FORM = "  news:\n    purpose: news\n"
WITH_KIND = "  news:\n    kind: newsletter\n    purpose: news\n"


def faults(topics: str, form: str = WITH_KIND, **changes: str) -> list[tuple[str, str]]:
    """What `check` has against the small policy with these topics: code and key."""
    files = {
        path.relative_to(SMALL).as_posix(): path.read_text(encoding="utf-8")
        for path in sorted(SMALL.rglob("*"))
        if path.suffix in (".yaml", ".md") and path.name != "README.md"
    }
    policy = files["policy.yaml"].replace(FORM, form).replace("\npromises:", f"\n{topics}\npromises:")
    for old, new in changes.items():
        policy = policy.replace(old, new)
    found = check(files | {"policy.yaml": policy}, TODAY)
    about = [each for each in found if each.place.key.startswith(("topics", "outreach"))]
    assert all(each.way_out and each.place.line for each in about)
    return [(each.code, each.place.key) for each in about]


def test_a_topic_on_consent_that_a_newsletter_form_asks_for_lacks_only_its_words() -> None:
    assert {code for code, _ in faults("topics: { daily: { purpose: news } }\n")} == {"text.missing-word"}


def test_a_topic_without_consent_wording_is_an_error() -> None:
    found = faults("topics: { daily: { purpose: news } }\n", form=FORM)

    assert found.count(("topic.no-consent-words", "topics.daily")) == 3


def test_a_channel_needs_words_and_a_field_of_its_own() -> None:
    found = faults("topics: { daily: { purpose: news, channels: [email, sms] } }\n")

    assert ("topic.no-consent-words", "topics.daily") in found


@pytest.mark.parametrize("purpose", ["contact", "statistics"])
def test_a_topic_for_what_nobody_agrees_to_is_an_error(purpose: str) -> None:
    assert ("topic.without-consent", "topics.daily.purpose") in faults(
        f"topics: {{ daily: {{ purpose: {purpose} }} }}\n"
    )


def test_own_customers_are_an_exception_on_legitimate_interest_alone() -> None:
    exception = (
        "topics: {{ daily: {{ purpose: {purpose} }} }}\n"
        "outreach:\n"
        "  own_customers: [{{ purpose: {purpose}, relation: {relation}, no_offered_from: 2026-01-01 }}]\n"
    )

    assert {code for code, _ in faults(exception.format(purpose="contact", relation="reader"))} == {"text.missing-word"}
    assert ("topic.customers-without-interest", "outreach.own_customers.0") in faults(
        exception.format(purpose="news", relation="reader")
    )
    assert "policy.dangling-reference" in [
        code for code, _ in faults(exception.format(purpose="contact", relation="stranger"))
    ]


def test_a_topic_names_purposes_and_markets_that_exist() -> None:
    found = faults("topics: { daily: { purpose: gossip }, weekly: { purpose: news, markets: [SE, DK] } }\n")

    assert ("policy.dangling-reference", "topics.daily.purpose") in found
    assert ("policy.dangling-reference", "topics.weekly.markets.1") in found
