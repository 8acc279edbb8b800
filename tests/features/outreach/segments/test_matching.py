"""The rules of a segment, applied to what is known of somebody: no database, no clock."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lofte.features.outreach.segments.matching import Condition, Known, from_rows, holds, matches, plain, to_rows
from lofte.kernel.problems import Problem

AT = datetime(2026, 11, 22, 12, tzinfo=UTC)
_WORDS = st.text(alphabet="abcÅäÖ -", max_size=8)
_VALUES = st.lists(_WORDS, max_size=3).map(tuple)
CONDITIONS = st.builds(
    Condition,
    of=st.sampled_from(["market", "locale", "relation", "topic", "interest", "event", "material", "field"]),
    values=_VALUES, without=st.booleans(), field=st.sampled_from(["", "company", "email"]),
    how=st.sampled_from(["is", "contains", "begins", "domain", "held"]), days=st.integers(0, 400),
)  # fmt: skip
KNOWN = st.builds(
    Known,
    markets=st.frozensets(_WORDS, max_size=2), locales=st.frozensets(_WORDS, max_size=2),
    relations=st.frozensets(_WORDS, max_size=2),
    topics=st.frozensets(_WORDS, max_size=2),
    interests=st.dictionaries(_WORDS, st.integers(-10, 500).map(lambda days: AT - timedelta(days=days)), max_size=3),
    events=st.frozensets(_WORDS, max_size=2), materials=st.frozensets(_WORDS, max_size=2),
    values=st.dictionaries(st.sampled_from(["company", "email"]), _WORDS, max_size=2),
)  # fmt: skip


@given(CONDITIONS, KNOWN)
def test_a_condition_and_its_opposite_never_agree(condition, known):
    opposite = Condition(
        condition.of, condition.values, not condition.without, condition.field, condition.how, condition.days
    )

    assert holds(condition, known, AT) is not holds(opposite, known, AT)


@given(st.lists(CONDITIONS, max_size=4), CONDITIONS, KNOWN)
def test_one_more_condition_never_lets_anybody_in(conditions, more, known):
    assert not matches([*conditions, more], known, AT) or matches(conditions, known, AT)


@given(st.lists(CONDITIONS, max_size=4), KNOWN, st.randoms())
def test_the_order_of_conditions_does_not_matter(conditions, known, random):
    turned = list(conditions)
    random.shuffle(turned)

    assert matches(turned, known, AT) == matches(conditions, known, AT)


@given(st.lists(CONDITIONS, max_size=6), KNOWN)
def test_conditions_come_back_from_the_database_and_mean_the_same(conditions, known):
    assert matches(from_rows(to_rows(conditions)), known, AT) == matches(conditions, known, AT)


@pytest.mark.parametrize(
    "how, values, value, expected",
    [
        ("is", ("björk ab",), " BJÖRK  AB ", True),
        ("is", ("björk",), "Björk AB", False),
        ("contains", ("REDO",), "Nordredovisning", True),
        ("begins", ("nord", "syd"), "Sydbyrån", True),
        ("begins", ("byrån",), "Sydbyrån", False),
        ("held", (), "anything", True),
        ("held", (), "  ", False),
        ("domain", ("Example.se",), "a@example.SE", True),
        ("domain", ("@example.se",), "a@example.se", True),
        ("domain", ("example.se",), "a@sub.example.se", False),
        ("domain", ("example.se",), "", False),
    ],
)
def test_words_are_compared_as_people_read_them(how, values, value, expected):
    known = Known(values={"f": value})

    assert holds(Condition("field", values, field="f", how=how), known, AT) is expected


def test_an_interest_counts_from_the_day_it_was_shown():
    known = Known(interests={"download": AT - timedelta(days=30)})

    assert holds(Condition("interest", ("download",), days=30), known, AT)
    assert not holds(Condition("interest", ("download",), days=29), known, AT)
    assert holds(Condition("interest", ("download",), days=29, without=True), known, AT)


def test_what_is_no_condition_is_refused():
    with pytest.raises(Problem) as refused:
        from_rows([{"values": ["SE"]}])

    assert refused.value.code == "segments.unreadable"


@given(st.text(max_size=20))
def test_plain_words_stay_plain(text):
    assert plain(plain(text)) == plain(text)
