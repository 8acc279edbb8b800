"""Tokens of other systems: shown once, kept as a digest, with scopes, an end and a rate."""

from datetime import UTC, datetime, timedelta

import pytest

from lofte.core import clock
from lofte.core.gates import tokens
from lofte.core.gates.models import Token
from lofte.core.models import Action
from lofte.kernel.problems import Problem

pytestmark = pytest.mark.django_db
AT = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def today(home, settings):
    with clock.at(AT):
        yield


def refused(secret, caller="10.0.0.1"):
    with pytest.raises(Problem) as problem:
        tokens.recognise(secret, caller)
    return problem.value.code, problem.value.status


def test_a_token_opens_what_its_scopes_say_and_is_kept_as_a_digest():
    secret = tokens.add("crm", ["decide:use", "decide:use"], by="operator:shell")
    asker = tokens.recognise(secret, "10.0.0.1")

    assert (asker.name, asker.scopes) == ("crm", {"decide:use"})
    asker.demand("decide:use")
    with pytest.raises(Problem, match="decide:share") as denied:
        asker.demand("decide:share")
    assert denied.value.status == 403
    assert secret not in repr(list(Token.objects.values()))
    assert [each.action for each in Action.objects.all()] == ["token.added"]
    assert Token.objects.get().last_used == AT.date()


@pytest.mark.parametrize("secret", ["", "lofte_", "lofte_wrong", "Bearer", "x" * 10_000])
def test_a_wrong_token_opens_nothing(secret):
    tokens.add("crm", ["decide:use"], by="operator:shell")

    assert refused(secret) == ("token.invalid", 401)


def test_wrong_revoked_and_expired_are_one_answer():
    secret = tokens.add("crm", ["decide:use"], by="operator:shell", days=1)
    other = tokens.add("erp", ["decide:use"], by="operator:shell")
    tokens.revoke(tokens.named("erp").pk, "staff:1")

    with clock.at(AT + timedelta(days=1)):
        assert refused(secret) == refused(other) == refused("lofte_wrong") == ("token.invalid", 401)


def test_a_token_asks_no_more_than_its_rate():
    secret = tokens.add("crm", ["decide:use"], by="operator:shell", per_minute=3)
    for _ in range(3):
        tokens.recognise(secret, "10.0.0.1")

    assert refused(secret) == ("token.too-often", 429)
    with clock.at(AT + timedelta(minutes=2)):
        assert tokens.recognise(secret, "10.0.0.1").name == "crm"


def test_whoever_guesses_tokens_is_slowed_down():
    codes = {refused(f"lofte_{number}", "10.0.0.9") for number in range(61)}

    assert codes == {("token.invalid", 401), ("token.too-often", 429)}
    assert refused("lofte_x", "10.0.0.10") == ("token.invalid", 401)


@pytest.mark.parametrize(
    "name, scopes, more",
    [
        ("", ["decide:use"], {}),
        ("astrid@example.se", ["decide:use"], {}),
        ("crm", [], {}),
        ("crm", ["decide:everything"], {}),
        ("crm", ["decide:use"], {"days": 0}),
        ("crm", ["decide:use"], {"days": 400}),
        ("crm", ["decide:use"], {"per_minute": 0}),
    ],
)
def test_what_is_no_token_is_not_made(name, scopes, more):
    with pytest.raises(Problem) as problem:
        tokens.add(name, scopes, by="operator:shell", **more)

    assert (problem.value.code, problem.value.status) == ("token.unfit", 422)
    assert Token.objects.count() == 0


def test_a_name_is_used_once_until_it_is_revoked():
    tokens.add("crm", ["decide:use"], by="operator:shell")
    with pytest.raises(Problem, match="in use"):
        tokens.add("crm", ["decide:use"], by="operator:shell")
    tokens.revoke(tokens.named("crm").pk, "staff:1")

    assert tokens.add("crm", ["decide:use"], by="operator:shell")
