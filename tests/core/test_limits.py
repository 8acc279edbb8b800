"""How often somebody may try, and what a check of our own gives back."""

from datetime import timedelta

import pytest

from lofte.core import limits

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)


def test_a_try_that_is_given_back_can_be_made_again_and_no_more_than_that():
    tried = [limits.allow("link-from", "192.0.2.7", 2, HOUR) for _ in range(3)]
    limits.give_back("link-from", "192.0.2.7")
    again = [limits.allow("link-from", "192.0.2.7", 2, HOUR) for _ in range(2)]

    assert (tried, again) == ([True, True, False], [True, False])


def test_giving_back_what_was_never_tried_is_worth_nothing():
    limits.give_back("link-from", "192.0.2.7")

    assert [limits.allow("link-from", "192.0.2.7", 1, HOUR) for _ in range(2)] == [True, False]
