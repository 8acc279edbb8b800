"""Step-up: an old visit proves the mailbox again before it does what cannot be undone."""

import re
from datetime import timedelta

import pytest

from lofte.core import clock, codes, mail
from lofte.core.models import Mail
from lofte.features.rights import freshness, reads, verbs
from lofte.kernel.problems import Problem

pytestmark = [pytest.mark.django_db(databases=["default", "keys"])]
LATER = timedelta(minutes=11)


@pytest.fixture
def visit(somebody):
    """A visit of somebody, as the link in a letter opens it."""
    person = somebody()
    return verbs.open_portal(codes.issue("open", person, market="NO", locale="nb", lasts=timedelta(hours=1)))


@pytest.fixture
def read_code(letterbox):
    """The digits of the last letter."""

    def read() -> str:
        mail.deliver(clock.now())
        body = letterbox.last().get_body(("plain",))
        return re.search(r"^\s*(\d{3} \d{3})\s*$", body.get_content(), re.MULTILINE).group(1)

    return read


@pytest.mark.parametrize("act", ["download", "correct", "erase"])
def test_a_young_visit_may_do_everything_and_an_older_one_not(visit, act):
    assert freshness.is_fresh(visit, act)
    with clock.at(clock.now() + LATER):
        assert not freshness.is_fresh(visit, act)


def test_the_policy_says_which_acts_ask_and_after_how_long(visit, republish):
    republish(lambda policy: policy.update(rights={"fresh_code": ["erase"], "fresh_for": "PT1M"}))
    with clock.at(clock.now() + timedelta(minutes=2)):
        assert freshness.is_fresh(visit, "download")
        assert not freshness.is_fresh(visit, "erase")


def test_the_code_makes_the_visit_young_under_a_new_secret(visit, read_code):
    with clock.at(clock.now() + LATER):
        assert freshness.mail_code(visit)
        fresh = freshness.prove(visit, read_code())

        assert freshness.is_fresh(fresh, "erase")
        assert fresh.person_id == visit.person_id
        assert fresh.token != visit.token
        assert reads.session(visit.token) is None
        assert reads.session(fresh.token) is not None


def test_a_code_works_once_and_only_for_the_visit_that_asked(visit, read_code):
    other = freshness.begin(visit)
    assert freshness.mail_code(visit)
    digits = read_code()

    with pytest.raises(Problem, match=r"code\.wrong"):
        freshness.prove(other, digits)
    fresh = freshness.prove(visit, digits)
    with pytest.raises(Problem, match=r"code\.wrong"):
        freshness.prove(fresh, digits)


def test_a_new_code_ends_the_one_before(visit, read_code):
    assert freshness.mail_code(visit)
    first = read_code()
    assert freshness.mail_code(visit)
    second = read_code()

    if first != second:
        with pytest.raises(Problem, match=r"code\.wrong"):
            freshness.prove(visit, first)
    assert freshness.prove(visit, second)


def test_a_code_is_too_old_after_ten_minutes(visit, read_code):
    assert freshness.mail_code(visit)
    digits = read_code()
    with clock.at(clock.now() + LATER), pytest.raises(Problem, match=r"code\.wrong"):
        freshness.prove(visit, digits)


def test_nobody_guesses_a_code_in_more_than_five_tries(visit, read_code):
    assert freshness.mail_code(visit)
    right = read_code()
    wrong = f"{(int(right.replace(' ', '')) + 1) % 1_000_000:06}"
    for _ in range(5):
        with pytest.raises(Problem, match=r"code\.wrong"):
            freshness.prove(visit, wrong)

    with pytest.raises(Problem, match=r"code\.wrong"):
        freshness.prove(visit, right)


def test_a_mailbox_gets_at_most_five_codes_an_hour(visit):
    sent = [freshness.mail_code(visit) for _ in range(7)]

    assert sent == [True] * 5 + [False] * 2
    assert Mail.objects.of(visit.person_id).filter(letter="code").count() == 5


def test_the_code_stands_nowhere_in_the_clear(visit, read_code):
    assert freshness.mail_code(visit)
    digits = read_code().replace(" ", "")

    assert all(digits not in str(row) for row in codes.Code.objects.values())
