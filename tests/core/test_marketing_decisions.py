"""A letter for marketing asks the law of the market beside the basis: the table says what the law pack says, and nothing more."""

from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lofte.core.decisions import Act, Question, compiled
from lofte.core.ports import Standing
from lofte.features.policy.files import read_directory
from lofte.rules.compile import compile_policy
from lofte.rules.marketing import Approach, Channel, Who, may_approach
from lofte.rules.packs import law_pack
from lofte.rules.source import read

AT = datetime(2026, 11, 22, 12, tzinfo=UTC)
FILES = read_directory(Path(__file__).parents[2] / "policies" / "xledger")
PUBLISHED = compile_policy(read(FILES), AT, None).published
TABLE = compiled(PUBLISHED, [])
MARKETS = list(PUBLISHED.policy.markets)
BY_INTEREST = next(
    key
    for key, each in PUBLISHED.policy.purposes.items()
    if each.scope == "person" and each.basis == "legitimate_interest" and "email" in each.fields
)
OUR_LETTER = {"optout_in_message": True, "sender_shown": True, "postal_address": True}
BOUGHT = Approach(
    Channel.EMAIL, Who.NATURAL, address_from="sale", address_obtained=date(2025, 5, 1), own_similar=True, optout_at_collection=True,
    **OUR_LETTER,
)  # fmt: skip
UNHURRIED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


def sent(purpose="newsletter", market="SE", said="", approach=None, channels=("email",)):
    standings = {purpose: Standing(purpose, said, AT, frozenset(channels))} if said else {}
    question = Question(Act.SEND, purpose, frozenset({"email"}), market=market, approach=approach)
    return TABLE.answer(question, standings, False, AT)


@pytest.mark.parametrize("market", MARKETS)
def test_consent_lets_a_newsletter_go_in_every_market_and_its_lack_in_none(market):
    assert (sent(market=market, said="granted").allowed, sent(market=market).allowed) == (True, False)
    assert sent(market=market, said="granted", channels=("sms",)).reason == "no-consent"
    assert sent(market="").reason == sent(market="", said="").reason == "no-consent"
    assert sent(market="", said="granted").reason == "unknown-market"


@pytest.mark.parametrize(
    "market, reason, law",
    [
        ("SE", "marketing-own-customer", "MFL"),
        ("NO", "marketing-own-customer", "mfl"),
        ("FI", "marketing-own-customer", "SVPL"),
        ("GB", "marketing-own-customer", "PECR"),
        ("US", "marketing-not-objected", "USC"),
    ],
)
def test_an_own_customer_may_be_written_to_by_the_exception_of_the_market(market, reason, law):
    decision = sent(BY_INTEREST, market, approach=BOUGHT)

    assert (decision.allowed, decision.reason) == (True, reason)
    assert law in decision.law
    assert decision.promise in PUBLISHED.policy.promises


@pytest.mark.parametrize("market", ["SE", "NO", "FI", "GB"])
def test_what_cannot_be_shown_of_an_address_is_no_exception(market):
    stranger = Approach(Channel.EMAIL, Who.NATURAL, **OUR_LETTER)

    assert sent(BY_INTEREST, market, approach=stranger).reason == "marketing-no-consent"


@pytest.mark.parametrize("market", MARKETS)
def test_the_mailbox_of_a_company_is_nobodys_where_the_law_says_so_and_an_objection_ends_it(market):
    company = Approach(Channel.EMAIL, Who.COMPANY, **OUR_LETTER)

    assert sent(BY_INTEREST, market, approach=company).allowed
    assert sent(BY_INTEREST, market, said="objected", approach=company).reason == "objected"


def test_a_letter_that_does_not_show_who_sends_it_goes_nowhere_the_law_forbids_it():
    hidden = Approach(Channel.EMAIL, Who.NATURAL, optout_in_message=True)

    assert sent(market="FI", said="granted", approach=hidden).reason == "marketing-sender-shown-missing"


def test_a_letter_that_is_no_marketing_is_not_asked_about_marketing():
    assert sent(BY_INTEREST, "SE").reason == "declared"


APPROACHES = st.builds(
    Approach, st.just(Channel.EMAIL), st.sampled_from(list(Who)),
    address_from=st.sampled_from(["", "sale", "negotiations", "interest"]),
    address_obtained=st.none() | st.dates(date(2000, 1, 1), date(2026, 11, 1)), own_similar=st.booleans(),
    optout_at_collection=st.booleans(), optout_in_message=st.booleans(), sender_shown=st.booleans(), postal_address=st.booleans(),
)  # fmt: skip


@UNHURRIED
@given(st.sampled_from(MARKETS), APPROACHES)
def test_the_table_says_what_the_law_pack_says(market, approach):
    ruling = may_approach(law_pack(PUBLISHED.policy.markets[market].law), approach, AT)

    decision = sent(BY_INTEREST, market, approach=approach)

    assert decision.allowed is ruling.allowed
    assert decision.reason == ruling.reason.replace(".", "-").replace("_", "-")
    assert decision.law == ruling.citation
