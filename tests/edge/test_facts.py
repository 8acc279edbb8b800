import json

from hypothesis import given
from hypothesis import strategies as st

from lofte.edge.facts import consent_fact, consent_who
from lofte.kernel.canonical import canonical_bytes

NAME = st.text(alphabet="abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_", min_size=1, max_size=22)


@given(NAME, NAME, st.none() | st.integers(min_value=0, max_value=2**53 - 1))
def test_whose_decision_is_canonical_though_written_by_hand(subject, token, previous):
    who = consent_who(subject, token, previous)

    assert who == canonical_bytes(json.loads(who))


@given(st.dictionaries(st.sampled_from(["marketing", "statistics", "functional"]), st.booleans()), st.booleans())
def test_only_a_grant_of_what_the_signal_refuses_can_come_after_it(choices, gpc):
    fact = json.loads(consent_fact(
        action="decide", at="2026-11-22T12:00:00Z", market="SE", locale="sv", publication="a", wording="b", method="banner",
        gpc=gpc, choices=choices, objected=["marketing"],
    ))  # fmt: skip

    assert fact.get("after_gpc", False) is (gpc and choices.get("marketing", False))
