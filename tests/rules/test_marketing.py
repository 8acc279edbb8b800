"""Marketing beyond the worked cases: an objection always ends it, a missing fact never helps."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lofte.rules.catalogue import LOCALES
from lofte.rules.marketing import Approach, Channel, Who, counts_as_person, may_approach, stop_by
from lofte.rules.packs import law_pack, laws

NOON = datetime(2026, 11, 18, 12, tzinfo=UTC)  # a Wednesday
FLAGS = (
    "has_consent", "asked_for", "own_similar", "from_charity", "optout_at_collection", "optout_in_message", "sender_shown",
    "postal_address",
)  # fmt: skip
APPROACHES = st.builds(
    Approach,
    channel=st.sampled_from(Channel),
    who=st.sampled_from(Who),
    objected=st.booleans(),
    in_register=st.booleans(),
    address_from=st.sampled_from(["", "sale", "negotiations", "interest", "support"]),
    address_obtained=st.sampled_from([None, date(2025, 12, 1), date(2026, 3, 1)]),
    register_read=st.sampled_from([None, date(2026, 10, 30), date(2026, 11, 2)]),
    selling=st.sampled_from(["", "mobile_subscription"]),
    **{flag: st.booleans() for flag in FLAGS},
)
TIMES = st.datetimes(datetime(2026, 3, 1), datetime(2028, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001  # bounds want no zone


@given(st.sampled_from(laws()), APPROACHES, TIMES)
def test_an_objection_always_ends_it(law: str, approach: Approach, at: datetime) -> None:
    assert not may_approach(law_pack(law), replace(approach, objected=True), at).allowed


@given(st.sampled_from(laws()), APPROACHES, st.sampled_from(FLAGS), TIMES)
def test_a_fact_more_never_turns_yes_into_no(law: str, approach: Approach, flag: str, at: datetime) -> None:
    without, with_it = (may_approach(law_pack(law), replace(approach, **{flag: each}), at) for each in (False, True))

    # A charity is judged by its own exception besides the common one, so it too only gains.
    assert with_it.allowed or not without.allowed


@given(st.sampled_from(["FI", "GB", "NO", "SE"]), APPROACHES, TIMES)
def test_no_electronic_message_reaches_a_person_without_consent_or_a_known_address(
    law: str, approach: Approach, at: datetime
) -> None:
    stranger = replace(approach, has_consent=False, address_from="", channel=Channel.EMAIL, who=Who.NATURAL)

    assert not may_approach(law_pack(law), stranger, at).allowed


@given(st.sampled_from(laws()), APPROACHES, TIMES)
def test_every_answer_has_words_in_every_locale(law: str, approach: Approach, at: datetime) -> None:
    ruling = may_approach(law_pack(law), approach, at)

    assert all(ruling.said(locale) for locale in LOCALES)
    assert ruling.citation or [note.key for note in ruling.notes] == ["no_rule"]


def test_a_channel_without_a_rule_needs_consent_and_says_so() -> None:
    post = Approach(Channel.POST, Who.NATURAL)
    ruling = may_approach(law_pack("US-CO"), post, NOON)

    assert (ruling.allowed, ruling.reason) == (False, "marketing.no_rule")
    assert may_approach(law_pack("US-CO"), replace(post, has_consent=True), NOON).allowed


@pytest.mark.parametrize(
    "at, open_",
    [
        ("2026-11-18T09:00+01:00", True),
        ("2026-11-18T08:59+01:00", False),
        ("2026-11-18T21:00+01:00", True),
        ("2026-11-18T21:01+01:00", False),
        ("2026-11-18T20:30+00:00", False),  # half past nine in Oslo
        ("2026-11-21T12:00+01:00", False),  # Saturday
        ("2026-11-22T12:00+01:00", False),  # Sunday
        ("2027-05-17T12:00+02:00", False),  # a Monday, and the national day
    ],
)
def test_norwegian_consumers_are_left_alone_in_the_evening_on_saturdays_and_on_holidays(at: str, open_: bool) -> None:
    when = datetime.fromisoformat(at)
    call = Approach(Channel.LIVE_CALL, Who.NATURAL, register_read=when.date())

    assert may_approach(law_pack("NO"), call, when).allowed is open_


def test_the_register_is_read_in_the_month_of_the_call() -> None:
    def reason(read: date | None) -> str:
        call = Approach(Channel.LIVE_CALL, Who.NATURAL, register_read=read)
        return may_approach(law_pack("NO"), call, NOON).reason

    assert reason(date(2026, 11, 1)) == "marketing.not_objected"
    assert reason(date(2026, 10, 31)) == reason(None) == "marketing.register_not_read"


def test_mobile_subscriptions_are_sold_in_finland_only_to_those_who_asked() -> None:
    call = Approach(Channel.LIVE_CALL, Who.NATURAL, selling="mobile_subscription")

    assert not may_approach(law_pack("FI"), call, NOON).allowed
    assert may_approach(law_pack("FI"), replace(call, asked_for=True), NOON).allowed
    assert may_approach(law_pack("FI"), replace(call, selling=""), NOON).allowed


@pytest.mark.parametrize(
    "law, people",
    [
        ("SE", {"natural", "sole_trader", "work_address"}),
        ("NO", {"natural", "sole_trader", "work_address"}),
        ("FI", {"natural", "sole_trader", "work_address"}),
        ("GB", {"natural", "sole_trader", "partnership"}),
    ],
)
def test_the_law_says_whose_address_is_a_persons(law: str, people: set[str]) -> None:
    assert {who.value for who in Who if counts_as_person(law_pack(law), who, date(2026, 11, 22))} == people


@pytest.mark.parametrize("law", ["SE", "NO", "FI", "GB"])
@pytest.mark.parametrize("channel", Channel)
def test_a_no_counts_at_once_in_europe(law: str, channel: Channel) -> None:
    assert stop_by(law_pack(law), channel, NOON) == date(2026, 11, 18)


def test_ten_business_days_in_the_united_states_and_none_where_no_rule_gives_them() -> None:
    assert stop_by(law_pack("US-CO"), Channel.EMAIL, NOON) == date(2026, 12, 2)
    assert stop_by(law_pack("US-CO"), Channel.SMS, NOON) == date(2026, 12, 2)
    assert stop_by(law_pack("US-CO"), Channel.POST, NOON) == date(2026, 11, 18)
