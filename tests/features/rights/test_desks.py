"""The list of requests and the desks they lie on: paged and counted in few statements, given to who may work with them."""

import pytest
from django.contrib.auth.models import User

from lofte.core import clock, roles
from lofte.features.rights import assignment, cases, requests
from lofte.features.rights.models import Request
from lofte.kernel.problems import Problem

pytestmark = [pytest.mark.django_db(databases=["default", "keys"])]
ONE, OTHER = "staff:1", "staff:7"


def test_a_request_lies_on_a_desk_of_somebody_who_works_with_requests(somebody):
    made = requests.receive(somebody(), "access", by=ONE, channel="mail", market="NO", locale="nb", at=clock.now())
    seller = User.objects.create(pk=70, username="seller")
    roles.give(seller, ["register"], by=roles.OPERATOR)
    for wrong in (f"staff:{seller.pk}", "role:register", "staff:999", "operator:shell"):
        with pytest.raises(Problem, match="nobody there works"):
            assignment.assign(made, wrong, ONE)
    for right in (OTHER, "role:requests", ""):
        assignment.assign(made, right, ONE)
        assert requests.one(made).assignee == right
    assignment.assign(made, OTHER, ONE)
    assert assignment.gone() == frozenset()
    User.objects.filter(pk=7).update(is_active=False)
    assert assignment.gone() == {OTHER}


def test_the_list_is_paged_and_counted_in_few_statements(somebody, django_assert_max_num_queries):
    person = somebody()
    for number in range(23):
        right = ("access", "erasure", "question")[number % 3]
        requests.receive(person, right, by=ONE, channel="mail", market="NO", locale="nb", at=clock.now())
    requests.ask_identity(cases.open_now()[5].id, person, ONE)
    with django_assert_max_num_queries(8):
        first = cases.listed(cases.Wanted(), clock.now(), 1, 10)
    last = cases.listed(cases.Wanted(), clock.now(), 99, 10)
    assert (len(first.cases), first.pages, first.total, last.number, len(last.cases)) == (10, 3, 23, 3, 3)
    every = [each.id for number in (1, 2, 3) for each in cases.listed(cases.Wanted(), clock.now(), number, 10).cases]
    assert every == [each.id for each in cases.open_now()]
    assert [cases.neighbours(each) for each in every] == list(zip([None, *every[:-1]], [*every[1:], None], strict=True))
    with django_assert_max_num_queries(8):
        found = cases.counts(clock.now(), cases.Wanted(right="access", desks=frozenset({""})))
    assert (found["open"], found["new"] + found["waiting"]) == (8, 8)
    assert cases.counts(clock.now())["waiting"] == 1


def test_each_open_goes_through_more_than_one_batch(somebody, monkeypatch):
    person = somebody()
    made = {
        requests.receive(person, "access", by=ONE, channel="mail", market="NO", locale="nb", at=clock.now())
        for _ in range(7)
    }
    monkeypatch.setattr(cases, "_AT_A_TIME", 3)

    assert [each.id for each in cases.each_open()] == [each.id for each in cases.open_now()]
    assert {each.id for each in cases.each_open()} == made
    assert Request.objects.count() == 7
